/* SPDX-License-Identifier: MIT */
/*
 * Each part is bounded: every pending port once, XENSTORE_BATCH messages, one slice of the core's background work. So a
 * guest that traps without end still leaves room for control and for the others. While there is background work, or a
 * module polls its guest's rings, the loop does not block, and must let others on our pCPU run: who polls yields each
 * time, since a guest makes what is polled for; who works does so when Xen's rate limit is over (docs/decisions/0023).
 */
#include "loop.h"

#include "event.h"
#include "hypercalls.h"
#include "shim.h"
#include "time.h"
#include "xenstore.h"

bool loop_step(void) {
    event_dispatch(); /* what comes meanwhile is seen by event_wait() */
    bool more = xenstore_service();
    uint32_t idle = core_on_idle();
    bool polls = idle == IDLE_POLLS && !more && !event_pending();
    if (polls || (idle == IDLE_MORE && time_to_share()))
        hypercall_sched_op(SCHEDOP_yield, NULL);
    return more || idle != IDLE_DONE;
}

_Noreturn void loop_run(void) {
    for (;;)
        if (!loop_step())
            event_wait();
}
