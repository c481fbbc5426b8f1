/* SPDX-License-Identifier: MIT */
/* Life of the ioreq servers; server.h draws it. Create and destroy are mirror images. */
#include "server.h"

#include "dm_op.h"
#include "event.h"
#include "foreign.h"
#include "guest.h"
#include "hypercalls.h"
#include "ioreq.h"
#include "panic.h"
#include "shim.h"
#include "slot.h"

#define SLOTS_PER_PAGE (PAGE_BYTES / sizeof(struct ioreq))
#define ALL_ONES (~0ul)

_Static_assert(VCPUS_MAX == SLOTS_PER_PAGE, "one page has a slot for each vCPU");

static struct server servers[SHIM_SERVERS_MAX];
static struct ioreq pages[SHIM_SERVERS_MAX][SLOTS_PER_PAGE] __attribute__((aligned(PAGE_BYTES)));

struct server *server_at(uint32_t index) {
    return &servers[index];
}

struct ioreq *server_page(uint32_t index) {
    return pages[index];
}

/* --- handles: generation above, index in the low byte; a stale one is the core's bug ---------------------------- */

#define GENERATION_MAX 0x7fffffu

static uint32_t index_of(const struct server *server) {
    return (uint32_t)(server - servers);
}

static int32_t handle_of(const struct server *server) {
    return (int32_t)(server->generation << 8 | index_of(server));
}

static struct server *server_of(uint32_t handle) {
    uint32_t index = handle & 0xff;
    if (index >= SHIM_SERVERS_MAX || servers[index].state == SERVER_FREE || servers[index].generation != handle >> 8)
        panic("the core uses a stale server handle", handle, 0);
    return &servers[index];
}

/* --- create and destroy, mirror images ---------------------------------------------------------------------------- */

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
    return foreign_map(server_page(index_of(server)), server->domid, FOREIGN_RESOURCE, &mfn, 1);
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
        if (servers[i].state == SERVER_FREE)
            return &servers[i];
    return NULL;
}

int32_t shim_ioreq_server_create(uint32_t domid, uint32_t tag) {
    struct server *server = find_free();
    if (!guest_domid_valid(domid))
        return -XEN_EINVAL;
    if (!server)
        return -XEN_ENOSPC;
    server->domid = (domid_t)domid;
    server->tag = tag;
    server->bound = 0;
    int rc = create_on_guest(server);
    if (rc)
        return rc;
    server->generation = server->generation % GENERATION_MAX + 1;
    server->state = SERVER_CREATED;
    return handle_of(server);
}

static void unbind_all(struct server *server) {
    while (server->bound > 0)
        event_unbind(server->ports[--server->bound]);
}

/* Xen publishes the ports (vp_eport) when the server is enabled. Binding raises each port, so a request that came
 * in between is seen. */
static int bind_all(struct server *server) {
    uint32_t index = index_of(server);
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

/* The defined answer to whatever is pending. INPROCESS is a request whose answer is being made further up our stack. */
static void complete_pending(struct server *server) {
    for (uint32_t vcpu = 0; vcpu < server->bound; vcpu++) {
        struct ioreq *slot = &server_page(index_of(server))[vcpu];
        (void)slot_advance(slot, STATE_IOREQ_READY, STATE_IOREQ_INPROCESS);
        if (slot_state(slot) == STATE_IOREQ_INPROCESS)
            slot_complete(slot, slot_flags(slot), ALL_ONES, server->ports[vcpu]);
    }
}

static bool answers_taken(struct server *server) {
    for (uint32_t vcpu = 0; vcpu < server->bound; vcpu++)
        if (slot_state(&server_page(index_of(server))[vcpu]) != STATE_IOREQ_NONE)
            return false;
    return true;
}

/* A vCPU that has not taken its answer when the server goes would go on with what it asked with: give it a moment. It
 * may be paused, or dead; then nobody misses the answer. */
static void let_answers_be_taken(struct server *server) {
    for (uint32_t turn = 0; turn < DRAIN_YIELDS && !answers_taken(server); turn++)
        hypercall_sched_op(SCHEDOP_yield, NULL);
}

int32_t shim_ioreq_server_enable(uint32_t handle) {
    struct server *server = server_of(handle);
    if (server->state != SERVER_CREATED)
        panic("the core enables a server twice", handle, 0);
    int rc = dm_op_set_ioreq_server_state(server->domid, server->id, true);
    if (rc)
        return rc;
    rc = bind_all(server);
    if (rc) {
        (void)dm_op_set_ioreq_server_state(server->domid, server->id, false);
        complete_pending(server);
        unbind_all(server);
        return rc;
    }
    server->state = SERVER_ENABLED;
    return (int32_t)server->nr_vcpus;
}

static bool server_is_gone(int rc) {
    return rc == 0 || rc == -XEN_ESRCH || rc == -XEN_ENOENT; /* a dead guest takes its servers along */
}

static void drain(struct server *server) {
    if (server->state == SERVER_ENABLED) {
        (void)dm_op_set_ioreq_server_state(server->domid, server->id, false); /* refused only when the guest is dead */
        complete_pending(server);
        let_answers_be_taken(server);
        unbind_all(server);
    }
    if (server->state != SERVER_DRAINED)
        foreign_unmap(server_page(index_of(server)), 1);
    server->state = SERVER_DRAINED;
}

int32_t shim_ioreq_server_destroy(uint32_t handle) {
    struct server *server = server_of(handle);
    drain(server);
    int rc = dm_op_destroy_ioreq_server(server->domid, server->id);
    if (!server_is_gone(rc))
        return rc;
    server->state = SERVER_FREE;
    return 0;
}

/* --- ranges ------------------------------------------------------------------------------------------------------- */

static int32_t range(uint32_t op, uint32_t handle, uint32_t type, uint64_t start, uint64_t end) {
    const struct server *server = server_of(handle);
    if (start > end) /* Xen once trusted it (XSA-238) */
        return -XEN_EINVAL;
    return dm_op_io_range(server->domid, op, server->id, type, start, end);
}

int32_t shim_ioreq_range_map(uint32_t server, uint32_t type, uint64_t start, uint64_t end) {
    return range(XEN_DMOP_map_io_range_to_ioreq_server, server, type, start, end);
}

int32_t shim_ioreq_range_unmap(uint32_t server, uint32_t type, uint64_t start, uint64_t end) {
    return range(XEN_DMOP_unmap_io_range_from_ioreq_server, server, type, start, end);
}
