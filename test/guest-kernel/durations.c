/* SPDX-License-Identifier: MIT */
/* How long each of many took: in nanoseconds, sorted where they lie, said in one line. */
#include "kernel.h"

/* Shell's sort with halved gaps: some ten thousand numbers, once. */
static void sort(uint32_t *ns, uint64_t count) {
    for (uint64_t gap = count / 2; gap; gap /= 2) {
        for (uint64_t i = gap; i < count; i++) {
            uint32_t one = ns[i];
            uint64_t at = i;

            for (; at >= gap && ns[at - gap] > one; at -= gap)
                ns[at] = ns[at - gap];
            ns[at] = one;
        }
    }
}

uint32_t duration(uint64_t start_ns) {
    uint64_t took = time_ns() - start_ns;

    return took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
}

/* WORD COUNT p50 N p99 N max N ns; `count` is not 0. Returns the median. */
uint64_t durations_say(const char *word, uint32_t *ns, uint64_t count) {
    sort(ns, count);
    say("%s %u p50 %u p99 %u max %u ns\n", word, count, (uint64_t)ns[count / 2],
        (uint64_t)ns[(count * 99 + 99) / 100 - 1], (uint64_t)ns[count - 1]);
    return ns[count / 2];
}
