/* SPDX-License-Identifier: MIT */
/* ioreq servers: every form of request, vCPUs side by side, and guests or cores that go away in the middle. */
#include "event.h"
#include "scenario.h"

#define TAG 77u

static uint32_t attach(void) {
    int32_t server = shim_ioreq_server_create(FAKE_GUEST, TAG);
    CHECK(server > 0);
    CHECK_EQUAL(shim_ioreq_server_enable((uint32_t)server), FAKE_VCPUS);
    scenario_settle(); /* binding raised every port; there is nothing to do */
    CHECK_EQUAL(core.ioreqs, 0);
    return (uint32_t)server;
}

static uint64_t round_trip(const struct ioreq *request) {
    uint64_t data = 0;
    fake_trap(FAKE_GUEST, 1, request);
    scenario_settle();
    CHECK(fake_trap_answered(FAKE_GUEST, 1, &data));
    return data;
}

static void every_form(void) {
    scenario_boot();
    uint32_t server = attach(), served = 0;
    for (uint8_t type = 0; type <= IOREQ_TYPE_INVALIDATE; type++)
        for (uint32_t flags = 0; flags < 8; flags++)
            for (uint32_t size = 1; size <= 8; size *= 2) {
                struct ioreq request = {.addr = 0xfe000000ul + size, .data = 0x1122334455667788ul, .count = flags + 1,
                                        .size = size, .type = type, .dir = flags & 1, .df = flags >> 1 & 1,
                                        .data_is_ptr = flags >> 2 & 1};
                uint64_t got = round_trip(&request);
                bool is_plain_read = request.dir && !request.data_is_ptr;
                CHECK_EQUAL(got, is_plain_read ? request.addr ^ DOUBLE_ANSWER : request.data);
                CHECK_EQUAL(core.ioreqs, ++served);
                CHECK_EQUAL(core.last.tag, TAG);
                CHECK_EQUAL(core.last.vcpu, 1);
                CHECK_EQUAL(core.last.type, type);
                CHECK_EQUAL(core.last.flags, flags);
                CHECK_EQUAL(core.last.addr, request.addr);
                CHECK_EQUAL(core.last.data, request.data);
                CHECK_EQUAL(core.last.count, request.count);
                CHECK_EQUAL(core.last.size, size);
            }
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    scenario_same_ledger();
}

static void all_vcpus_at_once(void) {
    scenario_boot();
    uint32_t server = attach();
    for (uint32_t vcpu = 0; vcpu < FAKE_VCPUS; vcpu++)
        fake_trap(FAKE_GUEST, vcpu, &(struct ioreq){.addr = vcpu, .dir = 1, .size = 4, .count = 1, .type = 1});
    loop_step();
    CHECK_EQUAL(core.ioreqs, FAKE_VCPUS); /* one round serves them all */
    for (uint32_t vcpu = 0; vcpu < FAKE_VCPUS; vcpu++) {
        uint64_t data;
        CHECK(fake_trap_answered(FAKE_GUEST, vcpu, &data));
        CHECK_EQUAL(data, vcpu ^ DOUBLE_ANSWER);
    }
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    scenario_same_ledger();
}

/* A request that is pending when the server goes gets all ones; nobody hangs. */
static void destroy_with_pending(void) {
    uint64_t data = 0;
    scenario_boot();
    uint32_t server = attach();
    fake_trap(FAKE_GUEST, 0, &(struct ioreq){.addr = 1, .data = 5, .dir = 1, .size = 4, .count = 1, .type = 1});
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    CHECK_EQUAL(fake_hung_vcpus(), 0);
    CHECK_EQUAL(core.ioreqs, 0);
    CHECK(!fake_trap_answered(FAKE_GUEST, 0, &data)); /* its slot went with the server */
    scenario_same_ledger();
}

static uint32_t doomed;

static uint64_t destroy_within(const struct double_ioreq *request) {
    (void)request;
    CHECK_EQUAL(shim_ioreq_server_destroy(doomed), 0);
    return 1;
}

