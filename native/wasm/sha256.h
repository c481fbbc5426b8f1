/* SPDX-License-Identifier: MIT */
/* SHA-256 of a run of bytes (FIPS 180-4, sections 5 and 6.2). */
#ifndef GLOVEBOX_SHA256_H
#define GLOVEBOX_SHA256_H

#include <stdint.h>

#define SHA256_BYTES 32u

void sha256(const uint8_t *bytes, uint64_t len, uint8_t digest[SHA256_BYTES]);

#endif
