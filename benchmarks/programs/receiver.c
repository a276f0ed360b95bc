/* receiver RECORD: notes the time of every SIGUSR1, in its handler. The first time in the record is when it was ready. */

#include <signal.h>

#include "record.h"

static struct record *record;

static void note(int number) {
    (void)number;
    record_note(record);
}

int main(int argc, char **argv) {
    if (argc < 2) return 100;
    record = record_open(argv[1]);
    struct sigaction action = {.sa_handler = note};
    sigaction(SIGUSR1, &action, 0);
    record_note(record);
    for (;;) pause();
}
