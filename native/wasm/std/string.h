/* SPDX-License-Identifier: MIT */
/* The four memory functions that gcc may call by itself; arch/x86_64/string.c has them. */
#ifndef GLOVEBOX_STD_STRING_H
#define GLOVEBOX_STD_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

#endif
