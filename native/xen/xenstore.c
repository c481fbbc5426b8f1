/* SPDX-License-Identifier: MIT */
/*
 * Transport of xen/io/xs_wire.h. A message (up to 4112 bytes) is larger than a ring (1024), so both directions pass
 * through a buffer of one message. xenstored is part of the control plane: counters or headers from it that make no
 * sense leave nothing to resynchronise on, as the stream has no marks, so they are a panic in words.
 */
#include "xenstore.h"

#include <string.h>

#include "core.h"
#include "event.h"
#include "machine.h"
#include "panic.h"
#include "shim.h"
#include "shim_limits.h"
#include "survivor.h"

_Static_assert(SHIM_XENSTORE_PAYLOAD_MAX == XENSTORE_PAYLOAD_MAX, "the contract's payload is xs_wire.h's");

struct message {
    struct xsd_sockmsg header;
    uint8_t payload[XENSTORE_PAYLOAD_MAX];
};

static struct xenstore_domain_interface *ring;
static evtchn_port_t port;
/* Half messages outlive a restart: the stream goes on where it was, or nobody would find its marks again. */
static struct message incoming SURVIVES, outgoing SURVIVES;
static uint32_t incoming_bytes SURVIVES;                         /* assembled so far */
static uint32_t outgoing_bytes SURVIVES, outgoing_sent SURVIVES; /* of `outgoing`; equal = none */
static bool work;

static void on_event(uint32_t a, uint32_t b) {
    (void)a;
    (void)b;
    work = true;
}

void xenstore_init(const struct start_info *info) {
    ring = machine_va(info->store_mfn);
    port = info->store_evtchn;
    event_attach(port, on_event, 0, 0);
    work = true;
    if (incoming_bytes > sizeof(incoming) || outgoing_sent > outgoing_bytes || outgoing_bytes > sizeof(outgoing))
        panic("xenstore buffers corrupt, incoming and outgoing bytes", incoming_bytes, outgoing_bytes);
}

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static uint32_t filled(uint32_t produced, uint32_t consumed) {
    uint32_t bytes = produced - consumed;
    if (bytes > XENSTORE_RING_SIZE)
        panic("xenstore ring corrupt, producer and consumer", produced, consumed);
    return bytes;
}

/* Bytes from ring position `at` to the end of the ring: what one copy can do. */
static uint32_t straight(uint32_t at, uint32_t bytes) {
    return smaller(bytes, XENSTORE_RING_SIZE - MASK_XENSTORE_IDX(at));
}

static void send_what_fits(void) {
    bool moved = false;
    while (outgoing_sent < outgoing_bytes) {
        uint32_t at = ring->req_prod;
        uint32_t room = XENSTORE_RING_SIZE - filled(at, __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE));
        uint32_t count = straight(at, smaller(room, outgoing_bytes - outgoing_sent));
        if (count == 0)
            break;
        memcpy(ring->req + MASK_XENSTORE_IDX(at), (const uint8_t *)&outgoing + outgoing_sent, count);
        __atomic_store_n(&ring->req_prod, at + count, __ATOMIC_RELEASE);
        outgoing_sent += count;
        moved = true;
    }
    if (moved)
        event_send(port);
}

int32_t shim_xenstore_send(uint32_t type, uint32_t req_id, uint32_t payload_ptr, uint32_t len) {
    if (len > XENSTORE_PAYLOAD_MAX || type >= XS_TYPE_COUNT)
        return -XEN_EINVAL;
    if (outgoing_sent < outgoing_bytes)
        return -XEN_EAGAIN;
    outgoing.header = (struct xsd_sockmsg){.type = type, .req_id = req_id, .tx_id = 0, .len = len};
    memcpy(outgoing.payload, core_bytes(payload_ptr, len), len);
    outgoing_bytes = sizeof(outgoing.header) + len;
    outgoing_sent = 0;
    send_what_fits();
    return 0;
}

/* Bytes that the message being assembled still lacks; its header says how long it is, once it is there. */
static uint32_t incoming_lacks(void) {
    if (incoming_bytes < sizeof(incoming.header))
        return sizeof(incoming.header) - incoming_bytes;
    if (incoming.header.len > XENSTORE_PAYLOAD_MAX || incoming.header.type >= XS_TYPE_COUNT)
        panic("xenstore message corrupt, type and length", incoming.header.type, incoming.header.len);
    return sizeof(incoming.header) + incoming.header.len - incoming_bytes;
}

/* True when `incoming` is a whole message. */
static bool receive(void) {
    uint32_t lacks, count;
    bool moved = false;
    while ((lacks = incoming_lacks()) != 0) {
        uint32_t at = ring->rsp_cons;
        count = straight(at, smaller(lacks, filled(__atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE), at)));
        if (count == 0)
            break;
        memcpy((uint8_t *)&incoming + incoming_bytes, ring->rsp + MASK_XENSTORE_IDX(at), count);
        __atomic_store_n(&ring->rsp_cons, at + count, __ATOMIC_RELEASE);
        incoming_bytes += count;
        moved = true;
    }
    if (moved)
        event_send(port); /* the daemon may wait for room */
    return lacks == 0;
}

static void deliver(void) {
    uint32_t len = incoming.header.len;
    memcpy(core_bytes(core_xenstore_buffer(), XENSTORE_PAYLOAD_MAX), incoming.payload, len);
    incoming_bytes = 0;
    core_on_xenstore(incoming.header.type, incoming.header.req_id, len);
}

bool xenstore_service(void) {
    if (!work)
        return false;
    work = false;
    send_what_fits();
    for (uint32_t i = 0; i < XENSTORE_BATCH; i++) {
        if (!receive())
            return false;
        deliver();
    }
    work = true;
    return true;
}
