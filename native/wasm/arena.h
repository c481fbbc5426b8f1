/* SPDX-License-Identifier: MIT */
/* Where linear memories come from: two static areas, the core's and the modules'. Nothing is ever grown. */
#ifndef GLOVEBOX_ARENA_H
#define GLOVEBOX_ARENA_H

#include "wasm-rt.h"

/* First page of a free run in the modules' area, or -ENOSPC. */
int32_t arena_take(uint32_t pages);
/* After a restart: this very run, when it is one and nobody has taken it on already. */
bool arena_take_again(uint32_t first, uint32_t pages);
/* Is it the memory of that run, where and as large as it was made? A wrong one would be a hole in the sandbox. */
bool arena_is(const wasm_rt_memory_t *memory, uint32_t first, uint32_t pages);
void arena_give_back(uint32_t first, uint32_t pages);
uint32_t arena_pages_used(void);

/* Until arena_close(): the memory that instantiation asks for is this run, zeroed, and exactly this size. */
void arena_open(uint32_t first, uint32_t pages);
/* The memory that was asked for, or NULL. */
wasm_rt_memory_t *arena_close(void);

#endif