static void destroy_while_answering(void) {
    scenario_boot();
    doomed = attach();
    core.on_ioreq = destroy_within;
    fake_trap(FAKE_GUEST, 2, &(struct ioreq){.addr = 1, .dir = 1, .size = 4, .count = 1, .type = 1});
    scenario_settle();
    CHECK_EQUAL(fake_hung_vcpus(), 0);
    scenario_same_ledger();
}

static uint8_t flipped;

static uint64_t flip_within(const struct double_ioreq *request) {
    fake_trap_flip(FAKE_GUEST, request->vcpu, flipped);
    return 1;
}

/*
 * The state changes under us while the core answers (XSA-262 the other way round). A slot that is not INPROCESS any
 * more is not ours: it stays as it is, whatever that is, and the next request is served as ever.
 */
static void flipped_while_answering(void) {
    scenario_boot();
    uint32_t server = attach();
    struct ioreq request = {.addr = 1, .dir = 1, .size = 4, .count = 1, .type = IOREQ_TYPE_COPY};
    for (flipped = STATE_IOREQ_NONE; flipped <= STATE_IORESP_READY; flipped++) {
        if (flipped == STATE_IOREQ_INPROCESS)
            continue;
        core.on_ioreq = flip_within;
        fake_trap(FAKE_GUEST, 0, &request);
        scenario_settle();
        CHECK_EQUAL(fake_trap_state(FAKE_GUEST, 0), flipped);
        core.on_ioreq = NULL;
        fake_trap_flip(FAKE_GUEST, 0, STATE_IOREQ_NONE);
        CHECK_EQUAL(round_trip(&request), request.addr ^ DOUBLE_ANSWER);
    }
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    scenario_same_ledger();
}

/*
 * Destroying a server in the handler of one of its ports leaves the others in the round that is under way; they are
 * silenced. Who gets their numbers next must not inherit that: Xen does not raise a pending port twice.
 */
static void silenced_port(void) {
    scenario_boot();
    doomed = attach();
    core.on_ioreq = destroy_within;
    for (uint32_t vcpu = 0; vcpu < FAKE_VCPUS; vcpu++)
        fake_trap(FAKE_GUEST, vcpu, &(struct ioreq){.addr = 1, .dir = 1, .size = 4, .count = 1, .type = 1});
    scenario_settle();
    CHECK_EQUAL(fake_hung_vcpus(), 0);
    volatile uint64_t *mask = (volatile uint64_t *)event_shared_info()->evtchn_mask;
    CHECK(mask[0] != 0);
    mask[0] = ~0ul; /* all numbers that can come next */
    core.on_ioreq = NULL;
    core.ioreqs = 0;
    uint32_t server = attach();
    for (uint32_t vcpu = 0; vcpu < FAKE_VCPUS; vcpu++)
        fake_trap(FAKE_GUEST, vcpu, &(struct ioreq){.addr = 1, .dir = 1, .size = 4, .count = 1, .type = 1});
    scenario_settle();
    CHECK_EQUAL(core.ioreqs, FAKE_VCPUS);
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    scenario_same_ledger();
}

static void dead_guest(void) {
    scenario_boot();
    uint32_t server = attach();
    CHECK_EQUAL(shim_ioreq_range_map(server, XEN_DMOP_IO_RANGE_MEMORY, 0, 0xfff), 0);
    fake_trap(FAKE_GUEST, 0, &(struct ioreq){.addr = 1, .dir = 1, .size = 4, .count = 1, .type = 1});
    fake_guest_die(FAKE_GUEST);
    scenario_settle(); /* the request is answered into a page that only we still hold */
    CHECK_EQUAL(shim_ioreq_range_unmap(server, XEN_DMOP_IO_RANGE_MEMORY, 0, 0xfff), -XEN_ESRCH);
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    CHECK_EQUAL(shim_ioreq_server_create(FAKE_GUEST, TAG), -XEN_ESRCH);
    scenario_same_ledger();
}

