/* SPDX-License-Identifier: MIT */
/*
 * Where loaded modules' images lie: pages of ours that are writable and never executable, or readable, or executable
 * and never writable. Taken in runs; what is given back is writable and zero.
 */
#ifndef GLOVEBOX_CODE_ARENA_H
#define GLOVEBOX_CODE_ARENA_H

#include <stdbool.h>
#include <stdint.h>

/* The first page of a free run, or -ENOSPC. */
int32_t code_take(uint32_t pages);
/* After a restart: this very run, when it is one and nobody has it. */
bool code_take_again(uint32_t first, uint32_t pages);
/* Pages that may have any access: writable and zero again. */
void code_give_back(uint32_t first, uint32_t pages);
/* After a restart, when all runs that are known have been taken: the rest goes back. */
void code_give_back_rest(void);
uint8_t *code_at(uint32_t page);
uint32_t code_pages_used(void);

#endif
