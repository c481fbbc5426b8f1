/* SPDX-License-Identifier: MIT */
/* ioreq servers and the other dm_ops, with the checks of Xen's ioreq.c: forward-only slots, ranges by exact match. */
#include <string.h>

#include "fake.h"
#include "shim_limits.h"

#define SERVERS 8u /* MAX_NR_IOREQ_SERVERS of Xen's sched.h */
#define RANGES 32u

static struct server {
    domid_t domid; /* 0 = free */
    bool enabled;
    uint64_t mfn; /* 0 until acquired */
    evtchn_port_t remote[FAKE_VCPUS];
    uint8_t flags_sent[FAKE_VCPUS];
    struct {
        bool used;
        uint32_t type;
        uint64_t start, end;
    } ranges[RANGES];
} servers[SERVERS];

static uint32_t hung, msis;
static uint64_t last_msi;

static struct server *server_of(domid_t domid, ioservid_t id) {
    return id < SERVERS && servers[id].domid == domid ? &servers[id] : NULL;
}

static struct ioreq *slot_of(struct server *server, uint32_t vcpu) {
    return (struct ioreq *)fake_frame(server->mfn) + vcpu;
}

static long create(domid_t domid, struct xen_dm_op_create_ioreq_server *create) {
    if (create->handle_bufioreq || create->pad[0] || create->pad[1] || create->pad[2])
        return -XEN_EINVAL;
    for (ioservid_t id = 0; id < SERVERS; id++) {
        if (servers[id].domid)
            continue;
        servers[id] = (struct server){.domid = domid};
        for (uint32_t vcpu = 0; vcpu < FAKE_VCPUS; vcpu++)
            servers[id].remote[vcpu] = fake_remote_port_new(domid);
        create->id = id;
        return 0;
    }
    return -XEN_ENOSPC;
}

static void destroy(struct server *server) {
    for (uint32_t vcpu = 0; vcpu < FAKE_VCPUS; vcpu++) {
        fake_remote_port_free(server->domid, server->remote[vcpu]);
        if (server->mfn) {
            uint8_t state = slot_of(server, vcpu)->state;
            hung += state == STATE_IOREQ_READY || state == STATE_IOREQ_INPROCESS;
        }
    }
    if (server->mfn)
        fake_frame_free(server->mfn);
    *server = (struct server){0};
}

void fake_servers_of_guest_gone(domid_t domid) {
    for (ioservid_t id = 0; id < SERVERS; id++)
        if (servers[id].domid == domid)
            destroy(&servers[id]);
}

static void set_state(struct server *server, bool enabled) {
    server->enabled = enabled;
    if (!server->mfn)
        server->mfn = fake_frame_new(server->domid);
    for (uint32_t vcpu = 0; vcpu < FAKE_VCPUS && enabled; vcpu++)
        slot_of(server, vcpu)->vp_eport = server->remote[vcpu];
}

static long map_range(struct server *server, const struct xen_dm_op_ioreq_server_range *range) {
    for (uint32_t i = 0; i < RANGES; i++) {
        if (server->ranges[i].used)
            continue;
        server->ranges[i].used = true;
        server->ranges[i].type = range->type;
        server->ranges[i].start = range->start;
        server->ranges[i].end = range->end;
        return 0;
    }
    return -XEN_ENOSPC;
}

static long unmap_range(struct server *server, const struct xen_dm_op_ioreq_server_range *range) {
    for (uint32_t i = 0; i < RANGES; i++) {
        if (!server->ranges[i].used || server->ranges[i].type != range->type ||
            server->ranges[i].start != range->start || server->ranges[i].end != range->end)
            continue;
        server->ranges[i].used = false;
        return 0;
    }
    return -XEN_ENOENT;
}

/* Upwards, stops at the first page that is not there; the operation's fields are garbage afterwards. */
static long relocate(domid_t domid, struct xen_dm_op_relocate_memory *move) {
    long rc = 0;
    for (uint32_t i = 0; i < move->size && rc == 0; i++)
        rc = fake_guest_move(domid, move->src_gfn + i, move->dst_gfn + i);
    memset(move, 0xee, sizeof(*move));
    return rc;
}

static long on_server(domid_t domid, struct xen_dm_op *op, ioservid_t id) {
    struct server *server = server_of(domid, id);
    if (!server)
        return -XEN_ENOENT;
    switch (op->op) {
    case XEN_DMOP_destroy_ioreq_server:
        destroy(server);
        return 0;
    case XEN_DMOP_set_ioreq_server_state:
        set_state(server, op->u.set_ioreq_server_state.enabled);
        return 0;
    case XEN_DMOP_map_io_range_to_ioreq_server:
        return map_range(server, &op->u.map_io_range_to_ioreq_server);
    default:
        return unmap_range(server, &op->u.map_io_range_to_ioreq_server);
    }
}

