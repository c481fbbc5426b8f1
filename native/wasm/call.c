/* SPDX-License-Identifier: MIT */
#include "call.h"

#include "panic.h"
#include "shim_limits.h"

struct call {
    void *jump[5]; /* what __builtin_setjmp keeps: frame, stack, label, two spare */
    wasm_rt_trap_t trap;
};

uint32_t wasm_rt_call_stack_depth;
uint32_t wasm_rt_call_stack_limit = CORE_DEPTH_MAX;

static struct call *running; /* NULL: the core */
static uint32_t nest;

/* Apart from its caller: nothing that must survive the jump is in its registers. */
static __attribute__((noinline)) uint64_t run(struct call *call, call_entry *entry, void *instance,
                                              const uint64_t arguments[4]) {
    if (__builtin_setjmp(call->jump))
        return 0;
    return entry(instance, arguments[0], arguments[1], arguments[2], arguments[3]);
}

uint64_t call_module(call_entry *entry, void *instance, const uint64_t arguments[4], wasm_rt_trap_t *trap) {
    struct call call = {.trap = WASM_RT_TRAP_NONE};
    struct call *outer = running;
    uint32_t depth = wasm_rt_call_stack_depth;
    uint32_t limit = wasm_rt_call_stack_limit;
    if (nest == CALL_NEST_MAX)
        panic("module calls nest too deep", nest, 0);
    nest++;
    running = &call;
    wasm_rt_call_stack_limit = depth + MODULE_DEPTH_MAX;
    uint64_t value = run(&call, entry, instance, arguments);
    wasm_rt_call_stack_limit = limit;
    wasm_rt_call_stack_depth = depth;
    running = outer;
    nest--;
    *trap = call.trap;
    return value;
}

_Noreturn void wasm_rt_trap(wasm_rt_trap_t code) {
    struct call *call = running;
    if (!call)
        panic("the core trapped, wasm_rt_trap_t", code, wasm_rt_call_stack_depth);
    call->trap = code;
    __builtin_longjmp(call->jump, 1);
}

struct call_border call_enter_core(void) {
    struct call_border border = {.running = running, .limit = wasm_rt_call_stack_limit};
    running = NULL;
    wasm_rt_call_stack_limit = wasm_rt_call_stack_depth + CORE_DEPTH_MAX;
    return border;
}

void call_leave_core(struct call_border border) {
    running = border.running;
    wasm_rt_call_stack_limit = border.limit;
}
