/* SPDX-License-Identifier: MIT */
/* Life of the ioreq servers; server.h draws it. Create and destroy are mirror images. */
#include "server.h"

#include "console.h"
#include "dm_op.h"
#include "event.h"
#include "foreign.h"
#include "guest.h"
#include "hypercalls.h"
#include "ioreq.h"
#include "panic.h"
#include "shim.h"
#include "slot.h"
#include "survivor.h"

#define SLOTS_PER_PAGE (PAGE_BYTES / sizeof(struct ioreq))
#define ALL_ONES (~0ul)

_Static_assert(VCPUS_MAX == SLOTS_PER_PAGE, "one page has a slot for each vCPU");

static struct server servers[SHIM_SERVERS_MAX] SURVIVES;
/* As of the last seal; a panic between a change and its seal goes back to it. */
static struct server copies[SHIM_SERVERS_MAX] SURVIVES;
static uint32_t sums[SHIM_SERVERS_MAX] SURVIVES; /* of the copies */
static struct ioreq pages[SHIM_SERVERS_MAX][SLOTS_PER_PAGE] SURVIVES __attribute__((aligned(PAGE_BYTES)));

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

/* --- what outlives a restart -------------------------------------------------------------------------------------- */

static void seal(const struct server *server) {
    uint32_t index = index_of(server);
    copies[index] = *server;
    sums[index] = survivor_sum(&copies[index], sizeof(copies[index]));
}

static void enter(struct server *server, enum server_state state) {
    server->state = state;
    seal(server);
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

/* Outlived the restart, and the core has not asked for it yet. */
static bool unclaimed[SHIM_SERVERS_MAX];
static bool taken_on[SHIM_SERVERS_MAX]; /* and not enabled again by the core */
static bool range_unclaimed[SHIM_SERVERS_MAX][SERVER_RANGES_MAX];

static struct server *find_unclaimed(uint32_t domid) {
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++)
        if (unclaimed[i] && servers[i].domid == domid)
            return &servers[i];
    return NULL;
}

static int32_t take_on(struct server *server, uint32_t tag) {
    unclaimed[index_of(server)] = false;
    taken_on[index_of(server)] = true;
    server->tag = tag;
    seal(server);
    return handle_of(server);
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
    enter(server, SERVER_CREATING);
    int rc = create_on_guest(server);
    if (rc) {
        enter(server, SERVER_FREE);
        return rc;
    }
    server->generation = server->generation % GENERATION_MAX + 1;
    enter(server, SERVER_CREATED);
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
    if (server->state == SERVER_ENABLED && taken_on[index_of(server)]) {
        taken_on[index_of(server)] = false;
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
        complete_pending(server);
        unbind_all(server);
        return rc;
    }
    enter(server, SERVER_ENABLED);
    return (int32_t)server->nr_vcpus;
}

static bool server_is_gone(int rc) {
    return rc == 0 || rc == -XEN_ESRCH || rc == -XEN_ENOENT; /* a dead guest takes its servers along */
}

static void drain(struct server *server) {
    if (server->state == SERVER_DRAINED)
        return;
    bool enabled = server->state == SERVER_ENABLED;
    taken_on[index_of(server)] = false;
    enter(server, SERVER_DRAINING);
    if (enabled) {
        (void)dm_op_set_ioreq_server_state(server->domid, server->id, false); /* refused only when the guest is dead */
        complete_pending(server);
        let_answers_be_taken(server);
        unbind_all(server);
    }
    foreign_unmap(server_page(index_of(server)), 1);
    enter(server, SERVER_DRAINED);
}

int32_t shim_ioreq_server_destroy(uint32_t handle) {
    struct server *server = server_of(handle);
    drain(server);
    int rc = dm_op_destroy_ioreq_server(server->domid, server->id);
    if (!server_is_gone(rc))
        return rc;
    enter(server, SERVER_FREE);
    return 0;
}

/* --- ranges ------------------------------------------------------------------------------------------------------- */

