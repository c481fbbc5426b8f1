/* SPDX-License-Identifier: MIT */
/* Our own bug: say where, stop the domain. Never for what a guest or a module does. */
#ifndef GLOVEBOX_PANIC_H
#define GLOVEBOX_PANIC_H

#include <stdint.h>

/* Prints "glovebox: panic: WHAT A B" and shuts the domain down as crashed. */
_Noreturn void panic(const char *what, uint64_t a, uint64_t b);
/* For a caller with more to print first: from here on the console waits for room instead of dropping. */
void panic_begin(void);

#endif
