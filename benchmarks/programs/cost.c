/* cost [-p] PROGRAM [ARGUMENT...]: runs the program and prints `CODE WALL CPU` on standard error: its exit code, and the
   microseconds from before its fork to its end, of the clock and of the processor, its waited-for children's included.
   -p: as process 1 of a PID namespace. */

#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "record.h"

int main(int argc, char **argv) {
    int is_first = argc > 1 && strcmp(argv[1], "-p") == 0;
    char **program = argv + 1 + is_first;
    if (argc < 2 + is_first) return 100;
    if (is_first && unshare(CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0)) < 0) return 111;
    int64_t began = now();
    pid_t pid = fork();
    if (pid < 0) return 111;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* whoever gives up waiting for us leaves nothing behind */
        execvp(program[0], program);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (wait4(pid, &status, 0, &usage) != pid) return 111;
    int64_t wall = now() - began;
    long cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    fprintf(stderr, "%d %ld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), (long)(wall / 1000), cpu);
    return 0;
}
