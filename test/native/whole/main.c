/* SPDX-License-Identifier: MIT */
/*
 * The whole driver domain on this machine: the shim, the real core as wasm2c made it into C, under ASan, and the real
 * modules as the packer made them, on the fake hypervisor and a small xenstored. A guest gets two vGPUs, sets them up
 * as
 * an operating system does, then throws random requests; at the end everything must have been given back. Then a short
 * life with every hypercall failing once.
 *
 *   whole_test [RUNS [SEED]]      RUNS of random requests (5), each with the next seed (1)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "event.h"
#include "fake/child.h"
#include "fake/fake.h"
#include "loop.h"
#include "machine.h"
#include "shim.h"
#include "store.h"

#define REQUESTS 20000u
#define VRAM 0xe0000000u
#define REGISTERS 0xf0000000u
#define TEST_BAR 0xf1000000u
#define TEST_PORT 0xc000u
#define DISPLAY "data/glovebox/vgpu/5/0"
#define TEST_DEVICE "data/glovebox/vgpu/5/1"

static uint64_t seed = 1;

/* Until neither side has anything to say. */
static void settle(void) {
    bool busy = true;
    for (uint32_t rounds = 0; busy; rounds++) {
        busy = loop_step() || event_pending();
        busy |= store_step();
        CHECK(rounds < 100000);
    }
}

/* --- a guest's accesses ------------------------------------------------------------------------------------------- */

static uint64_t trap(struct ioreq request, uint32_t vcpu) {
    uint64_t data = 0;
    fake_trap(FAKE_GUEST, vcpu, &request);
    for (uint32_t rounds = 0; !fake_trap_answered(FAKE_GUEST, vcpu, &data); rounds++) {
        CHECK(rounds < 100); /* no vCPU waits for ever */
        loop_step();
    }
    return data;
}

static uint64_t config_address(uint32_t device, uint32_t offset) {
    return (uint64_t)device << 35 | offset; /* hvm/ioreq.h: bus, device and function above the offset */
}

static uint32_t config_read(uint32_t device, uint32_t offset) {
    return (uint32_t)trap((struct ioreq){.addr = config_address(device, offset), .size = 4, .count = 1, .dir = 1,
                                         .type = IOREQ_TYPE_PCI_CONFIG}, 0);
}

static void config_write(uint32_t device, uint32_t offset, uint32_t value) {
    trap((struct ioreq){.addr = config_address(device, offset), .data = value, .size = 4, .count = 1,
                        .type = IOREQ_TYPE_PCI_CONFIG}, 0);
}

static uint64_t memory_read(uint64_t gpa, uint32_t size) {
    return trap((struct ioreq){.addr = gpa, .size = size, .count = 1, .dir = 1, .type = IOREQ_TYPE_COPY}, 1);
}

/* --- set up ------------------------------------------------------------------------------------------------------- */

static void attach(void) {
    store_write(DISPLAY, "module=bochs-display guest=pvh vram_bytes=4194304");
    store_write(TEST_DEVICE, "module=register-file guest=pvh");
    settle();
}

static bool is_ready(const char *vgpu) {
    char path[64];
    snprintf(path, sizeof(path), "%s/state", vgpu);
    return store_value(path) && strcmp(store_value(path), "ready") == 0;
}

static void place_bars(void) {
    config_write(1, 0x10, VRAM);
    config_write(1, 0x18, REGISTERS);
    config_write(1, 0x04, 2);
    config_write(2, 0x10, TEST_BAR);
    config_write(2, 0x14, TEST_PORT);
    config_write(2, 0x04, 3);
}

static void check_devices(void) {
    CHECK_EQUAL(config_read(1, 0), 0x11111234);
    CHECK_EQUAL(config_read(2, 0), 0x6762fffe);
    CHECK_EQUAL(config_read(3, 0), 0xffffffff);
    CHECK_EQUAL(config_read(1, 0x10) & ~0xfu, VRAM);
    CHECK_EQUAL(memory_read(REGISTERS + 0x500, 2) & 0xfff0, 0xb0c0); /* the display's version register */
    CHECK_EQUAL(fake_ledger().extra_ram, 1024);                      /* 4 MiB of VRAM, given once */
    CHECK(fake_guest_mfn(FAKE_GUEST, VRAM >> 12) != 0);
}

/* --- random requests ---------------------------------------------------------------------------------------------- */

