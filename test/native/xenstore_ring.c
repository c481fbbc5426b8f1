/* SPDX-License-Identifier: MIT */
/* The xenstore ring and the console ring: messages larger than the ring, in crumbs, too many, and nonsense. */
#include <string.h>

#include "scenario.h"
#include "shim_limits.h"

struct message {
    struct xsd_sockmsg header;
    uint8_t payload[XENSTORE_PAYLOAD_MAX];
};

static void sends(void) {
    const struct xsd_sockmsg *got;
    scenario_boot();
    for (uint32_t i = 0; i < XENSTORE_PAYLOAD_MAX; i++)
        core.memory[DOUBLE_SCRATCH_AT + i] = (uint8_t)(i * 5);
    CHECK_EQUAL(shim_xenstore_send(XS_WRITE, 11, DOUBLE_SCRATCH_AT, XENSTORE_PAYLOAD_MAX), 0);
    CHECK_EQUAL(shim_xenstore_send(XS_READ, 12, DOUBLE_SCRATCH_AT, 4), -XEN_EAGAIN);
    while (!(got = fake_store_take(333)))
        scenario_settle(); /* each time there is room, more goes out */
    CHECK_EQUAL(got->type, XS_WRITE);
    CHECK_EQUAL(got->req_id, 11);
    CHECK_EQUAL(got->tx_id, 0);
    CHECK_EQUAL(got->len, XENSTORE_PAYLOAD_MAX);
    CHECK(memcmp(got + 1, core.memory + DOUBLE_SCRATCH_AT, XENSTORE_PAYLOAD_MAX) == 0);
    scenario_settle();
    CHECK_EQUAL(shim_xenstore_send(XS_READ, 12, DOUBLE_SCRATCH_AT, 0), 0);
    got = fake_store_take(16);
    CHECK(got && got->len == 0 && got->req_id == 12);
    CHECK_EQUAL(shim_xenstore_send(XS_READ, 13, 0, XENSTORE_PAYLOAD_MAX + 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_xenstore_send(XS_TYPE_COUNT, 13, 0, 0), -XEN_EINVAL);
}

static void put_all(const void *bytes, uint32_t len, uint32_t crumb) {
    for (uint32_t sent = 0; sent < len;) {
        uint32_t count = len - sent < crumb ? len - sent : crumb;
        sent += fake_store_put((const uint8_t *)bytes + sent, count);
        scenario_settle();
    }
}

static void receives(void) {
    static struct message message = {.header = {.type = XS_WATCH_EVENT, .req_id = 5, .len = XENSTORE_PAYLOAD_MAX}};
    static const uint32_t crumbs[] = {1, 7, 16, 17, 1000, 4112};
    scenario_boot();
    for (uint32_t i = 0; i < XENSTORE_PAYLOAD_MAX; i++)
        message.payload[i] = (uint8_t)(i * 3 + 1);
    for (uint32_t i = 0; i < sizeof(crumbs) / sizeof(*crumbs); i++) {
        put_all(&message, sizeof(message), crumbs[i]);
        CHECK_EQUAL(core.messages, i + 1);
        CHECK_EQUAL(core.message_type, XS_WATCH_EVENT);
        CHECK_EQUAL(core.message_req_id, 5);
        CHECK_EQUAL(core.message_len, XENSTORE_PAYLOAD_MAX);
        CHECK(memcmp(core.memory + DOUBLE_XENSTORE_AT, message.payload, XENSTORE_PAYLOAD_MAX) == 0);
    }
}

static void put_one(void) {
    static const struct xsd_sockmsg message = {.type = XS_WATCH_EVENT, .req_id = 8};
    fake_at_yield = NULL;
    CHECK_EQUAL(fake_store_put(&message, sizeof(message)), sizeof(message));
}

/* The loop gives way before its last slice, and the ring was looked at before: it may not sleep then. */
static void while_giving_way(void) {
    scenario_boot();
    core.idle_slices = 1;
    fake_at_yield = put_one;
    scenario_settle();
    CHECK(!fake_at_yield);
    CHECK_EQUAL(core.messages, 1);
}

/* Forty messages in the ring: the loop looks at events after each batch. */
static void many(void) {
    struct xsd_sockmsg header = {.type = XS_READ, .len = 0};
    scenario_boot();
    for (header.req_id = 0; header.req_id < 40; header.req_id++)
        CHECK_EQUAL(fake_store_put(&header, sizeof(header)), sizeof(header));
    CHECK(loop_step());
    CHECK_EQUAL(core.messages, XENSTORE_BATCH);
    scenario_settle();
    CHECK_EQUAL(core.messages, 40);
}

static void header_too_long(void) {
    struct xsd_sockmsg header = {.type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1};
    scenario_boot();
    fake_store_put(&header, sizeof(header));
    scenario_settle();
}

static void ring_corrupt(void) {
    scenario_boot();
    fake_store_corrupt();
    scenario_settle();
}

static void console_full(void) {
    scenario_boot();
    fake_console();
    fake_console_stalled(true);
    memset(core.memory + DOUBLE_SCRATCH_AT, 'x', SHIM_LOG_BYTES_MAX + 10);
    for (int i = 0; i < 10; i++)
        shim_log(DOUBLE_SCRATCH_AT, SHIM_LOG_BYTES_MAX + 10); /* longer than a line may be: cut */
    CHECK_EQUAL(shim_stat(STAT_CONSOLE_DROPPED), 10 * (SHIM_LOG_BYTES_MAX + 2) - 2048);
    fake_console_stalled(false);
    fake_console();
    memcpy(core.memory + DOUBLE_SCRATCH_AT, "a\x1b[2J\nb", 8);
    shim_log(DOUBLE_SCRATCH_AT, 7);
    CHECK(strstr(fake_console(), "a?[2J?b\r\n"));
}

static void command_line(void) {
    scenario_boot();
    CHECK_EQUAL(shim_command_line(DOUBLE_SCRATCH_AT, 100), 10);
    CHECK(memcmp(core.memory + DOUBLE_SCRATCH_AT, "wait=block", 10) == 0);
    CHECK_EQUAL(shim_command_line(DOUBLE_SCRATCH_AT, 4), 4);
}

static void core_panics(void) {
    scenario_boot();
    shim_panic(3, 4);
}

const struct scenario xenstore_scenarios[] = {
    {.name = "messages out", .run = sends},
    {.name = "messages in, in crumbs", .run = receives},
    {.name = "a message while giving way", .run = while_giving_way},
    {.name = "many messages", .run = many},
    {.name = "a header that is too long is a panic", .run = header_too_long, .panics = true},
    {.name = "a corrupt ring is a panic", .run = ring_corrupt, .panics = true},
    {.name = "a full console drops and counts", .run = console_full},
    {.name = "command line", .run = command_line},
    {.name = "the core's panic", .run = core_panics, .panics = true},
    {0},
};
