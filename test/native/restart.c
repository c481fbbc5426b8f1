/* SPDX-License-Identifier: MIT */
/*
 * Restart in place: a panic with requests pending, and everything as it was afterwards. The core here takes on what it
 * had, as the real one does; test/core looks at that one.
 */
#include <string.h>

#include "code_arena.h"
#include "module_table.h"
#include "restart.h"
#include "scenario.h"
#include "shim_limits.h"
#include "survivor.h"

#define TAG 3u
#define BAR 0xfe000000ul

static struct {
    uint32_t server, instance; /* 0: none */
    int32_t adopted;           /* what shim_instance_adopt() answered */
    uint32_t mode;
    uint32_t starts;
} kept;

/* --- the core's side ---------------------------------------------------------------------------------------------- */

static void claim(uint32_t server) {
    (void)shim_ioreq_range_map(server, XEN_DMOP_IO_RANGE_MEMORY, BAR, BAR + 0xfff);
    (void)shim_ioreq_range_map(server, XEN_DMOP_IO_RANGE_PCI, 8, 8);
}

/* The order of core/restart: server, ranges, instance, enable. */
static void take_on(void) {
    kept.starts++;
    kept.mode = shim_restart();
    if (kept.mode == RESTART_NONE)
        return;
    CHECK(core.memory[DOUBLE_SCRATCH_AT] == 0x77); /* the double's memory is no business of the restart */
    int32_t server = shim_ioreq_server_create(FAKE_GUEST, TAG);
    kept.server = server > 0 ? (uint32_t)server : 0;
    if (!kept.server)
        return;
    claim(kept.server);
    if (kept.mode == RESTART_KEEP)
        kept.adopted = shim_instance_adopt(kept.instance, 0, TAG);
    if (kept.mode != RESTART_KEEP || kept.adopted)
        kept.instance = 0;
    int32_t vcpus = shim_ioreq_server_enable(kept.server);
    CHECK(vcpus == FAKE_VCPUS || vcpus < 0);
}

static void begin(void) {
    scenario_boot();
    core.on_start = take_on;
    core.memory[DOUBLE_SCRATCH_AT] = 0x77;
    kept.server = (uint32_t)shim_ioreq_server_create(FAKE_GUEST, TAG);
    claim(kept.server);
    CHECK_EQUAL(shim_ioreq_server_enable(kept.server), FAKE_VCPUS);
    kept.instance = (uint32_t)shim_instance_create(0, TAG);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, 0, DOUBLE_SCRATCH_AT + 1, 4096), 0); /* pages of it are mapped */
    scenario_settle();
}

static void finish(void) {
    if (kept.instance)
        CHECK_EQUAL(shim_instance_destroy(kept.instance), 0);
    if (kept.server && shim_ioreq_server_destroy(kept.server))
        CHECK_EQUAL(shim_ioreq_server_destroy(kept.server), 0);
    scenario_settle();
    CHECK_EQUAL(fake_hung_vcpus(), 0);
    scenario_same_ledger();
}

/* A restart leaves everything as it was, but for guests' pages: none is mapped any more. */
static void check_ledger(struct ledger before) {
    struct ledger now = fake_ledger();
    before.aperture = 0;
    CHECK(memcmp(&now, &before, sizeof(before)) == 0);
}

/* --- a guest, and a bug ------------------------------------------------------------------------------------------- */

static void ask(uint32_t vcpu) {
    fake_trap(FAKE_GUEST, vcpu, &(struct ioreq){.addr = BAR + vcpu, .dir = 1, .size = 4, .count = 1, .type = 1});
}

static void check_answer(uint32_t vcpu, uint64_t expected) {
    uint64_t data = 0;
    CHECK(fake_trap_answered(FAKE_GUEST, vcpu, &data));
    CHECK_EQUAL(data, expected);
}

static void check_works(void) {
    for (uint32_t vcpu = 0; vcpu < FAKE_VCPUS; vcpu++)
        ask(vcpu);
    scenario_settle();
    for (uint32_t vcpu = 0; vcpu < FAKE_VCPUS; vcpu++)
        check_answer(vcpu, (BAR + vcpu) ^ DOUBLE_ANSWER);
}

static uint64_t bug(const struct double_ioreq *request) {
    (void)request;
    core.on_ioreq = NULL; /* once */
    shim_panic(0x42, 0x43);
    return 0;
}

/* With vcpu 0's request in our hands and the last vCPU's still in its slot. */
static void panic_now(void) {
    core.on_ioreq = bug;
    ask(0);
    ask(FAKE_VCPUS - 1);
    CHECK(fake_panics(scenario_settle));
}

