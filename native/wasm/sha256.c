/* SPDX-License-Identifier: MIT */
/* SHA-256. Every module goes through it before the domain is ready, so its instructions count: 46 for a byte. */
#include "sha256.h"

#include <string.h>

#define BLOCK_BYTES 64u
#define LENGTH_AT 56u /* the message's length in bits ends the last block */

/* FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotate(uint32_t value, unsigned by) {
    return value >> by | value << (32 - by);
}

static uint32_t load_big(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store_big(uint8_t *bytes, uint32_t value) {
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* 6.2.2, sixteen rounds at a time and in place. The letters move on by one with each round, so a round takes them by
 * its number and nothing is moved. The sums are those of 4.1.2, factored: rotations by 6, 11 and 25 are one by 6, one
 * by 5 more, one by 14 more. */
static inline void one_round(uint32_t s[8], uint32_t t, uint32_t input) {
    uint32_t a = s[-t & 7], b = s[(1 - t) & 7], c = s[(2 - t) & 7];
    uint32_t e = s[(4 - t) & 7], f = s[(5 - t) & 7], g = s[(6 - t) & 7], h = s[(7 - t) & 7];
    h += input + rotate(e ^ rotate(e ^ rotate(e, 14), 5), 6) + (g ^ (e & (f ^ g)));
    s[(3 - t) & 7] += h;
    s[(7 - t) & 7] = h + rotate(a ^ rotate(a ^ rotate(a, 9), 11), 2) + (b ^ ((a ^ b) & (b ^ c)));
}

/* w holds the last sixteen words of the schedule, each in place of the one that is needed no more. */
static inline uint32_t schedule(uint32_t w[16], uint32_t t) {
    uint32_t w15 = w[(t + 1) & 15], w2 = w[(t + 14) & 15];
    w[t & 15] += w[(t + 9) & 15] + (rotate(w15 ^ rotate(w15, 11), 7) ^ w15 >> 3) +
                 (rotate(w2 ^ rotate(w2, 2), 17) ^ w2 >> 10);
    return w[t & 15];
}

static void block(uint32_t state[8], const uint8_t *bytes) {
    uint32_t w[16], s[8];
    for (int i = 0; i < 8; i++)
        s[i] = state[i];
#pragma GCC unroll 16
    for (uint32_t t = 0; t < 16; t++) {
        w[t] = load_big(bytes + 4 * t);
        one_round(s, t, constants[t] + w[t]);
    }
    for (uint32_t first = 16; first < 64; first += 16) {
#pragma GCC unroll 16
        for (uint32_t t = 0; t < 16; t++)
            one_round(s, t, constants[first + t] + schedule(w, t));
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

void sha256(const uint8_t *bytes, uint64_t len, uint8_t digest[SHA256_BYTES]) {
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}; /* 5.3.3 */
    uint8_t last[2 * BLOCK_BYTES] = {0};
    uint64_t whole = len / BLOCK_BYTES * BLOCK_BYTES, rest = len - whole;
    for (uint64_t at = 0; at < whole; at += BLOCK_BYTES)
        block(state, bytes + at);
    if (rest)
        memcpy(last, bytes + whole, rest);
    last[rest] = 0x80;
    uint32_t end = rest < LENGTH_AT ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    store_big(last + end - 8, (uint32_t)(len >> 29));
    store_big(last + end - 4, (uint32_t)(len << 3));
    for (uint32_t at = 0; at < end; at += BLOCK_BYTES)
        block(state, last + at);
    for (int i = 0; i < 8; i++)
        store_big(digest + 4 * i, state[i]);
}
