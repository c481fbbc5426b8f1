/* SPDX-License-Identifier: MIT */
/*
 * Targets of libFuzzer for the C that parses what somebody else wrote, one file each. A target runs the shim's own
 * source under ASan and UBSan and says with WANT() what else must hold; what does not ends the process, which is what
 * the fuzzer takes for a find. docs/FUZZING.md, "The C rig".
 */
#ifndef GLOVEBOX_FUZZ_PARSER_H
#define GLOVEBOX_FUZZ_PARSER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define WANT(fact)                                                                                                     \
    do {                                                                                                               \
        if (!(fact)) {                                                                                                 \
            fprintf(stderr, "WANTED: %s (%s:%d)\n", #fact, __FILE__, __LINE__);                                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Exactly these bytes and not one more: AddressSanitizer watches both ends. */
static inline uint8_t *exactly(const uint8_t *bytes, size_t length) {
    uint8_t *copy = malloc(length ? length : 1);

    if (!copy)
        abort();
    memcpy(copy, bytes, length);
    return copy;
}

#endif