/* A panic inside the restart asks for another one. */
static uint32_t restart_now(void) {
    uint32_t tries = 1;
    while (fake_panics(restart_prepare))
        CHECK(++tries < 10);
    return tries;
}

/* --- scenarios ---------------------------------------------------------------------------------------------------- */

static void pending(void) {
    begin();
    struct ledger before = fake_ledger();
    CHECK_EQUAL(shim_instance_call(kept.instance, ENTRY_BAR_READ, 100, 1, REGISTER_COUNT, 4, 0), 1);
    panic_now();
    CHECK_EQUAL(restart_now(), 1);
    check_answer(0, ~0ul);
    CHECK_EQUAL(kept.mode, RESTART_KEEP);
    CHECK_EQUAL(kept.adopted, 0);
    scenario_settle();
    check_answer(FAKE_VCPUS - 1, (BAR + FAKE_VCPUS - 1) ^ DOUBLE_ANSWER); /* nobody lost it */
    check_works();
    CHECK_EQUAL(shim_instance_call(kept.instance, ENTRY_BAR_READ, 100, 1, REGISTER_COUNT, 4, 0), 2);
    CHECK(memcmp(&(struct ledger){0}, &before, sizeof(before)));
    check_ledger(before);
    CHECK_EQUAL(shim_stat(STAT_RESTARTS), 1);
    CHECK(strstr(fake_console(), "glovebox: panic: the core gave up, code and detail 0x42 0x43"));
    CHECK_EQUAL(shim_panic_words(DOUBLE_SCRATCH_AT + 1, 100), strlen("the core gave up, code and detail 0x42 0x43"));
    CHECK(memcmp(core.memory + DOUBLE_SCRATCH_AT + 1, "the core gave up, code and detail 0x42", 38) == 0);
    finish();
}

static void hundred(void) {
    begin();
    struct ledger before = fake_ledger();
    for (uint32_t i = 0; i < 100; i++) {
        fake_advance_clock(RESTART_WINDOW_NS + 1);
        panic_now();
        CHECK_EQUAL(restart_now(), 1);
        check_answer(0, ~0ul);
        scenario_settle();
        check_answer(FAKE_VCPUS - 1, (BAR + FAKE_VCPUS - 1) ^ DOUBLE_ANSWER);
        check_ledger(before);
        CHECK_EQUAL(kept.mode, RESTART_KEEP);
    }
    CHECK_EQUAL(kept.starts, 100);
    check_works();
    finish();
}

static void nobody_takes_on(void) {
    begin();
    core.on_start = NULL;
    panic_now();
    CHECK_EQUAL(restart_now(), 1);
    kept.server = kept.instance = 0;
    scenario_settle();
    finish();
}

static void fewer_ranges(void) {
    begin();
    CHECK_EQUAL(shim_ioreq_range_map(kept.server, XEN_DMOP_IO_RANGE_PORT, 0x100, 0x10f), 0);
    CHECK_EQUAL(fake_ledger().ranges, 3);
    panic_now();
    CHECK_EQUAL(restart_now(), 1);
    CHECK_EQUAL(fake_ledger().ranges, 2); /* the one that the core did not ask for again is gone */
    scenario_settle();
    check_answer(0, ~0ul);
    check_answer(FAKE_VCPUS - 1, (BAR + FAKE_VCPUS - 1) ^ DOUBLE_ANSWER);
    finish();
}

static void raise_irq(void) {
    (void)shim_instance_call(kept.instance, ENTRY_BAR_READ, 100, 1, REGISTER_IRQ, 4, 0);
}

static void interrupted_instance(void) {
    begin();
    core.irq_panics = true;
    CHECK(fake_panics(raise_irq));
    core.irq_panics = false;
    CHECK_EQUAL(restart_now(), 1);
    CHECK_EQUAL(kept.adopted, -XEN_EIO);
    CHECK_EQUAL(shim_stat(STAT_ARENA_PAGES_USED), 0);
    CHECK_EQUAL(wasm_rt_call_stack_depth, 0);
    check_works();
    finish();
}

