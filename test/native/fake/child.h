/* SPDX-License-Identifier: MIT */
/* One life of the domain in a process of its own: a panic, a sanitizer's finding or static state ends with it. */
#ifndef GLOVEBOX_CHILD_H
#define GLOVEBOX_CHILD_H

#include "fake.h"

/*
 * Runs it with the nth hypercall failing (0 = none); the exit code (-1 = killed), and what was printed. A good end
 * prints "HYPERCALLS count (the failed one)" last.
 */
int child_run(void (*run)(void), uint64_t fail_nth, long answer, char *output, size_t output_bytes);
/* The panic in the output is of the kind that is right when that hypercall fails. */
bool child_panic_is_due(const char *output);

#endif
