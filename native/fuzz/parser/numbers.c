/* SPDX-License-Identifier: MIT */
/*
 * A mutator for files that are mostly zeroes with a few numbers (ELF): half of the time one number of 8 bytes that is
 * not zero, or its neighbour, becomes another; else whatever libFuzzer does.
 */
#include <stdbool.h>

#include "parser.h"

#define TRIES 64u

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t most, unsigned int seed);

static uint32_t state;

static uint32_t below(uint32_t limit) {
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)state * limit >> 32);
}

static bool is_empty(const uint8_t *word) {
    for (int i = 0; i < 8; i++)
        if (word[i])
            return false;
    return true;
}

static void change(uint8_t *word) {
    static const uint64_t edges[] = {0,          1,    7,    8,        0xfff,     0x1000,
                                     0x7fffffff, ~0u, ~0ul, ~7ul, ~0xffful, 1ul << 63};
    uint64_t value;

    memcpy(&value, word, sizeof(value));
    switch (below(4)) {
    case 0:
        value = edges[below(sizeof(edges) / sizeof(*edges))];
        break;
    case 1:
        value += (uint64_t)below(33) - 16;
        break;
    case 2:
        value ^= 1ul << below(64);
        break;
    default:
        (void)LLVMFuzzerMutate((uint8_t *)&value, sizeof(value), sizeof(value));
    }
    memcpy(word, &value, sizeof(value));
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t most, unsigned int seed) {
    state = seed;
    if (length < 16 || below(2))
        return LLVMFuzzerMutate(bytes, length, most);
    for (uint32_t i = 0; i < TRIES; i++) {
        uint32_t at = below((uint32_t)(length / 8)) * 8;

        if (!is_empty(bytes + at) || (at >= 8 && !is_empty(bytes + at - 8))) {
            change(bytes + at);
            return length;
        }
    }
    return LLVMFuzzerMutate(bytes, length, most);
}