static void two_in_a_window(void) {
    begin();
    for (uint32_t i = 0; i < 2; i++) {
        panic_now();
        CHECK_EQUAL(restart_now(), 1);
        scenario_settle();
        check_answer(0, ~0ul);
        check_answer(FAKE_VCPUS - 1, (BAR + FAKE_VCPUS - 1) ^ DOUBLE_ANSWER);
    }
    CHECK_EQUAL(kept.mode, RESTART_LOSE);
    CHECK(strstr(fake_console(), "glovebox: restart 2 in place, losing all vGPUs"));
    check_works();
    fake_advance_clock(RESTART_WINDOW_NS + 1); /* quiet for a window: the next one counts as the first */
    panic_now();
    CHECK_EQUAL(restart_now(), 1);
    CHECK_EQUAL(kept.mode, RESTART_KEEP);
    scenario_settle();
    check_answer(0, ~0ul);
    check_answer(FAKE_VCPUS - 1, (BAR + FAKE_VCPUS - 1) ^ DOUBLE_ANSWER);
    finish();
}

static void nothing_hangs(void) {
    CHECK_EQUAL(fake_hung_vcpus(), 0);
    CHECK_EQUAL(fake_servers(), 0);
}

static void three_in_a_window(void) {
    begin();
    fake_at_end = nothing_hangs;
    for (uint32_t i = 0; i < 2; i++) {
        panic_now();
        CHECK_EQUAL(restart_now(), 1);
        scenario_settle();
        check_answer(0, ~0ul);
        check_answer(FAKE_VCPUS - 1, (BAR + FAKE_VCPUS - 1) ^ DOUBLE_ANSWER);
    }
    panic_now(); /* ends the domain; two requests are pending */
}

/* Half a message is in the ring, and half an answer has come. */
static void xenstore_stream(void) {
    begin();
    memset(core.memory + DOUBLE_SCRATCH_AT + 8, 'x', 2000);
    CHECK_EQUAL(shim_xenstore_send(XS_WRITE, 5, DOUBLE_SCRATCH_AT + 8, 2000), 0);
    const struct xsd_sockmsg answer = {.type = XS_WRITE, .req_id = 4, .len = 3};
    CHECK_EQUAL(fake_store_put(&answer, 7), 7);
    panic_now();
    CHECK_EQUAL(restart_now(), 1);
    CHECK_EQUAL(fake_store_put((const uint8_t *)&answer + 7, sizeof(answer) - 7), sizeof(answer) - 7);
    CHECK_EQUAL(fake_store_put("OK", 3), 3);
    const struct xsd_sockmsg *message = NULL;
    for (uint32_t i = 0; i < 10 && !message; i++) {
        scenario_settle();
        message = fake_store_take(4096);
    }
    CHECK(message && message->req_id == 5 && message->len == 2000);
    CHECK_EQUAL(((const char *)(message + 1))[1999], 'x');
    CHECK_EQUAL(core.messages, 1);
    CHECK_EQUAL(core.message_req_id, 4);
    CHECK_EQUAL(core.message_len, 3);
    check_answer(0, ~0ul);
    check_answer(FAKE_VCPUS - 1, (BAR + FAKE_VCPUS - 1) ^ DOUBLE_ANSWER);
    finish();
}

static void share(void) {
    begin();
    int32_t gref = shim_share_grant(0, 3);
    CHECK(gref > 0 && fake_grant_map((grant_ref_t)gref, 0));
    panic_now();
    CHECK_EQUAL(restart_now(), 1);
    CHECK_EQUAL(shim_share_revoke(), -XEN_EBUSY);
    fake_grant_unmap((grant_ref_t)gref);
    CHECK_EQUAL(shim_share_revoke(), 0);
    scenario_settle();
    check_answer(0, ~0ul);
    check_answer(FAKE_VCPUS - 1, (BAR + FAKE_VCPUS - 1) ^ DOUBLE_ANSWER);
    finish();
}

/* --- records ------------------------------------------------------------------------------------------------------ */

extern uint8_t __bss_start[], _end[];

/* Where the bytes are kept: the only other place that they are at. By hand, for the sake of the sanitizer. */
__attribute__((no_sanitize("address"))) static uint8_t *find(const char *bytes, uint32_t len) {
    for (uint8_t *at = __bss_start; at < _end - len; at++) {
        uint32_t same = 0;
        while (same < len && at[same] == (uint8_t)bytes[same])
            same++;
        if (same == len && (at < core.memory || at >= core.memory + sizeof(core.memory)))
            return at;
    }
    return NULL;
}

static int32_t save(const char *text) {
    memcpy(core.memory + DOUBLE_SCRATCH_AT + 100, text, 16);
    return shim_save(7, DOUBLE_SCRATCH_AT + 100, 16);
}

static void check_saved(const char *text) {
    CHECK_EQUAL(shim_saved(7, DOUBLE_SCRATCH_AT + 200, 4000), 16);
    CHECK(memcmp(core.memory + DOUBLE_SCRATCH_AT + 200, text, 16) == 0);
}

