/* SPDX-License-Identifier: MIT */
/*
 * While a module polls its guest's rings the loop does not block; it yields, so that it costs nobody else anything.
 * Each part is bounded: every pending port once, XENSTORE_BATCH messages, one slice of the core's background work. So a
 * guest that traps without end still leaves room for control and for the others.
 */
#include "loop.h"

#include "event.h"
#include "hypercalls.h"
#include "shim.h"
#include "xenstore.h"

bool loop_step(void) {
    event_dispatch(); /* what comes meanwhile is seen by event_wait() */
    bool more = xenstore_service();
    uint32_t idle = core_on_idle();
    if (idle == IDLE_POLLS && !more && !event_pending())
        hypercall_sched_op(SCHEDOP_yield, NULL); /* a guest on our pCPU makes what is polled for */
    return more || idle != IDLE_DONE;
}

_Noreturn void loop_run(void) {
    for (;;)
        if (!loop_step())
            event_wait();
}
