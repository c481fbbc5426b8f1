/* SPDX-License-Identifier: MIT */
/*
 * Each part is bounded: every pending port once, XENSTORE_BATCH messages, one slice of the core's background work. So a
 * guest that traps without end still leaves room for control and for the others.
 *
 * As long as there is background work the loop does not block, but gives way before each slice: a guest on our pCPU
 * that was just answered or interrupted goes on before it, and what it asks for then is answered before it, too,
 * ROUNDS_MAX times. What giving way took we work for before we give way again, so whoever only computes there gets no
 * more than half of the pCPU (docs/decisions/0023).
 */
#include "loop.h"

#include "event.h"
#include "guest_pages.h"
#include "hypercalls.h"
#include "shim.h"
#include "time.h"
#include "xenstore.h"

#define ROUNDS_MAX 4

static uint32_t idle; /* what the core answered last: IDLE_* */
static uint64_t work_until_ns; /* of our own running time */

/* Who only polls loses nothing by giving way: what it polls for is made by a guest. */
static bool may_give_way(void) {
    return idle == IDLE_POLLS || time_run_ns() >= work_until_ns;
}

static void give_way(void) {
    uint64_t waited = time_waited_ns();
    hypercall_sched_op(SCHEDOP_yield, NULL);
    work_until_ns = time_run_ns() + (time_waited_ns() - waited);
}

/* True: something came, which may be in a ring that was looked at before. */
static bool let_others(void) {
    uint32_t rounds = 0;
    for (; rounds < ROUNDS_MAX; rounds++) {
        if (!event_pending() && may_give_way())
            give_way();
        if (!event_pending())
            break;
        event_dispatch();
    }
    return rounds > 0;
}

bool loop_step(void) {
    event_dispatch(); /* what comes meanwhile is seen by event_wait() */
    bool more = xenstore_service();
    bool sweeps = guest_pages_sweep();
    if ((idle != IDLE_DONE || sweeps) && !more)
        more = let_others();
    idle = core_on_idle();
    return more || sweeps || idle != IDLE_DONE;
}

_Noreturn void loop_run(void) {
    for (;;)
        if (!loop_step())
            event_wait();
}
