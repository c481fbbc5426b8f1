/* SPDX-License-Identifier: MIT */
/*
 * Each part is bounded: every pending port once, XENSTORE_BATCH messages, one slice of the core's background work. So a
 * guest that traps without end still leaves room for control and for the others.
 */
#include "loop.h"

#include "event.h"
#include "shim.h"
#include "xenstore.h"

bool loop_step(void) {
    event_dispatch(); /* what comes meanwhile is seen by event_wait() */
    bool more = xenstore_service();
    more |= core_on_idle() != 0;
    return more;
}

_Noreturn void loop_run(void) {
    for (;;)
        if (!loop_step())
            event_wait();
}
