/* SPDX-License-Identifier: MIT */
/*
 * Guests' pages that stay mapped: they cost hypercalls once, always show what the guest has there now, and are given up
 * when the guest gives them back, when we take or move them, and when its server goes.
 */
#include <stdlib.h>
#include <string.h>

#include "guest_pages.h"
#include "machine.h"
#include "scenario.h"
#include "shim_limits.h"

#define TAG 3u
#define SETS (GUEST_PAGES_MAX / 4u) /* numbers so far apart share the same few places */
#define RIVALS 9u
#define OPERATIONS 6000u /* each guest gives pages back more often than there are generations */
#define RANDOM_PAGES 48u
#define MOVED_GFN 0x50000u
#define MOVED_PAGES 20u

static uint32_t serve(domid_t domid) {
    int32_t server = shim_ioreq_server_create(domid, TAG);
    CHECK(server > 0);
    CHECK_EQUAL(shim_ioreq_server_enable((uint32_t)server), FAKE_VCPUS);
    scenario_settle();
    return (uint32_t)server;
}

/* The server goes, and with it all that a scenario may leave. */
static void end(uint32_t server) {
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    scenario_same_ledger();
}

static void read_is(domid_t domid, uint64_t gpa, uint8_t value) {
    CHECK_EQUAL(shim_guest_read(domid, gpa, DOUBLE_SCRATCH_AT, 1), 0);
    CHECK_EQUAL(core.memory[DOUBLE_SCRATCH_AT], value);
}

static void invalidate_only(domid_t domid) {
    uint64_t data;
    fake_trap(domid, 0, &(struct ioreq){.type = IOREQ_TYPE_INVALIDATE, .size = 4, .dir = 0, .data = ~0ul});
    loop_step();
    CHECK(fake_trap_answered(domid, 0, &data));
}

static void invalidate(domid_t domid) {
    invalidate_only(domid);
    scenario_settle();
}

static void cost_once(void) {
    scenario_boot();
    uint32_t server = serve(FAKE_GUEST);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, 0x1ff0, DOUBLE_SCRATCH_AT, 4096), 0);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, 0x3000, DOUBLE_SCRATCH_AT, 1), 0);
    CHECK_EQUAL(fake_ledger().aperture, 3);
    uint64_t before = fake_hypercalls();
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, 0x1000, DOUBLE_SCRATCH_AT, 4096), 0);
    CHECK_EQUAL(shim_guest_write(FAKE_GUEST, 0x3000, DOUBLE_SCRATCH_AT, 4096), 0);
    CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, 0x2000, 0x1000, 4096), 0);
    CHECK_EQUAL(fake_hypercalls(), before);
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, 0x1000, DOUBLE_SCRATCH_AT, 4096), 0); /* no server: not kept */
    scenario_same_ledger();
}

static void given_back_by_the_guest(void) {
    scenario_boot();
    uint32_t server = serve(FAKE_GUEST);
    *fake_guest_byte(FAKE_GUEST, 0x5000) = 1;
    read_is(FAKE_GUEST, 0x5000, 1);
    fake_guest_balloon(FAKE_GUEST, 5);
    *fake_guest_byte(FAKE_GUEST, 0x5000) = 2;
    invalidate(FAKE_GUEST);
    CHECK_EQUAL(fake_ledger().aperture, 0);
    read_is(FAKE_GUEST, 0x5000, 2);
    end(server);
}

/* More often than there are generations, and before anything can go: none of it is ever seen again. */
static void given_back_again_and_again(void) {
    scenario_boot();
    uint32_t server = serve(FAKE_GUEST);
    for (uint32_t round = 1; round < 4; round++) {
        *fake_guest_byte(FAKE_GUEST, 0x7000) = (uint8_t)round;
        read_is(FAKE_GUEST, 0x7000, (uint8_t)round);
        fake_guest_balloon(FAKE_GUEST, 7);
        for (uint32_t i = 0; i < 256; i++)
            guest_pages_outdate(FAKE_GUEST);
        read_is(FAKE_GUEST, 0x7000, 0);
    }
    scenario_settle();
    CHECK_EQUAL(fake_ledger().aperture, 1);
    end(server);
}

