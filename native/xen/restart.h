/* SPDX-License-Identifier: MIT */
/* Restart in place: docs/decisions/0008. */
#ifndef GLOVEBOX_RESTART_H
#define GLOVEBOX_RESTART_H

#include <stdint.h>

/* The panic was printed: restart, or end. */
_Noreturn void restart_after_panic(const char *what, uint64_t a, uint64_t b);
/* Nothing can be restarted: answer what is pending, give the servers back, stop the domain as crashed. */
_Noreturn void restart_end(void);
/* On a fresh stack: from the panic to the first round of the loop. The host build calls it by itself. */
void restart_prepare(void);

#endif
