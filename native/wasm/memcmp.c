/* SPDX-License-Identifier: MIT */
/* Part of each .gbx file: wasm2c's check of an indirect call compares the 32 bytes of two types. */
#include <string.h>

int memcmp(const void *a, const void *b, size_t bytes) {
    const unsigned char *left = a, *right = b;
    for (size_t i = 0; i < bytes; i++)
        if (left[i] != right[i])
            return left[i] - right[i];
    return 0;
}
