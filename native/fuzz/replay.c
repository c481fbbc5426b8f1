/* SPDX-License-Identifier: MIT */
/*
 * replay [--times N] FILE...: runs traces and prints how each ended; with --times all of them N times, and what
 * processor time that took. Any sanitizer that it is built with looks on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rig.h"

#define FILES_MAX 65536
#define BYTES_MAX (TRACE_HEADER_BYTES + TRACE_RECORDS_MAX * TRACE_RECORD_BYTES)

static struct trace traces[FILES_MAX];

static int load(struct trace *trace, const char *path) {
    uint8_t *bytes = malloc(BYTES_MAX), *own;
    FILE *file = fopen(path, "rb");
    size_t length;
    const char *wrong;

    if (!file || !bytes) {
        perror(path);
        return -1;
    }
    length = fread(bytes, 1, BYTES_MAX, file);
    fclose(file);
    own = realloc(bytes, length ? length : 1); /* the trace points into it as long as the process lives */
    wrong = trace_open(trace, own ? own : bytes, length);
    if (wrong)
        fprintf(stderr, "%s: %s\n", path, wrong);
    /* cppcheck-suppress memleak */
    return wrong ? -1 : 0;
}

static void tell(const char *path, struct rig_outcome outcome) {
    printf("%s fault %u operation %u fuel %llu answers %016llx hash %08x\n", path, outcome.fault, outcome.operation,
           (unsigned long long)outcome.fuel, (unsigned long long)outcome.answers, rig_hash());
}

static void measure(int files, long times) {
    struct timespec begin, end;
    double seconds;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (long i = 0; i < times; i++)
        for (int file = 0; file < files; file++)
            rig_run(&traces[file]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    printf("runs %ld seconds %.6f\n", times * files, seconds);
}

int main(int argc, char **argv) {
    long times = argc > 2 && strcmp(argv[1], "--times") == 0 ? atol(argv[2]) : 0;
    int first = times ? 3 : 1;
    const char *wrong = rig_start();
    const char *reset = getenv("RIG_RESET_BYTES");
    int files = 0;

    if (wrong) {
        fprintf(stderr, "rig: %s\n", wrong);
        return 2;
    }
    if (reset)
        rig_reset_bytes(strtoull(reset, 0, 10));
    for (int i = first; i < argc && files < FILES_MAX; i++, files++) {
        if (load(&traces[files], argv[i]))
            return 1;
        if (!times)
            tell(argv[i], rig_run(&traces[files]));
    }
    if (times)
        measure(files, times);
    return 0;
}
