/* SPDX-License-Identifier: MIT */
/*
 * A mutator for traces without a header: whole records come, go, change places and change their values, so what
 * libFuzzer makes stays a list of operations. It knows no module: kinds, BARs and offsets come from the seeds.
 */
#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define RECORD TRACE_RECORD_BYTES
enum { AT_KIND = 11, AT_BAR = 12, AT_SIZE = 13, AT_ADDR = 16, AT_DATA = 24 };

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t most, unsigned int seed);

static uint32_t state;

static uint32_t below(uint32_t limit) {
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)state * limit >> 32);
}

static void change(uint8_t *record) {
    static const uint8_t kinds[] = {TRACE_CALL_READ, TRACE_CALL_WRITE, TRACE_CALL_WRITE, TRACE_CALL_RESET,
                                    TRACE_CALL_EVENT, TRACE_CALL_WORK_DONE, TRACE_ANSWERS, TRACE_MEMORY,
                                    TRACE_MEMORY, TRACE_TIME, TRACE_MEMORY_LATER};

    switch (below(8)) {
    case 0:
        record[AT_KIND] = kinds[below(sizeof(kinds))];
        return;
    case 1:
        record[AT_BAR] = (uint8_t)below(6);
        return;
    case 2:
        record[AT_SIZE] = (uint8_t)(1u << below(4));
        return;
    case 3:
    case 4:
        record[AT_ADDR] = (uint8_t)(record[AT_ADDR] + (below(5) - 2u) * record[AT_SIZE]);
        return;
    case 5:
        LLVMFuzzerMutate(record + AT_ADDR, 2, 2);
        return;
    default:
        LLVMFuzzerMutate(record + AT_DATA, 8, 8);
    }
}

static void fresh(uint8_t *record, const uint8_t *like) {
    memcpy(record, like, RECORD);
    if (record[AT_KIND] < 0xc0) {
        memset(record, 0, RECORD);
        record[AT_KIND] = TRACE_CALL_WRITE;
        record[AT_SIZE] = 4;
    }
    change(record);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t most, unsigned int seed) {
    static const uint8_t nothing[RECORD];
    uint32_t count = (uint32_t)(length / RECORD), at;

    state = seed;
    if (most < RECORD)
        return 0;
    at = count ? below(count) : 0;
    if (!count || (below(4) == 0 && (count + 1) * RECORD <= most)) { /* one more, like another */
        uint8_t record[RECORD];

        fresh(record, count ? bytes + below(count) * RECORD : nothing);
        memmove(bytes + (at + 1) * RECORD, bytes + at * RECORD, (count - at) * RECORD);
        memcpy(bytes + at * RECORD, record, RECORD);
        return (count + 1) * RECORD;
    }
    if (count > 1 && below(8) == 0) { /* one less */
        memmove(bytes + at * RECORD, bytes + (at + 1) * RECORD, (count - at - 1) * RECORD);
        return (count - 1) * RECORD;
    }
    for (uint32_t i = below(3) + 1; i; i--)
        change(bytes + below(count) * RECORD);
    return count * RECORD;
}
