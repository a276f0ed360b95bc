/* `#!/path/flood RECORD COUNT GAP`: a service that writes COUNT lines of 100 bytes and sleeps until it is killed. Each
   line has one `~` in it. With a GAP of 0 it writes blocks of forty lines, as stdio does, as fast as they are taken, and
   notes the time before the first. Else it writes one line each GAP nanoseconds and notes the time before each. The
   kernel hands the three on as one word. */

#include <stdlib.h>
#include <string.h>

#include "record.h"

enum { LINE = 100, LINES = 40 };

static char block[LINE * LINES];

static void put(size_t size) {
    for (const char *from = block; size;) {
        ssize_t done = write(1, from, size);
        if (done < 0) _exit(111);
        from += done;
        size -= done;
    }
}

int main(int argc, char **argv) {
    if (argc < 2) return 100;
    char *name = strtok(argv[1], " "), *count = strtok(0, " "), *gap = strtok(0, " ");
    if (!name || !count || !gap) return 100;
    struct record *record = record_open(name);
    long left = atol(count), pause_ns = atol(gap);
    for (int i = 0; i < LINES; ++i) {
        memset(block + i * LINE, 'x', LINE);
        memcpy(block + i * LINE + LINE - 2, "~\n", 2);
    }
    if (pause_ns == 0) {
        record_note(record);
        for (; left > 0; left -= LINES) put(LINE * (left < LINES ? left : LINES));
    } else {
        int64_t due = now() + 300000000; /* let everything come to rest */
        for (; left > 0; --left, due += pause_ns) {
            struct timespec at = {due / 1000000000, due % 1000000000};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, 0);
            record_note(record);
            put(LINE);
        }
    }
    for (;;) pause();
}
