/* SPDX-License-Identifier: MIT */
/* The last words, then the way back (restart.h). A panic inside a panic goes straight to the end. */
#include "panic.h"

#include "console.h"
#include "restart.h"
#include "shim.h"

void panic_begin(void) {
    console_wait_for_room();
}

static bool entered;

void panic_is_told(void) {
    entered = false;
}

_Noreturn void panic(const char *what, uint64_t a, uint64_t b) {
    if (entered)
        restart_end();
    entered = true;
    panic_begin();
    console_text("glovebox: panic: ");
    console_text(what);
    console_text(" ");
    console_hex(a);
    console_text(" ");
    console_hex(b);
    console_line_end();
    restart_after_panic(what, a, b);
}

void shim_panic(uint32_t code, uint64_t detail) {
    panic("the core gave up, code and detail", code, detail);
}
