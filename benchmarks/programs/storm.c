/* storm RECORD COUNT TIMES: makes COUNT orphans, lets them all end at one moment, and waits until process 1 has reaped
   the last; TIMES over. Notes both moments of each. Needs /proc for nothing: a process that was reaped is one that
   signal 0 no longer finds. Run as `#!/path/storm RECORD COUNT TIMES` the three are one word. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "record.h"

static pid_t *orphans;

static void rest(long nanoseconds) {
    struct timespec t = {0, nanoseconds};
    nanosleep(&t, 0);
}

static int exists(pid_t pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

static void storm(struct record *record, int count) {
    int gate[2];
    char byte;
    if (pipe(gate) < 0) _exit(111);
    pid_t parent = fork();
    if (parent < 0) _exit(111);
    if (parent == 0) {
        close(gate[1]);
        for (int i = 0; i < count; ++i) {
            pid_t orphan = fork();
            if (orphan < 0) _exit(111);
            if (orphan == 0) _exit(read(gate[0], &byte, 1) != 0);
            orphans[i] = orphan;
        }
        _exit(0);
    }
    int status;
    while (waitpid(parent, &status, 0) != parent)
        ;
    if (status) _exit(111);
    rest(50000000); /* the new children are nobody's business yet: let everything come to rest */
    record_note(record);
    close(gate[1]);
    close(gate[0]);
    for (int i = 0; i < count; ++i)
        while (exists(orphans[i])) rest(50000);
    record_note(record);
}

int main(int argc, char **argv) {
    if (argc < 2) return 100;
    int is_service = strchr(argv[1], ' ') != 0;
    char *name = is_service ? strtok(argv[1], " ") : argv[1];
    char *count = is_service ? strtok(0, " ") : argv[2];
    char *times = is_service ? strtok(0, " ") : argc > 3 ? argv[3] : 0;
    if (!name || !count || !times) return 100;
    struct record *record = record_open(name);
    int n = atoi(count);
    orphans = mmap(0, n * sizeof *orphans, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (orphans == MAP_FAILED) return 111;
    for (int i = atoi(times); i > 0; --i) storm(record, n);
    while (is_service) pause();
    return 0;
}
