/* SPDX-License-Identifier: MIT */
/* Every operation is one buffer holding struct xen_dm_op; padding must be 0, which the initialisers see to. */
#include "dm_op.h"

#include "hypercalls.h"

static int dm_op(domid_t domid, struct xen_dm_op *op) {
    struct xen_dm_op_buf buf = {.size = sizeof(*op)};
    set_xen_guest_handle(buf.h, op);
    return hypercall_dm_op(domid, 1, &buf);
}

int dm_op_create_ioreq_server(domid_t domid, ioservid_t *id) {
    struct xen_dm_op op = {.op = XEN_DMOP_create_ioreq_server, .u.create_ioreq_server.handle_bufioreq = BUFIOREQ_OFF};
    int rc = dm_op(domid, &op);
    *id = op.u.create_ioreq_server.id;
    return rc;
}

int dm_op_destroy_ioreq_server(domid_t domid, ioservid_t id) {
    struct xen_dm_op op = {.op = XEN_DMOP_destroy_ioreq_server, .u.destroy_ioreq_server.id = id};
    return dm_op(domid, &op);
}

int dm_op_set_ioreq_server_state(domid_t domid, ioservid_t id, bool enabled) {
    struct xen_dm_op op = {.op = XEN_DMOP_set_ioreq_server_state,
                           .u.set_ioreq_server_state = {.id = id, .enabled = enabled}};
    return dm_op(domid, &op);
}

int dm_op_io_range(domid_t domid, uint32_t code, ioservid_t id, uint32_t type, uint64_t start, uint64_t end) {
    struct xen_dm_op op = {.op = code,
                           .u.map_io_range_to_ioreq_server = {.id = id, .type = type, .start = start, .end = end}};
    return dm_op(domid, &op);
}

int dm_op_nr_vcpus(domid_t domid) {
    struct xen_dm_op op = {.op = XEN_DMOP_nr_vcpus};
    int rc = dm_op(domid, &op);
    return rc ? rc : (int)op.u.nr_vcpus.vcpus;
}

int dm_op_inject_msi(domid_t domid, uint64_t address, uint32_t data) {
    struct xen_dm_op op = {.op = XEN_DMOP_inject_msi, .u.inject_msi = {.data = data, .addr = address}};
    return dm_op(domid, &op);
}

/* Xen takes domain 0 and bus 0 only (x86/hvm/dm.c). */
int dm_op_set_pci_intx_level(domid_t domid, uint8_t device, uint8_t intx, uint8_t level) {
    struct xen_dm_op op = {.op = XEN_DMOP_set_pci_intx_level,
                           .u.set_pci_intx_level = {.device = device, .intx = intx, .level = level}};
    return dm_op(domid, &op);
}

int dm_op_relocate_memory(domid_t domid, uint64_t src_gfn, uint64_t dst_gfn, uint32_t nr_pages) {
    struct xen_dm_op op = {.op = XEN_DMOP_relocate_memory,
                           .u.relocate_memory = {.size = nr_pages, .src_gfn = src_gfn, .dst_gfn = dst_gfn}};
    return dm_op(domid, &op);
}