static void ranges(void) {
    scenario_boot();
    uint32_t server = attach();
    CHECK_EQUAL(shim_ioreq_range_map(server, XEN_DMOP_IO_RANGE_PCI, 8, 8), 0);
    CHECK_EQUAL(shim_ioreq_range_map(server, XEN_DMOP_IO_RANGE_PORT, 9, 8), -XEN_EINVAL);
    CHECK_EQUAL(fake_ledger().ranges, 1);
    CHECK_EQUAL(shim_ioreq_range_unmap(server, XEN_DMOP_IO_RANGE_PCI, 8, 8), 0);
    CHECK_EQUAL(shim_ioreq_range_unmap(server, XEN_DMOP_IO_RANGE_PCI, 8, 8), -XEN_ENOENT);
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    scenario_same_ledger();
}

static void bad_domids(void) {
    scenario_boot();
    uint64_t before = fake_hypercalls();
    CHECK_EQUAL(shim_ioreq_server_create(DOMID_SELF, 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_ioreq_server_create(0x10005, 1), -XEN_EINVAL); /* not guest 5 */
    CHECK_EQUAL(shim_inject_msi(DOMID_XEN, 0, 0), -XEN_EINVAL);
    CHECK_EQUAL(shim_set_pci_intx_level(FAKE_GUEST, 32, 0, 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_set_pci_intx_level(FAKE_GUEST, 1, 4, 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_set_pci_intx_level(FAKE_GUEST, 1, 0, 2), -XEN_EINVAL);
    CHECK_EQUAL(fake_hypercalls(), before);
    CHECK_EQUAL(shim_ioreq_server_create(99, 1), -XEN_ESRCH);
    scenario_same_ledger();
}

static void stale_handle(void) {
    scenario_boot();
    uint32_t first = attach();
    CHECK_EQUAL(shim_ioreq_server_destroy(first), 0);
    uint32_t second = (uint32_t)shim_ioreq_server_create(FAKE_GUEST, TAG);
    CHECK(second != first && (second & 0xff) == (first & 0xff));
    shim_ioreq_server_destroy(first);
}

static void too_many(void) {
    scenario_boot();
    int32_t server;
    uint32_t made = 0;
    while ((server = shim_ioreq_server_create(FAKE_GUEST, 0)) > 0)
        made++;
    CHECK_EQUAL(made, 8); /* Xen's limit for one guest comes before ours */
    CHECK_EQUAL(server, -XEN_ENOSPC);
}

static void interrupts(void) {
    scenario_boot();
    CHECK_EQUAL(shim_inject_msi(FAKE_GUEST, 0xfee00000, 0x41), 0);
    CHECK_EQUAL(fake_msis(), 1);
    CHECK_EQUAL(fake_last_msi(), 0xfee00041);
    CHECK_EQUAL(shim_set_pci_intx_level(FAKE_GUEST, 31, 3, 1), 0);
    scenario_same_ledger();
}

static void timer(void) {
    scenario_boot();
    uint64_t deadline = shim_time_ns() + 1000;
    shim_set_timer(deadline);
    CHECK_EQUAL(fake_timer_deadline(), deadline);
    fake_fire_timer();
    scenario_settle();
    CHECK_EQUAL(core.timers, 1);
    shim_set_timer(0);
    CHECK_EQUAL(fake_timer_deadline(), 0);
    CHECK(shim_wall_ns() > 1000ul * 1000000000ul + 5000000000ul);
    CHECK(shim_stat(STAT_READY_NS) > shim_stat(STAT_ENTRY_NS));
    CHECK_EQUAL(shim_stat(STAT_MEMORY_PAGES), 4096);
    CHECK_EQUAL(shim_stat(99), 0);
    scenario_same_ledger();
}

/* Before each slice others may run; what they took is worked for before they may again. */
static void gives_way(void) {
    static const struct {
        uint64_t works_ns, others_ns, yields;
    } STEPS[] = {{0, 0, 1}, {0, 0, 1}, {0, 1000000, 1}, {0, 1000000, 0}, {900000, 1000000, 0}, {200000, 0, 1},
        {0, 0, 1}};
    scenario_boot();
    for (uint32_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
        uint64_t yields = fake_yields();
        fake_advance_clock(STEPS[i].works_ns);
        fake_yield_takes(STEPS[i].others_ns);
        core.idle_slices = IDLE_MORE;
        scenario_settle();
        CHECK_EQUAL(fake_yields() - yields, STEPS[i].yields);
    }
    scenario_same_ledger();
}

/* What Xen gives to others passes, and is not ours. */
static void stolen_time(void) {
    scenario_boot();
    uint64_t time = shim_time_ns(), ran = shim_stat(STAT_RUN_NS);
    fake_advance_clock(1000);
    fake_steal(5000000);
    fake_advance_clock(2000);
    ran = shim_stat(STAT_RUN_NS) - ran;
    CHECK(shim_time_ns() - time >= 5003000);
    CHECK(ran >= 3000 && ran < 4000); /* the fake's clock goes on by itself, a little */
    scenario_same_ledger();
}

static void idle_work(void) {
    scenario_boot();
    core.idle_slices = 3;
    scenario_settle();
    CHECK_EQUAL(core.idles, 4); /* three with more to come, one with none */
}

/* While the loop looks Xen is told nothing (its own bit stays set); what comes is found, and a vain look ends. */
static void busy_wait(void) {
    scenario_boot();
    uint32_t server = attach();
    shim_set_busy_wait(200000);
    uint64_t start = shim_time_ns(), blocks = shim_stat(STAT_BLOCKS);
    event_wait();
    CHECK(shim_time_ns() - start >= 200000);
    CHECK_EQUAL(shim_stat(STAT_BLOCKS), blocks + 1); /* nothing came: it blocks, and Xen will tell */
    CHECK(!event_pending());
    for (uint32_t i = 0; i < 100; i++) {
        struct ioreq request = {.addr = i, .dir = 1, .size = 4, .count = 1, .type = IOREQ_TYPE_COPY};
        uint64_t data;
        fake_trap(FAKE_GUEST, 0, &request);
        event_wait();
        CHECK(event_pending());
        CHECK(!loop_step());
        CHECK(fake_trap_answered(FAKE_GUEST, 0, &data));
    }
    CHECK_EQUAL(shim_stat(STAT_BLOCKS), blocks + 1); /* what was there already needs no block */
    CHECK_EQUAL(core.ioreqs, 100);
    CHECK_EQUAL(shim_ioreq_server_destroy(server), 0);
    scenario_same_ledger();
}

const struct scenario service_scenarios[] = {
    {.name = "every form of request", .run = every_form},
    {.name = "all vCPUs at once", .run = all_vcpus_at_once},
    {.name = "destroy with a request pending", .run = destroy_with_pending},
    {.name = "destroy while answering", .run = destroy_while_answering},
    {.name = "a state that flips while answering", .run = flipped_while_answering},
    {.name = "a port number that was silenced", .run = silenced_port},
    {.name = "the guest dies", .run = dead_guest},
    {.name = "ranges", .run = ranges},
    {.name = "domids and interrupt numbers that cannot be", .run = bad_domids},
    {.name = "a stale server handle is a panic", .run = stale_handle, .panics = true},
    {.name = "more servers than Xen has", .run = too_many},
    {.name = "interrupts", .run = interrupts},
    {.name = "timer and clocks", .run = timer},
    {.name = "idle work", .run = idle_work},
    {.name = "stolen time", .run = stolen_time},
    {.name = "gives way", .run = gives_way},
    {.name = "busy-wait", .run = busy_wait},
    {0},
};
