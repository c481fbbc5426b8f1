/* SPDX-License-Identifier: MIT */
/*
 * A whole life in one go, written as the core would: each step that fails is undone backwards and the life ends there,
 * with nothing held. main.c runs it once for every hypercall in it, with that one failing.
 */
#include "code_arena.h"
#include "scenario.h"

#define RAM_GFN 0x30000u
#define RAM_PAGES 200u

static void serve(uint32_t vcpu) {
    uint64_t data;
    fake_trap(FAKE_GUEST, vcpu, &(struct ioreq){.addr = 0x100, .dir = 1, .size = 4, .count = 1, .type = 1});
    scenario_settle();
    CHECK(fake_trap_answered(FAKE_GUEST, vcpu, &data));
    CHECK_EQUAL(data, 0x100 ^ DOUBLE_ANSWER);
}

static void use_memory(void) {
    (void)shim_guest_read(FAKE_GUEST, 0xff0, DOUBLE_SCRATCH_AT, 64);
    CHECK_EQUAL(fake_ledger().windows, 1); /* the ioreq page and nothing else */
    (void)shim_guest_write(FAKE_GUEST, 0xff0, DOUBLE_SCRATCH_AT, 64);
    (void)shim_guest_crc32(FAKE_GUEST, 0, 4096, 4096, 20, 0);
    CHECK_EQUAL(fake_ledger().windows, 1);
    if (shim_share_grant(0, 2) < 0)
        return;
    (void)shim_share_copy_guest(FAKE_GUEST, 0, 0, 8192);
    CHECK_EQUAL(shim_share_revoke(), 0);
}

static void use_ram(void) {
    int32_t done = shim_guest_populate(FAKE_GUEST, RAM_GFN, RAM_PAGES);
    uint32_t pages = done < 0 ? 0 : (uint32_t)done;
    uint64_t gfn = RAM_GFN;
    if (pages && shim_guest_relocate(FAKE_GUEST, gfn, gfn + 0x1000, pages) == 0)
        gfn += 0x1000;
    while (pages) {
        done = shim_guest_depopulate(FAKE_GUEST, gfn, pages);
        if (done <= 0)
            done = shim_guest_depopulate(FAKE_GUEST, gfn, pages);
        CHECK(done > 0);
        gfn += (uint32_t)done;
        pages -= (uint32_t)done;
    }
}

static void use_interrupts(void) {
    (void)shim_inject_msi(FAKE_GUEST, 0xfee00000, 1);
    (void)shim_set_pci_intx_level(FAKE_GUEST, 1, 0, 1);
}

/* One goes, and comes back by the other road. */
static void use_modules(void) {
    uint32_t len;
    const uint8_t *file = fake_ramdisk_file("greedy-1.gbx", &len);
    if (shim_module_unload(1))
        return;
    uint32_t pages = code_pages_used();
    int32_t slot = shim_module_load(0, fake_offer_file(file, len, 0), len);
    CHECK(slot == 1 || code_pages_used() == pages);
}

static void use_server(uint32_t server) {
    if (shim_ioreq_range_map(server, XEN_DMOP_IO_RANGE_MEMORY, 0xfe000000, 0xfe000fff) < 0)
        return;
    if (shim_ioreq_server_enable(server) < 0)
        return;
    scenario_settle();
    serve(0);
    use_memory();
    use_ram();
    use_interrupts();
    shim_set_timer(shim_time_ns() + 1000);
    serve(FAKE_VCPUS - 1);
    (void)shim_ioreq_range_unmap(server, XEN_DMOP_IO_RANGE_MEMORY, 0xfe000000, 0xfe000fff);
}

void scenario_whole_life(void) {
    scenario_boot();
    (void)shim_xenstore_send(XS_READ, 1, DOUBLE_SCRATCH_AT, 5);
    int32_t server = shim_ioreq_server_create(FAKE_GUEST, 1);
    if (server > 0) {
        use_server((uint32_t)server);
        if (shim_ioreq_server_destroy((uint32_t)server))
            CHECK_EQUAL(shim_ioreq_server_destroy((uint32_t)server), 0); /* asked again, it does the rest */
    }
    use_modules();
    scenario_settle();
    CHECK_EQUAL(fake_hung_vcpus(), 0);
    scenario_same_ledger();
}
