/* SPDX-License-Identifier: MIT */
/*
 * Who runs: the core, or a module inside a call of the core's. Calls nest (core, module, core serving an import,
 * module), so each border crossing saves what was and puts it back. A trap ends the innermost module call, or is a
 * panic when the core runs.
 */
#ifndef GLOVEBOX_CALL_H
#define GLOVEBOX_CALL_H

#include "wasm-rt.h"

typedef uint64_t call_entry(void *instance, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* Runs a module's function; *trap is WASM_RT_TRAP_NONE, or why it did not return (the answer is 0 then). */
uint64_t call_module(call_entry *entry, void *instance, const uint64_t arguments[4], wasm_rt_trap_t *trap);

/* Around a call into the core from a module's import. */
struct call_border {
    struct call *running;
    uint32_t limit;
};
struct call_border call_enter_core(void);
void call_leave_core(struct call_border border);

#endif
