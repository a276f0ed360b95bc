/* drain RECORD EVERY: the reader of a container's standard output. Reads all of its standard input as fast as it can, and
   notes the time at each EVERY-th `~`. */

#include <stdlib.h>
#include <string.h>

#include "record.h"

static char buffer[1 << 20];

int main(int argc, char **argv) {
    if (argc < 3) return 100;
    struct record *record = record_open(argv[1]);
    long every = atol(argv[2]), seen = 0;
    for (ssize_t got; (got = read(0, buffer, sizeof buffer)) > 0;)
        for (const char *at = buffer, *end = buffer + got; (at = memchr(at, '~', end - at)); ++at)
            if (++seen % every == 0) record_note(record);
    return 0;
}
