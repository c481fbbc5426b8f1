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
#include "instance.h"
#include "loader.h"
#include "loop.h"
#include "machine.h"
#include "module_table.h"
#include "server.h"
#include "shim.h"
#include "stat.h"
#include "survivor.h"
#include "time.h"
#include "xenstore.h"

/* Without modules there is nothing to attach, but everything else works, and one can be loaded later. */
static void take_ramdisk(const struct start_info *info) {
    if (info->flags & SIF_MOD_START_PFN)
        loader_refuse_ramdisk("given by frame number (SIF_MOD_START_PFN), which we did not ask for");
    else if (!info->mod_start || !info->mod_len)
        loader_refuse_ramdisk("there is none, so there are no modules");
    else
        loader_take_ramdisk((const uint8_t *)info->mod_start, info->mod_len);
}

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
    take_ramdisk(info);
    gb_core.instantiate();
    core_on_start();
    stat_note_ready();
    survivor_arm(info); /* from here on a panic restarts */
}

void boot_again(const struct start_info *info) {
    machine_init(info);
    console_init(info);
    cmdline_init(info);
    module_restart();
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
