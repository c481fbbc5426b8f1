/* SPDX-License-Identifier: MIT */
/*
 * The memory functions that gcc takes for granted, without vector registers: string instructions, whose loops gcc
 * cannot turn back into calls of themselves.
 */
#include <stdint.h>
#include <string.h>

static inline void move_up(void *to, const void *from, size_t bytes) {
    size_t words = bytes / 8, rest = bytes % 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
}

static inline void move_down(void *to, const void *from, size_t bytes) {
    void *last_to = (uint8_t *)to + bytes - 1;
    const void *last_from = (const uint8_t *)from + bytes - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(last_to), "+S"(last_from), "+c"(bytes) : : "memory");
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    move_up(to, from, bytes);
    return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
    if (bytes == 0)
        return to;
    if ((uintptr_t)to - (uintptr_t)from >= bytes)
        move_up(to, from, bytes);
    else
        move_down(to, from, bytes);
    return to;
}

void *memset(void *to, int value, size_t bytes) {
    void *at = to;
    size_t words = bytes / 8, rest = bytes % 8;
    uint64_t pattern = 0x0101010101010101ul * (uint8_t)value;
    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(pattern) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
    const uint8_t *left = a, *right = b;
    for (size_t i = 0; i < bytes; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}
