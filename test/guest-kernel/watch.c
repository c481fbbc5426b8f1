/* SPDX-License-Identifier: MIT */
/*
 * The second vCPU reads four bytes again and again, without a break or with one, while the first does something else:
 * each read is timed, each answer compared. Nothing is said before it is over, for the console is the first one's, and
 * so is the clock: for machines whose processors' clocks are one, as under -icount.
 */
#include "kernel.h"

#define READS_MAX 0x40000u

static struct {
    uint64_t where, pause_us;
    uint32_t wanted;
    bool counts; /* each answer is one more than the one before */
    volatile bool ends;
    uint32_t reads, wrong, first_wrong;
} watched;

static uint32_t took[READS_MAX];

static void look(void) {
    while (!watched.ends && watched.reads < READS_MAX) {
        uint64_t start = time_ns();
        uint32_t got = (uint32_t)mmio_read(watched.where, 4);

        took[watched.reads++] = duration(start);
        watched.wanted += watched.counts;
        if (got != watched.wanted && !watched.wrong++)
            watched.first_wrong = got;
        if (watched.counts)
            watched.wanted = got;
        if (watched.pause_us)
            sleep_us(watched.pause_us);
    }
}

const char *watch(const uint64_t *a, unsigned count) {
    if (second_busy())
        return "the second vCPU is at work";
    watched.where = a[0];
    watched.pause_us = a[1];
    watched.counts = count < 3;
    watched.wanted = watched.counts ? (uint32_t)mmio_read(a[0], 4) : (uint32_t)a[2];
    watched.ends = false;
    watched.reads = watched.wrong = watched.first_wrong = 0;
    return second_run(look) ? NULL : "no second vCPU";
}

const char *watch_end(uint64_t *value) {
    watched.ends = true;
    while (second_busy())
        sleep_us(100);
    *value = watched.reads;
    if (!watched.reads || watched.reads == READS_MAX)
        return "1 to 262143 reads";
    say("WATCHED wrong %u first %x\n", (uint64_t)watched.wrong, (uint64_t)watched.first_wrong);
    durations_say("WATCHED times", took, watched.reads);
    return NULL;
}
