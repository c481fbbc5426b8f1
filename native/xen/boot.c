/* SPDX-License-Identifier: MIT */
/*
 * Start of day, in order. entry.S calls it on our own stack with events masked; everything that can fail here means
 * that there is no domain to run, so it is a panic in words.
 */
#include "boot.h"

#include "cmdline.h"
#include "console.h"
#include "event.h"
#include "grant.h"
#include "loop.h"
#include "machine.h"
#include "module.h"
#include "shim.h"
#include "stat.h"
#include "time.h"
#include "xenstore.h"

void boot_prepare(const struct start_info *info, uint64_t entry_tsc) {
    machine_init(info);
    console_init(info); /* from here on there are words */
    machine_protect();
    event_init(info); /* shared info: time and events */
    stat_note_start(info, entry_tsc);
    cmdline_init(info);
    time_init();
    grant_init();
    xenstore_init(info);
    gb_core.instantiate();
    core_on_start();
    stat_note_ready();
}

_Noreturn void boot(const struct start_info *info, uint64_t entry_tsc) {
    boot_prepare(info, entry_tsc);
    loop_run();
}
