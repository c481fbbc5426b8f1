/* SPDX-License-Identifier: MIT */
/*
 * One slot of an ioreq page: the request of one vCPU.
 *
 *   NONE --Xen--> READY --we--> INPROCESS --we--> RESP_READY --Xen--> NONE
 *
 * Only forward: any other step makes Xen crash the guest (XSA-262). The state shares byte 30 with Xen's flags:
 *
 *   bit  7   6    5     4            3..0
 *      +---+----+-----+-------------+-------+
 *      | 0 | df | dir | data_is_ptr | state |
 *      +---+----+-----+-------------+-------+
 *
 * The page belongs to the guest but the guest cannot map it; still, a request is read once, into private memory.
 */
#ifndef GLOVEBOX_SLOT_H
#define GLOVEBOX_SLOT_H

#include "abi.h"
#include "event.h"
#include "shim.h"

static inline uint8_t *slot_byte(struct ioreq *slot) {
    return (uint8_t *)slot + IOREQ_STATE_BYTE;
}

static inline uint8_t slot_state(struct ioreq *slot) {
    return __atomic_load_n(slot_byte(slot), __ATOMIC_ACQUIRE) & IOREQ_STATE_MASK;
}

static inline bool slot_advance(struct ioreq *slot, uint8_t from, uint8_t to) {
    uint8_t byte = __atomic_load_n(slot_byte(slot), __ATOMIC_ACQUIRE);
    if ((byte & IOREQ_STATE_MASK) != from)
        return false;
    __atomic_store_n(slot_byte(slot), (uint8_t)((byte & ~IOREQ_STATE_MASK) | to), __ATOMIC_RELEASE);
    return true;
}

/* IOREQ_FLAG_* of shim.h. */
static inline uint32_t slot_flags(struct ioreq *slot) {
    uint8_t byte = *slot_byte(slot);
    return (byte & IOREQ_BYTE_DIR ? IOREQ_FLAG_READ : 0) | (byte & IOREQ_BYTE_DF ? IOREQ_FLAG_DF : 0) |
           (byte & IOREQ_BYTE_DATA_IS_PTR ? IOREQ_FLAG_DATA_IS_PTR : 0);
}

static inline void slot_snapshot(const volatile struct ioreq *slot, struct ioreq *request) {
    request->addr = slot->addr;
    request->data = slot->data;
    request->count = slot->count;
    request->size = slot->size;
    request->type = slot->type;
}

/* For a slot INPROCESS. Data goes back only where Xen looks for it: a read whose data is not a pointer. */
static inline void slot_complete(struct ioreq *slot, uint32_t flags, uint64_t data, evtchn_port_t port) {
    if ((flags & (IOREQ_FLAG_READ | IOREQ_FLAG_DATA_IS_PTR)) == IOREQ_FLAG_READ)
        slot->data = data;
    if (slot_advance(slot, STATE_IOREQ_INPROCESS, STATE_IORESP_READY))
        event_send(port);
}

#endif