long fake_dm_op(domid_t domid, uint64_t nr_bufs, struct xen_dm_op_buf *bufs) {
    struct xen_dm_op *op = bufs[0].h.p;
    if (nr_bufs != 1 || bufs[0].size != sizeof(*op) || op->pad)
        fake_fail("malformed dm_op", nr_bufs, bufs[0].size);
    if (fake_guest_dead(domid))
        return -XEN_ESRCH;
    switch (op->op) {
    case XEN_DMOP_create_ioreq_server:
        return create(domid, &op->u.create_ioreq_server);
    case XEN_DMOP_destroy_ioreq_server:
        return on_server(domid, op, op->u.destroy_ioreq_server.id);
    case XEN_DMOP_set_ioreq_server_state:
        return on_server(domid, op, op->u.set_ioreq_server_state.id);
    case XEN_DMOP_map_io_range_to_ioreq_server:
    case XEN_DMOP_unmap_io_range_from_ioreq_server:
        return on_server(domid, op, op->u.map_io_range_to_ioreq_server.id);
    case XEN_DMOP_nr_vcpus:
        op->u.nr_vcpus.vcpus = FAKE_VCPUS;
        return 0;
    case XEN_DMOP_inject_msi:
        msis++;
        last_msi = op->u.inject_msi.addr ^ op->u.inject_msi.data;
        return 0;
    case XEN_DMOP_set_pci_intx_level:
        return op->u.set_pci_intx_level.bus || op->u.set_pci_intx_level.domain ? -XEN_EINVAL : 0;
    case XEN_DMOP_relocate_memory:
        return relocate(domid, &op->u.relocate_memory);
    }
    fake_fail("unexpected dm_op", op->op, 0);
}

long fake_acquire_resource(struct xen_mem_acquire_resource *resource) {
    struct server *server = server_of(resource->domid, (ioservid_t)resource->id);
    if (resource->type != XENMEM_resource_ioreq_server || resource->nr_frames != 1 || resource->pad ||
        resource->frame != XENMEM_resource_ioreq_server_frame_ioreq(0))
        fake_fail("unexpected acquire_resource", resource->type, resource->frame);
    if (!server)
        return -XEN_ENOENT;
    if (!server->mfn)
        server->mfn = fake_frame_new(server->domid);
    *resource->frame_list.p = server->mfn;
    return 0;
}

uint32_t fake_servers(void) {
    uint32_t count = 0;
    for (ioservid_t id = 0; id < SERVERS; id++)
        count += servers[id].domid != 0;
    return count;
}

uint32_t fake_ranges(void) {
    uint32_t count = 0;
    for (ioservid_t id = 0; id < SERVERS; id++)
        for (uint32_t i = 0; i < RANGES; i++)
            count += servers[id].ranges[i].used;
    return count;
}

static struct server *enabled_server(domid_t domid) {
    for (ioservid_t id = 0; id < SERVERS; id++)
        if (servers[id].domid == domid && servers[id].enabled)
            return &servers[id];
    return NULL;
}

static uint8_t *byte_30(struct ioreq *slot) {
    return (uint8_t *)slot + 30;
}

void fake_trap(domid_t domid, uint32_t vcpu, const struct ioreq *request) {
    struct server *server = enabled_server(domid);
    struct ioreq *slot = slot_of(server, vcpu);
    evtchn_port_t eport = slot->vp_eport;
    if (slot->state != STATE_IOREQ_NONE)
        fake_fail("a vCPU traps while it waits", vcpu, slot->state);
    *slot = *request;
    slot->vp_eport = eport;
    slot->state = STATE_IOREQ_READY;
    server->flags_sent[vcpu] = *byte_30(slot) & 0xf0;
    fake_raise_remote(domid, server->remote[vcpu]);
}

bool fake_trap_answered(domid_t domid, uint32_t vcpu, uint64_t *data) {
    for (ioservid_t id = 0; id < SERVERS; id++) {
        struct server *server = &servers[id];
        if (server->domid != domid || !server->mfn || slot_of(server, vcpu)->state != STATE_IORESP_READY)
            continue;
        struct ioreq *slot = slot_of(server, vcpu);
        if ((*byte_30(slot) & 0xf0) != server->flags_sent[vcpu] || slot->vp_eport != server->remote[vcpu])
            fake_fail("the shim disturbed Xen's part of a slot", *byte_30(slot), slot->vp_eport);
        *data = slot->data;
        slot->state = STATE_IOREQ_NONE;
        return true;
    }
    return false;
}

void fake_trap_flip(domid_t domid, uint32_t vcpu, uint8_t state) {
    slot_of(enabled_server(domid), vcpu)->state = state;
}

uint8_t fake_trap_state(domid_t domid, uint32_t vcpu) {
    return slot_of(enabled_server(domid), vcpu)->state;
}

uint32_t fake_hung_vcpus(void) {
    return hung;
}

uint32_t fake_msis(void) {
    return msis;
}

uint64_t fake_last_msi(void) {
    return last_msi;
}
