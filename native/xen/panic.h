/* SPDX-License-Identifier: MIT */
/* Our own bug: say where, restart in place. Never for what a guest or a module does. */
#ifndef GLOVEBOX_PANIC_H
#define GLOVEBOX_PANIC_H

#include <stdint.h>

/* Prints "glovebox: panic: WHAT A B" and restarts the domain in place (restart.h). */
_Noreturn void panic(const char *what, uint64_t a, uint64_t b);
/* The restart has begun: what panics now is another panic, not one inside the telling. */
void panic_is_told(void);
/* For a caller with more to print first: from here on the console waits for room instead of dropping. */
void panic_begin(void);

#endif