static struct server_range *range_find(struct server *server, uint32_t type, uint64_t start, uint64_t end) {
    for (struct server_range *one = server->ranges; one < server->ranges + SERVER_RANGES_MAX; one++)
        if (one->state != RANGE_FREE && one->type == type && one->start == start && one->end == end)
            return one;
    return NULL;
}

static struct server_range *range_free(struct server *server) {
    for (struct server_range *one = server->ranges; one < server->ranges + SERVER_RANGES_MAX; one++)
        if (one->state == RANGE_FREE)
            return one;
    return NULL;
}

static void range_enter(struct server *server, struct server_range *range, enum range_state state) {
    range->state = state;
    seal(server);
}

static bool *range_claim(struct server *server, const struct server_range *range) {
    return &range_unclaimed[index_of(server)][range - server->ranges];
}

static int32_t range_do(struct server *server, uint32_t op, const struct server_range *range) {
    return dm_op_io_range(server->domid, op, server->id, range->type, range->start, range->end);
}

int32_t shim_ioreq_range_map(uint32_t handle, uint32_t type, uint64_t start, uint64_t end) {
    struct server *server = server_of(handle);
    if (start > end) /* Xen once trusted it (XSA-238) */
        return -XEN_EINVAL;
    struct server_range *range = range_find(server, type, start, end);
    bool again = range && *range_claim(server, range);
    if (again) {
        *range_claim(server, range) = false;
        if (range->state == RANGE_MAPPED)
            return 0; /* Xen has it, from before the restart */
    } else if (!(range = range_free(server))) {
        return -XEN_ENOSPC;
    }
    *range = (struct server_range){.type = type, .start = start, .end = end};
    range_enter(server, range, RANGE_UNSURE);
    int32_t rc = range_do(server, XEN_DMOP_map_io_range_to_ioreq_server, range);
    if (again && rc == -XEN_EEXIST)
        rc = 0;
    range_enter(server, range, rc ? RANGE_FREE : RANGE_MAPPED);
    return rc;
}

int32_t shim_ioreq_range_unmap(uint32_t handle, uint32_t type, uint64_t start, uint64_t end) {
    struct server *server = server_of(handle);
    struct server_range *range = range_find(server, type, start, end);
    if (start > end)
        return -XEN_EINVAL;
    if (!range)
        return -XEN_ENOENT;
    range_enter(server, range, RANGE_UNSURE);
    int32_t rc = range_do(server, XEN_DMOP_unmap_io_range_from_ioreq_server, range);
    range_enter(server, range, rc && rc != -XEN_ENOENT && rc != -XEN_ESRCH ? RANGE_MAPPED : RANGE_FREE);
    return rc;
}

/* --- across a restart --------------------------------------------------------------------------------------------- */

/* Errors are of no use to anybody here: the guest may be gone, or Xen may be what fails. */
static void answer_quietly(struct server *server, uint32_t vcpu) {
    struct ioreq *slot = &server_page(index_of(server))[vcpu];
    struct evtchn_send send = {.port = server->ports[vcpu]};
    uint32_t flags = slot_flags(slot);
    if ((flags & (IOREQ_FLAG_READ | IOREQ_FLAG_DATA_IS_PTR)) == IOREQ_FLAG_READ)
        slot->data = ALL_ONES;
    if (slot_advance(slot, STATE_IOREQ_INPROCESS, STATE_IORESP_READY))
        (void)hypercall_event_channel_op(EVTCHNOP_send, &send);
}

static bool is_mapped(const struct server *server) {
    return server->state == SERVER_ENABLED || server->state == SERVER_DRAINING;
}

static void answer_all(struct server *server, bool ready_too) {
    for (uint32_t vcpu = 0; vcpu < server->nr_vcpus && is_mapped(server); vcpu++) {
        struct ioreq *slot = &server_page(index_of(server))[vcpu];
        if (ready_too)
            (void)slot_advance(slot, STATE_IOREQ_READY, STATE_IOREQ_INPROCESS);
        if (slot_state(slot) == STATE_IOREQ_INPROCESS)
            answer_quietly(server, vcpu);
    }
}

static bool copy_is_whole(uint32_t index) {
    return sums[index] == survivor_sum(&copies[index], sizeof(copies[index]));
}

