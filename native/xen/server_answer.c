/* SPDX-License-Identifier: MIT */
#include "server_answer.h"

#include "hypercalls.h"
#include "server_record.h"
#include "shim.h"
#include "slot.h"

#define ALL_ONES (~0ul)

void server_complete_pending(struct server *server) {
    for (uint32_t vcpu = 0; vcpu < server->bound; vcpu++) {
        struct ioreq *slot = &server_page(server_index(server))[vcpu];
        (void)slot_advance(slot, STATE_IOREQ_READY, STATE_IOREQ_INPROCESS);
        if (slot_state(slot) == STATE_IOREQ_INPROCESS)
            slot_complete(slot, slot_flags(slot), ALL_ONES, server->ports[vcpu]);
    }
}

static bool answers_taken(struct server *server) {
    for (uint32_t vcpu = 0; vcpu < server->bound; vcpu++)
        if (slot_state(&server_page(server_index(server))[vcpu]) != STATE_IOREQ_NONE)
            return false;
    return true;
}

void server_let_answers_be_taken(struct server *server) {
    for (uint32_t turn = 0; turn < DRAIN_YIELDS && !answers_taken(server); turn++)
        hypercall_sched_op(SCHEDOP_yield, NULL);
}

/* Errors are of no use to anybody here: the guest may be gone, or Xen may be what fails. */
static void answer_quietly(struct server *server, uint32_t vcpu) {
    struct ioreq *slot = &server_page(server_index(server))[vcpu];
    struct evtchn_send send = {.port = server->ports[vcpu]};
    uint32_t flags = slot_flags(slot);
    if ((flags & (IOREQ_FLAG_READ | IOREQ_FLAG_DATA_IS_PTR)) == IOREQ_FLAG_READ)
        slot->data = ALL_ONES;
    if (slot_advance(slot, STATE_IOREQ_INPROCESS, STATE_IORESP_READY))
        (void)hypercall_event_channel_op(EVTCHNOP_send, &send);
}

bool server_is_mapped(const struct server *server) {
    return server->state == SERVER_ENABLED || server->state == SERVER_DRAINING;
}

void server_answer_all(struct server *server, bool ready_too) {
    for (uint32_t vcpu = 0; vcpu < server->nr_vcpus && server_is_mapped(server); vcpu++) {
        struct ioreq *slot = &server_page(server_index(server))[vcpu];
        if (ready_too)
            (void)slot_advance(slot, STATE_IOREQ_READY, STATE_IOREQ_INPROCESS);
        if (slot_state(slot) == STATE_IOREQ_INPROCESS)
            answer_quietly(server, vcpu);
    }
}
