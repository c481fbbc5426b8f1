/* SPDX-License-Identifier: MIT */
/*
 * Start of day, in order. entry.S calls it on our own stack with events masked; everything that can fail here means
 * that there is no domain to run, so it is a panic in words.
 */
#include "boot.h"

#include "cmdline.h"
#include "console.h"
#include "instance.h"
#include "event.h"
#include "grant.h"
#include "loop.h"
#include "machine.h"
#include "module.h"
#include "server.h"
#include "shim.h"
#include "stat.h"
#include "survivor.h"
#include "time.h"
#include "xenstore.h"

void boot_prepare(const struct start_info *info, uint64_t entry_tsc) {
    machine_keep_pristine(); /* before anything writes a variable */
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
    survivor_arm(info); /* from here on a panic restarts */
}

void boot_again(const struct start_info *info) {
    machine_init(info);
    console_init(info);
    cmdline_init(info);
    instance_restart();
    server_restart();
    xenstore_init(info);
    event_close_strangers(info->console.domU.evtchn);
    time_init();
    gb_core.instantiate();
    core_on_start();
    server_drop_unclaimed();
    instance_drop_unclaimed();
    event_raise_all();
}

_Noreturn void boot(const struct start_info *info, uint64_t entry_tsc) {
    boot_prepare(info, entry_tsc);
    loop_run();
}
