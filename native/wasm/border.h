/* SPDX-License-Identifier: MIT */
/* The way back from the core into the module whose import it served. */
#ifndef GLOVEBOX_BORDER_H
#define GLOVEBOX_BORDER_H

#include "call.h"
#include "shim.h"

/* The module runs again, unless the core says that it must not. */
static inline uint32_t border_back(struct call_border border, int32_t answer) {
    call_leave_core(border);
    if (answer == CAPABILITY_FATAL)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
    if (answer == CAPABILITY_PROMISE)
        wasm_rt_trap(WASM_RT_TRAP_PROMISE);
    return (uint32_t)answer;
}

#endif
