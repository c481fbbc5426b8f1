/* SPDX-License-Identifier: MIT */
/* xorshift64*: same seed, same run. */
#include "kernel.h"

uint64_t random_next(uint64_t *state) {
    uint64_t x = *state ? *state : 1;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dull;
}
