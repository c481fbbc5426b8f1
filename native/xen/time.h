/* SPDX-License-Identifier: MIT */
/* Xen system time and wall clock out of the shared info page, the time that we run, and the one-shot timer. */
#ifndef GLOVEBOX_TIME_H
#define GLOVEBOX_TIME_H

#include <stdint.h>

/* Stops Xen's periodic tick, binds the timer. */
void time_init(void);
/* System time at a past or present reading of the TSC. */
uint64_t time_at_tsc(uint64_t tsc);
/* ns that our vCPU has had a processor. From the first call of this one or the next on Xen counts for us. */
uint64_t time_run_ns(void);
/* ns that it wanted one, and others had it. */
uint64_t time_waited_ns(void);

#endif
