/* SPDX-License-Identifier: MIT */
/*
 * PV console (xen/io/console.h): a ring of 2048 bytes that Dom0's xenconsoled empties. Dom0 is trusted, but a ring
 * whose counters make no sense is taken for full rather than written beyond. Input is ignored.
 */
#include "console.h"

#include "hypercalls.h"
#include "shim.h"
#include "shim_limits.h"
#include "survivor.h"

static volatile struct xencons_interface *ring;
static evtchn_port_t port;
static uint64_t dropped_bytes SURVIVES;
static bool wait_for_room;

void console_init(const struct start_info *info) {
    ring = machine_va(info->console.domU.mfn);
    port = info->console.domU.evtchn;
}

static void notify(void) {
    struct evtchn_send send = {.port = port};
    (void)hypercall_event_channel_op(EVTCHNOP_send, &send); /* nobody to tell if even this fails */
}

static bool has_room(void) {
    return ring->out_prod - __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE) < sizeof(ring->out);
}

static bool wait_until_room(void) {
    notify();
    for (uint32_t turn = 0; turn < PANIC_YIELDS && !has_room(); turn++)
        hypercall_sched_op(SCHEDOP_yield, NULL);
    return has_room();
}

static void put(uint8_t byte) {
    if (ring && (has_room() || (wait_for_room && wait_until_room()))) {
        uint32_t at = ring->out_prod;
        ring->out[MASK_XENCONS_IDX(at, ring->out)] = (char)byte;
        __atomic_store_n(&ring->out_prod, at + 1, __ATOMIC_RELEASE);
    } else {
        dropped_bytes++;
    }
}

/* Text may come from a module or a guest: control characters would reach the operator's terminal. */
void console_bytes(const uint8_t *text, uint32_t len) {
    for (uint32_t i = 0; i < len; i++)
        put(text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i]);
}

void console_text(const char *text) {
    while (*text)
        put((uint8_t)*text++);
}

void console_hex(uint64_t value) {
    int shift = 60;
    while (shift > 0 && (value >> shift) == 0)
        shift -= 4;
    console_text("0x");
    for (; shift >= 0; shift -= 4)
        put((uint8_t) "0123456789abcdef"[value >> shift & 15]);
}

void console_decimal(uint64_t value) {
    uint8_t digits[20];
    uint32_t count = 0;
    do
        digits[count++] = (uint8_t)('0' + value % 10);
    while (value /= 10);
    while (count)
        put(digits[--count]);
}

void console_trouble(const char *what, uint64_t a, uint64_t b) {
    console_text("glovebox: ");
    console_text(what);
    console_text(" ");
    console_decimal(a);
    console_text(" ");
    console_decimal(b);
    console_line_end();
}

void console_line_end(void) {
    console_text("\r\n");
    if (ring)
        notify();
}

void console_wait_for_room(void) {
    wait_for_room = true;
}

uint64_t console_dropped_bytes(void) {
    return dropped_bytes;
}