static void taken_and_moved_by_us(void) {
    scenario_boot();
    uint32_t server = serve(FAKE_GUEST);
    uint64_t here = (uint64_t)MOVED_GFN << PAGE_SHIFT, there = here + 0x1000000;
    CHECK_EQUAL(shim_guest_populate(FAKE_GUEST, MOVED_GFN, MOVED_PAGES), MOVED_PAGES);
    *fake_guest_byte(FAKE_GUEST, here) = 7;
    read_is(FAKE_GUEST, here, 7);
    CHECK_EQUAL(shim_guest_relocate(FAKE_GUEST, MOVED_GFN, MOVED_GFN + 0x1000, MOVED_PAGES), 0);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, here, DOUBLE_SCRATCH_AT, 1), -XEN_EINVAL);
    read_is(FAKE_GUEST, there, 7);
    CHECK_EQUAL(shim_guest_depopulate(FAKE_GUEST, MOVED_GFN + 0x1000, MOVED_PAGES), MOVED_PAGES);
    CHECK_EQUAL(fake_ledger().aperture, 0);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, there, DOUBLE_SCRATCH_AT, 1), -XEN_EINVAL);
    end(server);
}

/* What was outdated and is not unmapped yet goes with what we take, too: the guest may be given as much again. */
static void taken_while_outdated(void) {
    scenario_boot();
    uint32_t server = serve(FAKE_GUEST);
    uint64_t here = (uint64_t)MOVED_GFN << PAGE_SHIFT;
    CHECK_EQUAL(shim_guest_populate(FAKE_GUEST, MOVED_GFN, MOVED_PAGES), MOVED_PAGES);
    for (uint32_t i = 0; i < MOVED_PAGES; i++)
        read_is(FAKE_GUEST, here + i * PAGE_BYTES, 0);
    guest_pages_outdate(FAKE_GUEST);
    read_is(FAKE_GUEST, here, 0); /* once more, in the new generation */
    CHECK_EQUAL(fake_ledger().aperture, MOVED_PAGES + 1);
    CHECK_EQUAL(shim_guest_depopulate(FAKE_GUEST, MOVED_GFN, MOVED_PAGES), MOVED_PAGES);
    CHECK_EQUAL(fake_ledger().aperture, 0);
    scenario_settle();
    end(server);
}

static void two_guests(void) {
    scenario_boot();
    uint32_t server = serve(FAKE_GUEST), other = serve(FAKE_OTHER_GUEST);
    *fake_guest_byte(FAKE_GUEST, 0x6000) = 1;
    *fake_guest_byte(FAKE_OTHER_GUEST, 0x6000) = 2;
    for (uint32_t i = 0; i < 3; i++) {
        read_is(FAKE_GUEST, 0x6000, 1);
        read_is(FAKE_OTHER_GUEST, 0x6000, 2);
    }
    invalidate(FAKE_GUEST);
    CHECK_EQUAL(fake_ledger().aperture, 1);
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    CHECK_EQUAL(fake_ledger().aperture, 1);
    read_is(FAKE_OTHER_GUEST, 0x6000, 2);
    end(other);
}

/* More pages than there are places for their numbers: each is right, every time. */
static void rivals(void) {
    scenario_boot();
    uint32_t server = serve(FAKE_GUEST);
    for (uint64_t i = 0; i < RIVALS; i++) {
        CHECK_EQUAL(shim_guest_populate(FAKE_GUEST, 0x10000 + i * SETS, 2), 2);
        for (uint64_t page = 0; page < 2; page++)
            *fake_guest_byte(FAKE_GUEST, (0x10000 + i * SETS + page) << PAGE_SHIFT) = (uint8_t)(2 * i + page + 1);
    }
    for (uint64_t round = 0; round < 200; round++) {
        uint64_t i = round * 7 % RIVALS, page = round / 3 % 2;
        read_is(FAKE_GUEST, (0x10000 + i * SETS + page) << PAGE_SHIFT, (uint8_t)(2 * i + page + 1));
    }
    for (uint64_t i = 1; i < RIVALS; i++) { /* two of them in one call */
        uint64_t src = (0x10000 + (i - 1) * SETS) << PAGE_SHIFT, dst = (0x10000 + i * SETS) << PAGE_SHIFT;
        *fake_guest_byte(FAKE_GUEST, src) = (uint8_t)(100 + i);
        CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, dst, src, 8192), 0);
        CHECK_EQUAL(*fake_guest_byte(FAKE_GUEST, dst), 100 + i);
    }
    CHECK(fake_ledger().aperture < 2 * RIVALS);
    for (uint64_t i = 0; i < RIVALS; i++)
        CHECK_EQUAL(shim_guest_depopulate(FAKE_GUEST, 0x10000 + i * SETS, 2), 2);
    CHECK_EQUAL(fake_ledger().aperture, 0);
    end(server);
}

