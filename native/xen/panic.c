/* SPDX-License-Identifier: MIT */
/* The last words. A panic inside a panic goes straight to the shutdown. */
#include "panic.h"

#include "console.h"
#include "hypercalls.h"
#include "shim.h"

void panic_begin(void) {
    console_wait_for_room();
}

_Noreturn void panic(const char *what, uint64_t a, uint64_t b) {
    static bool entered;
    if (!entered) {
        entered = true;
        panic_begin();
        console_text("glovebox: panic: ");
        console_text(what);
        console_text(" ");
        console_hex(a);
        console_text(" ");
        console_hex(b);
        console_line_end();
    }
    struct sched_shutdown crash = {.reason = SHUTDOWN_crash};
    for (;;)
        hypercall_sched_op(SCHEDOP_shutdown, &crash);
}

void shim_panic(uint32_t code, uint64_t detail) {
    panic("the core gave up, code and detail", code, detail);
}
