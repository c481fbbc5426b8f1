// SPDX-License-Identifier: MIT
#include "crc32.h"

#define POLYNOMIAL 0xedb88320u /* IEEE 802.3, 3.2.9, bits reversed */

uint32_t crc32_add(uint32_t crc, const void *bytes, size_t length) {
    static uint32_t table[256];
    const uint8_t *at = bytes;

    for (uint32_t i = 0; !table[255] && i < 256; i++) {
        uint32_t value = i;

        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
        table[i] = value;
    }
    crc = ~crc;
    while (length--)
        crc = crc >> 8 ^ table[(crc ^ *at++) & 0xff];
    return ~crc;
}
