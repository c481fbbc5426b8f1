/* SPDX-License-Identifier: MIT */
/*
 * The restart of a program that has a process around it: a jump for the fresh stack, and the shim's variables, which
 * the build has moved to sections of their own (shim.test.ts), set back. The build that does not do so cannot restart.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "machine.h"

extern uint8_t __start_shim_bss[] __attribute__((weak)), __stop_shim_bss[] __attribute__((weak));
extern uint8_t __start_shim_data[] __attribute__((weak)), __stop_shim_data[] __attribute__((weak));

static jmp_buf fresh_stack;
static bool jump_is_set;
static uint8_t *pristine;

/* By hand: what lies between variables is poisoned, and instrumented code must not touch it. */
__attribute__((no_sanitize("address", "undefined"))) static void copy(volatile uint8_t *to, const uint8_t *from,
                                                                       size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        to[i] = from ? from[i] : 0;
}

void machine_keep_pristine(void) {
    size_t bytes = (size_t)(__stop_shim_data - __start_shim_data);
    pristine = malloc(bytes + 1);
    copy(pristine, __start_shim_data, bytes);
}

void machine_reset_memory(void) {
    copy(__start_shim_data, pristine, (size_t)(__stop_shim_data - __start_shim_data));
    copy(__start_shim_bss, NULL, (size_t)(__stop_shim_bss - __start_shim_bss));
}

bool fake_panics(void (*step)(void)) {
    CHECK(__stop_shim_bss - __start_shim_bss > 100000);
    jump_is_set = true;
    if (setjmp(fresh_stack)) {
        jump_is_set = false;
        return true;
    }
    step();
    jump_is_set = false;
    return false;
}

_Noreturn void machine_restart(void (*run)(void)) {
    (void)run;
    if (!jump_is_set)
        fake_panicked();
    longjmp(fresh_stack, 1);
}
