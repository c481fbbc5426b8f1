/* SPDX-License-Identifier: MIT */
/* CRC-32 of IEEE 802.3 (reflected polynomial 0xedb88320), as in zlib and PNG: start with 0, continue with the last. */
#ifndef GLOVEBOX_CRC32_H
#define GLOVEBOX_CRC32_H

#include <stdint.h>

uint32_t crc32_update(uint32_t crc, const uint8_t *bytes, uint32_t len);

#endif
