/* SPDX-License-Identifier: MIT */
/*
 * BLAKE2b-512. Every module goes through it before the domain is ready, so its instructions count: 14 for a byte, where
 * SHA-256 took 46. It finds damage; against a forger it is no more than the list that it is compared with
 * (docs/decisions/0022).
 */
#include "blake2b.h"

#include <string.h>

#define BLOCK_BYTES 128u
#define PARAMETERS 0x01010040u /* RFC 7693, 2.5: one leaf, depth 1, no key, a digest of 64 bytes */

/* 2.6: the first 64 bits of the fractional parts of the square roots of the first eight primes. */
static const uint64_t initial[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static inline uint64_t rotate(uint64_t value, unsigned by) {
    return value >> by | value << (64 - by);
}

static inline uint64_t load_little(const uint8_t *bytes) {
    uint64_t value;
    __builtin_memcpy(&value, bytes, sizeof(value)); /* an instruction; memcpy() is a call, as we are freestanding */
    return value;
}

/* 3.1: the mixing of four words with two of the message, as text, because gcc then keeps the words in registers. */
#define MIX(a, b, c, d, x, y)                                                                                          \
    a += b + (x);                                                                                                      \
    d = rotate(d ^ a, 32);                                                                                             \
    c += d;                                                                                                            \
    b = rotate(b ^ c, 24);                                                                                             \
    a += b + (y);                                                                                                      \
    d = rotate(d ^ a, 16);                                                                                             \
    c += d;                                                                                                            \
    b = rotate(b ^ c, 63);

#define WORD(n) load_little(block + 8 * (n))

/* 2.7 and 3.2: one round over columns and diagonals; the arguments are a row of the table sigma. */
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                                    \
    MIX(v0, v4, v8, v12, WORD(s0), WORD(s1))                                                                           \
    MIX(v1, v5, v9, v13, WORD(s2), WORD(s3))                                                                           \
    MIX(v2, v6, v10, v14, WORD(s4), WORD(s5))                                                                          \
    MIX(v3, v7, v11, v15, WORD(s6), WORD(s7))                                                                          \
    MIX(v0, v5, v10, v15, WORD(s8), WORD(s9))                                                                          \
    MIX(v1, v6, v11, v12, WORD(s10), WORD(s11))                                                                        \
    MIX(v2, v7, v8, v13, WORD(s12), WORD(s13))                                                                         \
    MIX(v3, v4, v9, v14, WORD(s14), WORD(s15))

/* 3.2. `seen` counts the message's bytes up to this block's end. */
static void compress(uint64_t h[8], const uint8_t *block, uint64_t seen, uint64_t last) {
    uint64_t v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
    uint64_t v8 = initial[0], v9 = initial[1], v10 = initial[2], v11 = initial[3];
    uint64_t v12 = initial[4] ^ seen, v13 = initial[5], v14 = initial[6] ^ last, v15 = initial[7];
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
    ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
    ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
    ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
    ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
    ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
    ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
    ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
    ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
    h[0] ^= v0 ^ v8, h[1] ^= v1 ^ v9, h[2] ^= v2 ^ v10, h[3] ^= v3 ^ v11;
    h[4] ^= v4 ^ v12, h[5] ^= v5 ^ v13, h[6] ^= v6 ^ v14, h[7] ^= v7 ^ v15;
}

/* 3.3: whole blocks, then what is left, filled up with zeros; the last block, also one that is whole, has its flag. */
void blake2b(const uint8_t *bytes, uint64_t len, uint8_t digest[BLAKE2B_BYTES]) {
    uint64_t h[8], at = 0;
    uint8_t block[BLOCK_BYTES] = {0};
    memcpy(h, initial, sizeof(h));
    h[0] ^= PARAMETERS;
    for (; len - at > BLOCK_BYTES; at += BLOCK_BYTES)
        compress(h, bytes + at, at + BLOCK_BYTES, 0);
    if (len > at)
        memcpy(block, bytes + at, len - at);
    compress(h, block, len, ~0ul);
    memcpy(digest, h, BLAKE2B_BYTES);
}
