/* SPDX-License-Identifier: MIT */
/*
 * The image links with --wrap=trap: entry.S's trap entries come here first. A trap inside catch() ends the attempt;
 * any other goes on to the shim, where it is a panic as in every image.
 */
#include "probe.h"

/* Words of entry.S's frame: fifteen registers, then these. */
#define FRAME_VECTOR 15

#define INVALID_OPCODE 6
#define GENERAL_PROTECTION 13
#define PAGE_FAULT 14

void __wrap_trap(const uint64_t *frame);
_Noreturn void __real_trap(const uint64_t *frame);

static void *resume[5]; /* GCC's manual: __builtin_setjmp takes five words */
static volatile bool armed;
static volatile uint64_t vector;

void __wrap_trap(const uint64_t *frame) {
    if (!armed)
        __real_trap(frame);
    armed = false;
    vector = frame[FRAME_VECTOR];
    __builtin_longjmp(resume, 1);
}

static const char *name_of(uint64_t number) {
    switch (number) {
    case INVALID_OPCODE:
        return "#UD";
    case GENERAL_PROTECTION:
        return "#GP";
    case PAGE_FAULT:
        return "#PF";
    default:
        return "another trap";
    }
}

__attribute__((noinline)) const char *catch(void (*run)(void *), void *argument) {
    armed = true;
    if (__builtin_setjmp(resume))
        return name_of(vector);
    run(argument);
    armed = false;
    return NULL;
}
