/* SPDX-License-Identifier: MIT */
/* Life of the ioreq servers; server.h draws it. Create and destroy are mirror images. */
#include "server.h"

#include "dm_op.h"
#include "event.h"
#include "foreign.h"
#include "guest.h"
#include "guest_pages.h"
#include "hypercalls.h"
#include "ioreq.h"
#include "panic.h"
#include "server_answer.h"
#include "server_record.h"
#include "shim.h"

static int map_page(struct server *server) {
    xen_pfn_t mfn = 0;
    struct xen_mem_acquire_resource resource = {
        .domid = server->domid,
        .type = XENMEM_resource_ioreq_server,
        .id = server->id,
        .nr_frames = 1,
        .frame = XENMEM_resource_ioreq_server_frame_ioreq(0),
    };
    set_xen_guest_handle(resource.frame_list, &mfn);
    long rc = hypercall_memory_op(XENMEM_acquire_resource, &resource);
    if (rc)
        return (int)rc;
    return foreign_map(server_page(server_index(server)), server->domid, FOREIGN_RESOURCE, &mfn, 1);
}

static int create_on_guest(struct server *server) {
    int rc = dm_op_create_ioreq_server(server->domid, &server->id);
    if (rc)
        return rc;
    int vcpus = dm_op_nr_vcpus(server->domid);
    server->nr_vcpus = (uint32_t)vcpus;
    rc = vcpus < 0 ? vcpus : vcpus == 0 || vcpus > (int)VCPUS_MAX ? -XEN_EINVAL : map_page(server);
    if (rc)
        (void)dm_op_destroy_ioreq_server(server->domid, server->id);
    return rc;
}

static struct server *find_free(void) {
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++)
        if (server_at(i)->state == SERVER_FREE)
            return server_at(i);
    return NULL;
}

/* Outlived the restart, and the core has not asked for it yet. */
static struct server *find_unclaimed(uint32_t domid) {
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++)
        if (server_claim(server_at(i))->unclaimed && server_at(i)->domid == domid)
            return server_at(i);
    return NULL;
}

static int32_t take_on(struct server *server, uint32_t tag) {
    server_claim(server)->unclaimed = false;
    server_claim(server)->taken_on = true;
    server->tag = tag;
    server_seal(server);
    return server_handle(server);
}

int32_t shim_ioreq_server_create(uint32_t domid, uint32_t tag) {
    struct server *server = find_unclaimed(domid);
    if (server)
        return take_on(server, tag);
    server = find_free();
    if (!guest_domid_valid(domid))
        return -XEN_EINVAL;
    if (!server)
        return -XEN_ENOSPC;
    *server = (struct server){.domid = (domid_t)domid, .tag = tag, .generation = server->generation};
    server_enter(server, SERVER_CREATING);
    int rc = create_on_guest(server);
    if (rc) {
        server_enter(server, SERVER_FREE);
        return rc;
    }
    server_next_generation(server);
    server_enter(server, SERVER_CREATED);
    return server_handle(server);
}

static void unbind_all(struct server *server) {
    while (server->bound > 0)
        event_unbind(server->ports[--server->bound]);
}

/* Xen publishes the ports (vp_eport) when the server is enabled. Binding raises each port, so a request that came
 * in between is seen. */
static int bind_all(struct server *server) {
    uint32_t index = server_index(server);
    const volatile struct ioreq *page = server_page(index);
    while (server->bound < server->nr_vcpus) {
        uint32_t vcpu = server->bound;
        int32_t port = event_bind_interdomain(server->domid, page[vcpu].vp_eport, ioreq_service, index, vcpu);
        if (port < 0)
            return port;
        server->ports[vcpu] = (evtchn_port_t)port;
        server->bound++;
    }
    return 0;
}

int32_t shim_ioreq_server_enable(uint32_t handle) {
    struct server *server = server_of(handle);
    if (server->state == SERVER_ENABLED && server_claim(server)->taken_on) {
        server_claim(server)->taken_on = false;
        guest_pages_keep(server->domid);
        return (int32_t)server->nr_vcpus;
    }
    if (server->state != SERVER_CREATED)
        panic("the core enables a server twice", handle, 0);
    int rc = dm_op_set_ioreq_server_state(server->domid, server->id, true);
    if (rc)
        return rc;
    rc = bind_all(server);
    if (rc) {
        (void)dm_op_set_ioreq_server_state(server->domid, server->id, false);
        server_complete_pending(server);
        unbind_all(server);
        return rc;
    }
    server_enter(server, SERVER_ENABLED);
    guest_pages_keep(server->domid);
    return (int32_t)server->nr_vcpus;
}

bool server_is_gone(int rc) {
    return rc == 0 || rc == -XEN_ESRCH || rc == -XEN_ENOENT; /* a dead guest takes its servers along */
}

static void drain(struct server *server) {
    if (server->state == SERVER_DRAINED)
        return;
    bool enabled = server->state == SERVER_ENABLED;
    server_claim(server)->taken_on = false;
    server_enter(server, SERVER_DRAINING);
    if (enabled) {
        (void)dm_op_set_ioreq_server_state(server->domid, server->id, false); /* refused only when the guest is dead */
        server_complete_pending(server);
        server_let_answers_be_taken(server);
        unbind_all(server);
    }
    guest_pages_drop(server->domid);
    foreign_unmap(server_page(server_index(server)), 1);
    server_enter(server, SERVER_DRAINED);
}

int32_t shim_ioreq_server_destroy(uint32_t handle) {
    struct server *server = server_of(handle);
    drain(server);
    int rc = dm_op_destroy_ioreq_server(server->domid, server->id);
    if (!server_is_gone(rc))
        return rc;
    server_enter(server, SERVER_FREE);
    return 0;
}
