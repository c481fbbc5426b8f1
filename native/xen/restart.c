/* SPDX-License-Identifier: MIT */
/*
 * From a panic back to the loop. Panics within RESTART_WINDOW_NS of each other count as one trouble:
 *
 *   RUNNING --panic--> restart KEEP --panic in the window--> restart LOSE --panic in the window--> end
 *      ^                    |                                     |
 *      +---- quiet for a window ----------------------------------+
 *
 * A panic inside a restart is one more in the window, so it takes the same road. A panic while ending, while a panic is
 * told, before the first start is complete, or with a broken record goes straight to the shutdown.
 */
#include "restart.h"

#include <string.h>

#include "boot.h"
#include "checksum.h"
#include "console.h"
#include "guest_pages.h"
#include "hypercalls.h"
#include "loop.h"
#include "machine.h"
#include "panic.h"
#include "server.h"
#include "shim.h"
#include "survivor.h"

static bool ending SURVIVES;

/* --- the cause ---------------------------------------------------------------------------------------------------- */

static void put(struct survivor *survivor, const char *text) {
    while (*text && survivor->words < PANIC_WORDS_BYTES) {
        char byte = *text++;
        survivor->text[survivor->words++] = byte < 0x20 || byte == 0x7f || byte == '"' ? '?' : byte;
    }
}

static void put_hex(struct survivor *survivor, uint64_t value) {
    char digits[20] = " 0x";
    uint32_t at = 3;
    int shift = 60;
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        digits[at++] = "0123456789abcdef"[value >> shift & 15];
    digits[at] = 0;
    put(survivor, digits);
}

static void note(struct survivor *survivor, const char *what, uint64_t a, uint64_t b) {
    uint64_t now = shim_time_ns();
    bool again = survivor->restarts && now - survivor->panic_ns < RESTART_WINDOW_NS;
    survivor->panic_ns = now;
    survivor->restarts++;
    survivor->in_window = again ? survivor->in_window + 1 : 1;
    survivor->mode = survivor->in_window == 1 ? RESTART_KEEP : RESTART_LOSE;
    survivor->words = 0;
    put(survivor, what);
    put_hex(survivor, a);
    put_hex(survivor, b);
    survivor_seal();
}

static void tell(const struct survivor *survivor) {
    if (survivor->in_window > 2)
        return;
    console_text("glovebox: restart ");
    console_decimal(survivor->restarts);
    console_text(survivor->mode == RESTART_KEEP ? " in place" : " in place, losing all vGPUs");
    console_line_end();
}

/* --- the road ----------------------------------------------------------------------------------------------------- */

static _Noreturn void run(void) {
    restart_prepare();
    loop_run();
}

_Noreturn void restart_after_panic(const char *what, uint64_t a, uint64_t b) {
    struct survivor *survivor = survivor_open();
    if (survivor && !ending) {
        note(survivor, what, a, b);
        tell(survivor);
        if (survivor->in_window <= 2)
            machine_restart(run);
    }
    restart_end();
}

/* Windows first: what they show is the guests', and clearing memory must not reach it. Then the request that we were
 * answering, because whoever waits for it has waited longest. */
void restart_prepare(void) {
    panic_is_told();
    guest_pages_take_back();
    checksum_window_take_back();
    server_answer_interrupted();
    machine_reset_memory();
    const struct survivor *survivor = survivor_open();
    if (survivor)
        boot_again(survivor->info);
    else
        restart_end();
}

_Noreturn void restart_end(void) {
    if (!ending) {
        ending = true;
        if (server_give_all_back()) {
            console_text("glovebox: no restart: requests answered, ioreq servers given back, stopping");
            console_line_end();
        }
        guest_pages_take_back(); /* or guests could not end while somebody looks at what is left of us */
    }
    struct sched_shutdown crash = {.reason = SHUTDOWN_crash};
    for (;;)
        hypercall_sched_op(SCHEDOP_shutdown, &crash);
}