static uint64_t random_number(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t one_of(const uint64_t *list, uint32_t count) {
    return list[random_number() % count];
}

static uint64_t random_address(uint8_t type) {
    static const uint64_t memory[] = {VRAM, REGISTERS + 0x400, REGISTERS + 0x500, TEST_BAR, 0, 0xfee00000, ~0ul << 12};
    static const uint64_t ports[] = {0xcf8, 0xcfc, TEST_PORT, 0, 0xfff8};
    if (type == IOREQ_TYPE_PCI_CONFIG)
        return config_address((uint32_t)(random_number() % 4), (uint32_t)(random_number() % 0x104));
    if (type == IOREQ_TYPE_PIO)
        return one_of(ports, 5) + random_number() % 20;
    return one_of(memory, 7) + random_number() % 0x1010;
}

static struct ioreq random_request(void) {
    static const uint64_t types[] = {IOREQ_TYPE_PIO, IOREQ_TYPE_COPY, IOREQ_TYPE_COPY, IOREQ_TYPE_PCI_CONFIG,
                                     IOREQ_TYPE_TIMEOFFSET, IOREQ_TYPE_INVALIDATE, 3};
    uint8_t type = (uint8_t)one_of(types, 7);
    uint64_t dice = random_number();
    struct ioreq request = {
        .addr = random_address(type),
        .data = dice & 1 ? random_number() : random_number() % 0x300,
        .count = dice & 14 ? 1 : (uint32_t)(random_number() % 70),
        .size = 1u << (dice >> 8) % 4,
        .type = type,
        .dir = dice >> 16 & 1,
        .df = dice >> 17 & 1,
        .data_is_ptr = (dice >> 18 & 15) == 0,
    };
    if (request.data_is_ptr && dice >> 30 & 1)
        request.data = random_number() % (FAKE_GUEST_PAGES * 4096ul);
    return request;
}

static void throw_requests(void) {
    for (uint32_t i = 0; i < REQUESTS; i++) {
        trap(random_request(), (uint32_t)(random_number() % FAKE_VCPUS));
        if (random_number() % 64 == 0)
            place_bars(); /* or most of what follows would meet nothing */
        if (random_number() % 256 == 0)
            settle();
    }
}

/* --- lives -------------------------------------------------------------------------------------------------------- */

static void detach(void) {
    store_remove(DISPLAY);
    store_remove(TEST_DEVICE);
    settle();
}

/* Taking back is asked for once. When Xen refuses exactly that, what it refused to take stays, and nothing else. */
static bool was_refused(const char *hypercall) {
    return strcmp(fake_failed_name(), hypercall) == 0;
}
#define DECREASE_RESERVATION "hypercall 12 op 1"
#define DESTROY_IOREQ_SERVER "hypercall 41 op 6"

static void check_given_back(struct ledger before) {
    struct ledger now = fake_ledger();
    CHECK_EQUAL(now.windows, before.windows);
    CHECK_EQUAL(now.aperture, before.aperture);
    CHECK_EQUAL(now.grants, before.grants);
    CHECK_EQUAL(now.ports, before.ports);
    CHECK(now.servers == before.servers || was_refused(DESTROY_IOREQ_SERVER));
    CHECK(now.extra_ram == before.extra_ram || was_refused(DECREASE_RESERVATION));
    CHECK_EQUAL(fake_stale_translations(), 0);
    CHECK_EQUAL(fake_hung_vcpus(), 0);
    CHECK_EQUAL(shim_stat(STAT_ARENA_PAGES_USED), 0);
}

static struct ledger boot_domain(void) {
    boot_prepare(fake_start(), machine_tsc());
    fake_set_free_pages(1200);
    settle();
    CHECK(strcmp(store_value("data/glovebox/state"), "ready") == 0);
    return fake_ledger();
}

static void random_life(void) {
    struct ledger before = boot_domain();
    attach();
    CHECK(is_ready(DISPLAY) && is_ready(TEST_DEVICE));
    place_bars();
    check_devices();
    throw_requests();
    detach();
    check_given_back(before);
}

/* With a hypercall failing somewhere: a vGPU may be refused or lost, but nothing may stay behind. */
static void short_life(void) {
    struct ledger before = boot_domain();
    attach();
    if (fake_ledger().servers) {
        place_bars();
        (void)config_read(1, 0);
        (void)memory_read(REGISTERS + 0x500, 2);
        config_write(1, 0x10, VRAM + 0x1000000);
        place_bars();
    }
    store_write("data/glovebox/request", "1 stat");
    settle();
    detach();
    check_given_back(before);
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static char output[1 << 20];
static uint32_t failed;

static void verdict(bool good, const char *what, uint64_t number) {
    printf("%s %s %llu\n%s", good ? "ok  " : "FAIL", what, (unsigned long long)number, good ? "" : output);
    failed += !good;
}

static void run_failures(long answer) {
    unsigned long long total = 0;
    uint32_t panics = 0;
    bool good = child_run(short_life, 0, 0, output, sizeof(output)) == 0;
    const char *count = strstr(output, "HYPERCALLS ");
    good = good && count && sscanf(count, "HYPERCALLS %llu", &total) == 1;
    verdict(good, "a short life", total);
    for (uint64_t nth = 1; nth <= total && good; nth++) {
        int code = child_run(short_life, nth, answer, output, sizeof(output));
        bool due = code == FAKE_PANIC_EXIT && child_panic_is_due(output);
        panics += due;
        if (code != 0 && !due)
            verdict(false, "with this hypercall failing:", nth);
    }
    printf("     %llu hypercalls failed with %ld: %u panics that are due\n", total, answer, panics);
}

int main(int argc, char **argv) {
    uint64_t runs = argc > 1 ? strtoull(argv[1], NULL, 0) : 5;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    for (uint64_t run = 0; run < runs; run++) {
        seed = (first + run) * 0x9e3779b97f4a7c15ul;
        verdict(child_run(random_life, 0, 0, output, sizeof(output)) == 0, "random requests, seed", first + run);
    }
    run_failures(-XEN_EINVAL);
    run_failures(-XEN_ENOMEM);
    return failed ? 1 : 0;
}
