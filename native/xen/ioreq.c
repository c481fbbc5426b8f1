/* SPDX-License-Identifier: MIT */
/*
 * The trap path's C: an event channel of an ioreq server was raised, its vCPU's slot may hold a request. Snapshot, ask,
 * complete. What the answer is, answer_ioreq() knows.
 */
#include "ioreq.h"

#include "guest_pages.h"
#include "server.h"
#include "slot.h"

void ioreq_service(uint32_t index, uint32_t vcpu) {
    struct server *server = server_at(index);
    struct ioreq *slot = &server_page(index)[vcpu];
    uint32_t generation = server->generation;
    struct ioreq request;
    if (!slot_advance(slot, STATE_IOREQ_READY, STATE_IOREQ_INPROCESS))
        return; /* binding a port raises it once with nothing to do */
    slot_snapshot(slot, &request);
    uint32_t flags = slot_flags(slot);
    if (request.type == IOREQ_TYPE_INVALIDATE)
        guest_pages_outdate(server->domid);
    uint64_t data = answer_ioreq(server->tag, vcpu, flags, &request);
    /* The core may have destroyed this server while it answered; then the request is complete and the page gone. */
    if (server->state == SERVER_ENABLED && server->generation == generation)
        slot_complete(slot, flags, data, server->ports[vcpu]);
}
