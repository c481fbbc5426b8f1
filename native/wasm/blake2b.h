/* SPDX-License-Identifier: MIT */
/* BLAKE2b-512 of a run of bytes, without a key: RFC 7693, what coreutils' b2sum prints. */
#ifndef GLOVEBOX_BLAKE2B_H
#define GLOVEBOX_BLAKE2B_H

#include <stdint.h>

#define BLAKE2B_BYTES 64u

void blake2b(const uint8_t *bytes, uint64_t len, uint8_t digest[BLAKE2B_BYTES]);

#endif
