/* SPDX-License-Identifier: MIT */
#ifndef GUEST_CRC32_H
#define GUEST_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of IEEE 802.3, as zlib and native/include/shim.h's shim_guest_crc32 compute it; start with crc = 0. */
uint32_t crc32_add(uint32_t crc, const void *bytes, size_t length);

#endif
