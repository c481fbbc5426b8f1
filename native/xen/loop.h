/* SPDX-License-Identifier: MIT */
/* The service loop: events, then control, then a slice of background work, then wait. */
#ifndef GLOVEBOX_LOOP_H
#define GLOVEBOX_LOOP_H

#include <stdbool.h>

/* One round; true when there may be more to do at once. */
bool loop_step(void);
_Noreturn void loop_run(void);

#endif
