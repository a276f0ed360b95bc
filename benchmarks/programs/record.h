/* A record: a file of 64-bit numbers that several processes map at once. The first is how many times have been noted;
   the others are those times, nanoseconds of CLOCK_MONOTONIC. Noting takes no system call besides the clock, waits for
   nobody and loses nothing. Whoever makes the file decides how many fit. */

#ifndef RECORD_H
#define RECORD_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct record {
    int64_t count;
    int64_t times[];
};

static inline int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline struct record *record_open(const char *name) {
    struct stat status;
    int descriptor = open(name, O_RDWR | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &status) < 0) _exit(111);
    void *mapped = mmap(0, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (mapped == MAP_FAILED) _exit(111);
    close(descriptor);
    return mapped;
}

static inline void record_note(struct record *record) {
    int64_t at = now();
    record->times[__atomic_fetch_add(&record->count, 1, __ATOMIC_SEQ_CST)] = at;
}

#endif