static void records(void) {
    begin();
    CHECK_EQUAL(shim_saved(7, DOUBLE_SCRATCH_AT, 4000), 0);
    CHECK_EQUAL(shim_save(SHIM_RECORDS_MAX, DOUBLE_SCRATCH_AT, 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_save(0, DOUBLE_SCRATCH_AT, SHIM_RECORD_BYTES_MAX + 1), -XEN_EINVAL);
    CHECK_EQUAL(save("the first record"), 0);
    CHECK_EQUAL(save("a second record."), 0);
    panic_now();
    CHECK_EQUAL(restart_now(), 1);
    check_saved("a second record.");
    CHECK_EQUAL(shim_saved(7, DOUBLE_SCRATCH_AT, 15), -XEN_EINVAL);
    fake_advance_clock(RESTART_WINDOW_NS + 1);
    find("a second record.", 16)[3] ^= 1; /* a panic in the middle of the copy */
    scenario_settle();
    check_answer(0, ~0ul);
    check_answer(FAKE_VCPUS - 1, (BAR + FAKE_VCPUS - 1) ^ DOUBLE_ANSWER);
    panic_now();
    CHECK_EQUAL(restart_now(), 1);
    check_saved("the first record");
    find("the first record", 16)[3] ^= 1;
    fake_advance_clock(RESTART_WINDOW_NS + 1);
    scenario_settle();
    check_answer(0, ~0ul);
    check_answer(FAKE_VCPUS - 1, (BAR + FAKE_VCPUS - 1) ^ DOUBLE_ANSWER);
    panic_now();
    CHECK_EQUAL(restart_now(), 1);
    CHECK_EQUAL(shim_saved(7, DOUBLE_SCRATCH_AT + 200, 4000), -XEN_EIO);
    CHECK_EQUAL(save("written afresh.."), 0);
    check_saved("written afresh..");
    CHECK_EQUAL(shim_save(7, 0, 0), 0);
    CHECK_EQUAL(shim_saved(7, DOUBLE_SCRATCH_AT + 200, 4000), 0);
}

/* --- the life that main.c lets fail ------------------------------------------------------------------------------- */

void scenario_restart_life(void) {
    fake_failures_hold();
    begin();
    panic_now();
    fake_failures_begin();
    restart_now();
    fake_failures_end();
    scenario_settle();
    uint64_t data;
    CHECK(fake_trap_answered(FAKE_GUEST, 0, &data) && data == ~0ul);
    if (kept.server) {
        CHECK(fake_trap_answered(FAKE_GUEST, FAKE_VCPUS - 1, &data));
        check_works();
    }
    finish();
}

/* A module whose record is damaged is lost, its instances too, and its room is free. */
static void damaged_module(void) {
    begin();
    uint32_t pages = code_pages_used();
    ((struct module_slot *)(uintptr_t)module_slot_at(0))->gbx_bytes ^= 1;
    panic_now();
    CHECK_EQUAL(restart_now(), 1);
    CHECK_EQUAL(kept.adopted, -XEN_ENOENT);
    CHECK(!module_at(0) && module_at(1));
    CHECK(code_pages_used() < pages);
    CHECK(strstr(fake_console(), "record of a loaded module is damaged"));
    uint32_t len;
    const uint8_t *file = fake_ramdisk_file("plain-1.gbx", &len);
    CHECK_EQUAL(shim_module_load(0, fake_offer_file(file, len, 0), len), 0);
    CHECK_EQUAL(code_pages_used(), pages);
    CHECK(module_slot_at(0)->serial > module_slot_at(1)->serial);
    CHECK(shim_instance_create(0, 1) > 0);
}

const struct scenario restart_scenarios[] = {
    {.name = "a panic with requests pending", .run = pending},
    {.name = "a hundred restarts", .run = hundred},
    {.name = "a restart that nobody takes anything on in", .run = nobody_takes_on},
    {.name = "a range that is not claimed again", .run = fewer_ranges},
    {.name = "a panic within a module's call", .run = interrupted_instance},
    {.name = "a module whose record is damaged", .run = damaged_module},
    {.name = "two panics in a window", .run = two_in_a_window},
    {.name = "three panics in a window end it", .run = three_in_a_window, .panics = true},
    {.name = "half messages of xenstore", .run = xenstore_stream},
    {.name = "a share that the reader has mapped", .run = share},
    {.name = "records", .run = records},
    {0},
};