/* Xen keeps a dead guest for as long as we see pages of it: its memory cannot be taken, and then it is gone. */
static void dead_but_still_there(void) {
    scenario_boot();
    uint32_t server = serve(FAKE_GUEST);
    CHECK_EQUAL(shim_guest_populate(FAKE_GUEST, MOVED_GFN, MOVED_PAGES), MOVED_PAGES);
    read_is(FAKE_GUEST, 0x5000, 0);
    read_is(FAKE_GUEST, (uint64_t)MOVED_GFN << PAGE_SHIFT, 0);
    fake_guest_die(FAKE_GUEST);
    fake_guest_linger(FAKE_GUEST);
    CHECK_EQUAL(shim_guest_depopulate(FAKE_GUEST, MOVED_GFN, MOVED_PAGES), -XEN_ESRCH);
    CHECK_EQUAL(fake_ledger().aperture, 0);
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
}

/* A run of which one page is not there: nothing of it counts, and what was seen before is still right. */
static void a_hole(void) {
    uint64_t last = (uint64_t)(FAKE_GUEST_PAGES - 1) << PAGE_SHIFT;
    scenario_boot();
    uint32_t server = serve(FAKE_GUEST);
    *fake_guest_byte(FAKE_GUEST, last) = 9;
    read_is(FAKE_GUEST, last, 9);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, last - 8192, DOUBLE_SCRATCH_AT, 16384), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, last - 8192, 0, 16384), -XEN_EINVAL);
    CHECK_EQUAL(fake_stale_translations(), 0);
    read_is(FAKE_GUEST, last, 9);
    end(server);
}

/* --- whatever the order ------------------------------------------------------------------------------------------- */

static uint32_t any(uint32_t below) {
    return (uint32_t)rand() % below;
}

static void random_copy(domid_t domid) {
    static uint8_t expected[SHIM_GUEST_COPY_BYTES_MAX];
    uint32_t len = 1 + any(SHIM_GUEST_COPY_BYTES_MAX), room = RANDOM_PAGES * PAGE_BYTES - len;
    uint64_t src = any(room), dst = any(room);
    for (uint32_t i = 0; i < len; i++)
        expected[i] = *fake_guest_byte(domid, src + i);
    CHECK_EQUAL(shim_guest_copy(domid, dst, src, len), 0);
    for (uint32_t i = 0; i < len; i++)
        CHECK_EQUAL(*fake_guest_byte(domid, dst + i), expected[i]);
}

static void random_operation(domid_t domid) {
    uint64_t gfn = any(RANDOM_PAGES), gpa = (gfn << PAGE_SHIFT) + any(PAGE_BYTES);
    switch (any(8)) {
    case 0:
        fake_guest_balloon(domid, gfn);
        invalidate(domid);
        break;
    case 1:
        if (any(8) == 0)
            random_copy(domid);
        break;
    case 2:
        core.memory[DOUBLE_SCRATCH_AT] = (uint8_t)any(256);
        CHECK_EQUAL(shim_guest_write(domid, gpa, DOUBLE_SCRATCH_AT, 1), 0);
        CHECK_EQUAL(*fake_guest_byte(domid, gpa), core.memory[DOUBLE_SCRATCH_AT]);
        break;
    default:
        *fake_guest_byte(domid, gpa) = (uint8_t)any(256);
        read_is(domid, gpa, *fake_guest_byte(domid, gpa));
    }
}

static void whatever_the_order(void) {
    scenario_boot();
    srand(20261127);
    uint32_t server = serve(FAKE_GUEST), other = serve(FAKE_OTHER_GUEST);
    for (uint32_t i = 0; i < OPERATIONS; i++)
        random_operation(any(2) ? FAKE_GUEST : FAKE_OTHER_GUEST);
    CHECK_EQUAL(fake_stale_translations(), 0);
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    end(other);
}

const struct scenario page_scenarios[] = {
    {.name = "pages that stay cost hypercalls once", .run = cost_once},
    {.name = "pages that the guest gives back", .run = given_back_by_the_guest},
    {.name = "pages that are given back again and again", .run = given_back_again_and_again},
    {.name = "pages that we take and move", .run = taken_and_moved_by_us},
    {.name = "pages that we take while they are outdated", .run = taken_while_outdated},
    {.name = "pages of two guests at one number", .run = two_guests},
    {.name = "pages that make room for each other", .run = rivals},
    {.name = "pages with a hole among them", .run = a_hole},
    {.name = "pages of a dead guest that is still there", .run = dead_but_still_there},
    {.name = "pages in whatever order", .run = whatever_the_order},
    {0},
};
