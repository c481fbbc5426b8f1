/* SPDX-License-Identifier: MIT */
/*
 * Ioreq servers across a restart in place, and at the end when there is none: what was ENABLED is taken on as it is,
 * any other is brought to its end from whatever state it was in.
 */
#include "console.h"
#include "dm_op.h"
#include "event.h"
#include "foreign.h"
#include "ioreq.h"
#include "server_answer.h"
#include "server_range.h"
#include "server_record.h"
#include "shim.h"

void server_answer_interrupted(void) {
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++) {
        server_recall(i);
        server_answer_all(server_at(i), false);
    }
}

/* Ours are those that Xen lets us destroy: it refuses another emulator's (ioreq.c, ioreq_server_destroy). */
static void destroy_unknown(domid_t domid) {
    for (ioservid_t id = 0; id < XEN_IOREQ_SERVERS_MAX; id++) {
        bool known = false;
        for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++) {
            const struct server *one = server_at(i);
            known |= one->domid == domid && one->id == id && one->state > SERVER_CREATING;
        }
        if (!known)
            (void)dm_op_destroy_ioreq_server(domid, id);
    }
}

/* From any state but FREE. What Xen refuses is tried once more; then it is told and left to the guest's end. */
static void finish(struct server *server) {
    bool created = server->state != SERVER_CREATING;
    bool mapped = server_is_mapped(server);
    if (mapped)
        (void)dm_op_set_ioreq_server_state(server->domid, server->id, false);
    server_answer_all(server, true);
    if (mapped)
        server_let_answers_be_taken(server);
    for (uint32_t vcpu = 0; vcpu < server->bound; vcpu++)
        event_forget(server->ports[vcpu]);
    foreign_unmap(server_page(server_index(server)), 1);
    if (!created)
        destroy_unknown(server->domid);
    else if (!server_is_gone(dm_op_destroy_ioreq_server(server->domid, server->id)) &&
             !server_is_gone(dm_op_destroy_ioreq_server(server->domid, server->id)))
        console_trouble("an ioreq server stays until its guest ends, guest and server", server->domid, server->id);
    server_enter(server, SERVER_FREE);
}

static void attach_handlers(struct server *server) {
    uint32_t index = server_index(server);
    for (uint32_t vcpu = 0; vcpu < server->bound; vcpu++)
        event_attach(server->ports[vcpu], ioreq_service, index, vcpu);
}

void server_restart(void) {
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++) {
        struct server *server = server_at(i);
        if (server->state != SERVER_ENABLED)
            continue;
        attach_handlers(server);
        server_claim(server)->unclaimed = true;
        server_keep_ranges(server);
    }
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++)
        if (server_at(i)->state != SERVER_FREE && server_at(i)->state != SERVER_ENABLED)
            finish(server_at(i));
}

void server_drop_unclaimed(void) {
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++) {
        struct server *server = server_at(i);
        if (server_claim(server)->unclaimed)
            finish(server);
        else if (server->state == SERVER_ENABLED)
            server_drop_ranges(server);
        server_claim(server)->unclaimed = false;
    }
}

bool server_give_all_back(void) {
    bool any = false;
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++) {
        struct server *server = server_at(i);
        if (!server_recall_quietly(i))
            continue;
        if (server->state == SERVER_FREE || server->state == SERVER_CREATING)
            continue;
        any = true;
        (void)dm_op_set_ioreq_server_state(server->domid, server->id, false);
        server_answer_all(server, true);
        server_let_answers_be_taken(server);
        (void)dm_op_destroy_ioreq_server(server->domid, server->id);
    }
    return any;
}
