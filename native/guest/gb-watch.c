// SPDX-License-Identifier: MIT
/*
 * gb-watch DEVICE BAR OFFSET VALUE|count STOP [PAUSE_US]: reads 4 bytes of a BAR again and again, without a
 * break or with one of that length, until a file named STOP appears; each read is timed, each answer compared with
 * VALUE, or, where that is "count", with one more than the answer before. One line of JSON: how many, how many wrong,
 * the first wrong one, and the times in nanoseconds of CLOCK_MONOTONIC: median, p99, max.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pci.h"

#define SAMPLES_MAX (4u << 20) /* 16 MiB; a trap takes 50 us or more here, so minutes */
#define LOOK_EVERY 64

static uint64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static uint32_t count, wrong, first_wrong;

static void watch(const struct pci_bar *bar, uint64_t offset, const char *wanted, const char *stop, uint32_t pause_us,
                  uint32_t *sample) {
    bool counts = !strcmp(wanted, "count");
    uint32_t value = counts ? (uint32_t)bar_read(bar, offset, 4) : (uint32_t)strtoul(wanted, NULL, 0);

    while (count < SAMPLES_MAX && (count % LOOK_EVERY || access(stop, F_OK))) {
        uint64_t start = now_ns();
        uint32_t got = (uint32_t)bar_read(bar, offset, 4);
        uint64_t took = now_ns() - start;

        value += counts;
        sample[count++] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
        if (got != value && !wrong++)
            first_wrong = got;
        if (counts)
            value = got;
        if (pause_us)
            usleep(pause_us);
    }
}

static void print(uint32_t *sample) {
    qsort(sample, count, sizeof(*sample), by_size);
    printf("WATCH {\"count\":%u,\"wrong\":%u,\"first_wrong\":%u,\"median_ns\":%u,\"p99_ns\":%u,\"max_ns\":%u}\n", count,
           wrong, first_wrong, sample[count / 2], sample[(uint64_t)count * 99 / 100], sample[count - 1]);
}

static const char *run(char **argv) {
    struct pci_bar bar = {0};
    uint64_t offset = strtoull(argv[3], NULL, 0);
    uint32_t *sample = malloc(SAMPLES_MAX * sizeof(*sample));
    char name[64];
    const char *error = sample ? pci_find(argv[1], name, sizeof(name)) : "no memory";

    if (!error)
        error = pci_enable(name);
    if (!error)
        error = pci_open_bar(name, (uint32_t)strtoul(argv[2], NULL, 0), &bar);
    if (!error && (bar.size < 4 || offset > bar.size - 4))
        error = "the access ends beyond the BAR";
    if (!error) {
        watch(&bar, offset, argv[4], argv[5], argv[6] ? (uint32_t)strtoul(argv[6], NULL, 0) : 0, sample);
        print(sample);
    }
    free(sample);
    return error;
}

int main(int argc, char **argv) {
    bool right = argc == 6 || argc == 7;
    const char *error = right ? run(argv) : "usage: gb-watch DEVICE BAR OFFSET VALUE|count STOP [PAUSE_US]";

    if (error)
        printf("WATCH failed: %s\n", error);
    return error ? 1 : 0;
}
