/* sender SENT RECEIVED PID COUNT: sends SIGUSR1 to PID, COUNT times, ten milliseconds apart, as to processes that sleep,
   and notes the time before each. Fails if one does not arrive within two seconds. */

#include <signal.h>
#include <stdlib.h>

#include "record.h"

int main(int argc, char **argv) {
    if (argc < 5) return 100;
    struct record *sent = record_open(argv[1]), *received = record_open(argv[2]);
    struct timespec pause = {0, 10000000};
    for (int i = atoi(argv[4]); i > 0; --i) {
        int64_t before = __atomic_load_n(&received->count, __ATOMIC_SEQ_CST);
        int64_t limit = now() + 2000000000;
        record_note(sent);
        if (kill(atoi(argv[3]), SIGUSR1) < 0) return 111;
        do nanosleep(&pause, 0);
        while (__atomic_load_n(&received->count, __ATOMIC_SEQ_CST) == before && now() < limit);
        if (received->count != before + 1) return 1;
    }
    return 0;
}
