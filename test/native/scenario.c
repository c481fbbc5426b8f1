/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include "event.h"
#include "machine.h"

static struct ledger at_boot;

void scenario_boot(void) {
    boot_prepare(fake_start(), machine_tsc());
    CHECK(core.started);
    at_boot = fake_ledger();
    CHECK_EQUAL(at_boot.windows, 0);
    CHECK_EQUAL(at_boot.servers, 0);
}

void scenario_same_ledger(void) {
    struct ledger now = fake_ledger();
    CHECK_EQUAL(now.windows, at_boot.windows);
    CHECK_EQUAL(now.aperture, 0);
    CHECK_EQUAL(now.grants, at_boot.grants);
    CHECK_EQUAL(now.ports, at_boot.ports);
    CHECK_EQUAL(now.servers, at_boot.servers);
    CHECK_EQUAL(now.ranges, at_boot.ranges);
    CHECK_EQUAL(now.extra_ram, at_boot.extra_ram);
    CHECK_EQUAL(fake_stale_translations(), 0);
    CHECK_EQUAL(shim_stat(STAT_ARENA_PAGES_USED), 0);
}

void scenario_settle(void) {
    for (uint32_t rounds = 0; loop_step() || event_pending(); rounds++)
        CHECK(rounds < 1000);
}