/* Never sealed, and never used: all zero. */
static bool is_blank(uint32_t index) {
    return sums[index] == 0 && servers[index].state == SERVER_FREE;
}

/* The sealed copy is what is believed. */
static void recall(uint32_t index) {
    if (is_blank(index))
        return;
    if (!copy_is_whole(index))
        panic("the record of an ioreq server is damaged, index", index, 0);
    servers[index] = copies[index];
}

void server_answer_interrupted(void) {
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++) {
        recall(i);
        answer_all(&servers[i], false);
    }
}

/* Ours are those that Xen lets us destroy: it refuses another emulator's (ioreq.c, ioreq_server_destroy). */
static void destroy_unknown(domid_t domid) {
    for (ioservid_t id = 0; id < XEN_IOREQ_SERVERS_MAX; id++) {
        bool known = false;
        for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++)
            known |= servers[i].domid == domid && servers[i].id == id && servers[i].state > SERVER_CREATING;
        if (!known)
            (void)dm_op_destroy_ioreq_server(domid, id);
    }
}

/* From any state but FREE. What Xen refuses is tried once more; then it is told and left to the guest's end. */
static void finish(struct server *server) {
    bool created = server->state != SERVER_CREATING;
    bool mapped = is_mapped(server);
    if (mapped)
        (void)dm_op_set_ioreq_server_state(server->domid, server->id, false);
    answer_all(server, true);
    if (mapped)
        let_answers_be_taken(server);
    for (uint32_t vcpu = 0; vcpu < server->bound; vcpu++)
        event_forget(server->ports[vcpu]);
    foreign_unmap(server_page(index_of(server)), 1);
    if (!created)
        destroy_unknown(server->domid);
    else if (!server_is_gone(dm_op_destroy_ioreq_server(server->domid, server->id)) &&
             !server_is_gone(dm_op_destroy_ioreq_server(server->domid, server->id)))
        console_trouble("an ioreq server stays until its guest ends, guest and server", server->domid, server->id);
    enter(server, SERVER_FREE);
}

static void attach_handlers(struct server *server) {
    uint32_t index = index_of(server);
    for (uint32_t vcpu = 0; vcpu < server->bound; vcpu++)
        event_attach(server->ports[vcpu], ioreq_service, index, vcpu);
}

void server_restart(void) {
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++) {
        struct server *server = &servers[i];
        if (server->state != SERVER_ENABLED)
            continue;
        attach_handlers(server);
        unclaimed[i] = true;
        for (uint32_t range = 0; range < SERVER_RANGES_MAX; range++)
            range_unclaimed[i][range] = server->ranges[range].state != RANGE_FREE;
    }
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++)
        if (servers[i].state != SERVER_FREE && servers[i].state != SERVER_ENABLED)
            finish(&servers[i]);
}

static void drop_ranges(struct server *server) {
    for (struct server_range *range = server->ranges; range < server->ranges + SERVER_RANGES_MAX; range++) {
        if (!*range_claim(server, range))
            continue;
        *range_claim(server, range) = false;
        (void)range_do(server, XEN_DMOP_unmap_io_range_from_ioreq_server, range);
        range_enter(server, range, RANGE_FREE);
    }
}

void server_drop_unclaimed(void) {
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++) {
        if (unclaimed[i])
            finish(&servers[i]);
        else if (servers[i].state == SERVER_ENABLED)
            drop_ranges(&servers[i]);
        unclaimed[i] = false;
    }
}

bool server_give_all_back(void) {
    bool any = false;
    for (uint32_t i = 0; i < SHIM_SERVERS_MAX; i++) {
        struct server *server = &servers[i];
        if (is_blank(i) || !copy_is_whole(i))
            continue;
        *server = copies[i];
        if (server->state == SERVER_FREE || server->state == SERVER_CREATING)
            continue;
        any = true;
        (void)dm_op_set_ioreq_server_state(server->domid, server->id, false);
        answer_all(server, true);
        let_answers_be_taken(server);
        (void)dm_op_destroy_ioreq_server(server->domid, server->id);
    }
    return any;
}
