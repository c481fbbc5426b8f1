/* SPDX-License-Identifier: MIT */
/*
 * Eight bytes a step: table k holds the CRC of a byte followed by k zero bytes, so eight look-ups are added (xor). The
 * tables (8 KiB) are computed at the first use, which is when the start is complete.
 */
#include "crc32.h"

#include <stdbool.h>
#include <string.h>

#define POLYNOMIAL 0xedb88320u
#define SLICES 8

static uint32_t table[SLICES][256];

static void fill_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        table[0][byte] = crc;
    }
    for (int slice = 1; slice < SLICES; slice++)
        for (uint32_t byte = 0; byte < 256; byte++)
            table[slice][byte] = table[slice - 1][byte] >> 8 ^ table[0][table[slice - 1][byte] & 0xff];
}

static inline uint32_t eight_bytes(uint32_t crc, const uint8_t *bytes) {
    uint64_t word;
    uint32_t next = 0;
    memcpy(&word, bytes, sizeof(word));
    word ^= crc;
    for (int slice = SLICES - 1; slice >= 0; slice--, word >>= 8)
        next ^= table[slice][word & 0xff];
    return next;
}

uint32_t crc32_update(uint32_t crc, const uint8_t *bytes, uint32_t len) {
    static bool filled;
    if (!filled)
        fill_tables();
    filled = true;
    crc = ~crc;
    for (; len >= 8; len -= 8, bytes += 8)
        crc = eight_bytes(crc, bytes);
    for (; len; len--)
        crc = crc >> 8 ^ table[0][(crc ^ *bytes++) & 0xff];
    return ~crc;
}
