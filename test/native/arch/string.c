/* SPDX-License-Identifier: MIT */
/* The functions of native/arch/x86_64/string.c (compiled under other names) against plain loops, all small cases. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES 48

void *our_memcpy(void *to, const void *from, size_t bytes);
void *our_memmove(void *to, const void *from, size_t bytes);
void *our_memset(void *to, int value, size_t bytes);
int our_memcmp(const void *a, const void *b, size_t bytes);

static uint8_t area[BYTES], expected[BYTES];

static void fill(void) {
    for (int i = 0; i < BYTES; i++)
        area[i] = expected[i] = (uint8_t)(i * 37 + 1);
}

static void check(const char *what, size_t to, size_t from, size_t bytes) {
    if (memcmp(area, expected, BYTES) == 0)
        return;
    printf("%s to %zu from %zu, %zu bytes: wrong\n", what, to, from, bytes);
    exit(1);
}

static void move(size_t to, size_t from, size_t bytes) {
    uint8_t copy[BYTES];
    fill();
    for (size_t i = 0; i < bytes; i++)
        copy[i] = area[from + i];
    for (size_t i = 0; i < bytes; i++)
        expected[to + i] = copy[i];
    our_memmove(area + to, area + from, bytes);
    check("memmove", to, from, bytes);
    fill();
    for (size_t i = 0; i < bytes; i++)
        expected[to + i] = copy[i];
    our_memcpy(area + to, copy, bytes);
    check("memcpy", to, from, bytes);
}

static void set(size_t to, size_t bytes) {
    fill();
    for (size_t i = 0; i < bytes; i++)
        expected[to + i] = 0xa5;
    our_memset(area + to, 0x3a5, bytes);
    check("memset", to, 0, bytes);
}

static int sign(int value) {
    return (value > 0) - (value < 0);
}

static void compare(size_t at, size_t bytes) {
    fill();
    area[at] ^= 0x80;
    if (sign(our_memcmp(area, expected, bytes)) != sign(memcmp(area, expected, bytes)))
        check("memcmp", at, 0, bytes);
}

int main(void) {
    for (size_t bytes = 0; bytes <= BYTES; bytes++)
        for (size_t to = 0; to + bytes <= BYTES; to++) {
            set(to, bytes);
            if (to < BYTES)
                compare(to, bytes);
            for (size_t from = 0; from + bytes <= BYTES; from++)
                move(to, from, bytes);
        }
    return 0;
}
