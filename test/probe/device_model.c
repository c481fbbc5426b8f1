/* SPDX-License-Identifier: MIT */
/*
 * Device model operations on whom it is not device model of. On its own target Xen allows every one of them with one
 * check (xsm_dm_op): the rows on TARGET show that the requests are good, and what stays another emulator's.
 */
#include "probe.h"

#include <xen/hvm/hvm_op.h>

#include "dm_op.h"

#define RAM_GFN 0x400
#define MSI_ADDRESS 0xfee00000
#define SOME_VECTOR 0x40

static const char *dm_op(domid_t domid, struct xen_dm_op *op) {
    struct xen_dm_op_buf buf = {.size = sizeof(*op)};
    set_xen_guest_handle(buf.h, op);
    return errno_word(hypercall_dm_op(domid, 1, &buf));
}

static const char *nr_vcpus(domid_t domid) {
    return errno_word(dm_op_nr_vcpus(domid));
}

/* Taken back at once where it succeeds. */
static const char *create_server(domid_t domid) {
    ioservid_t id;
    int rc = dm_op_create_ioreq_server(domid, &id);
    if (rc == 0)
        rc = dm_op_destroy_ioreq_server(domid, id);
    return errno_word(rc);
}

static const char *inject_msi(domid_t domid) {
    return errno_word(dm_op_inject_msi(domid, MSI_ADDRESS, SOME_VECTOR));
}

static const char *inject_event(domid_t domid) {
    struct xen_dm_op op = {.op = XEN_DMOP_inject_event, .u.inject_event = {.vector = 2, .type = 2}};
    return dm_op(domid, &op);
}

static const char *set_level(domid_t domid) {
    return errno_word(dm_op_set_pci_intx_level(domid, 1, 0, 0));
}

static const char *relocate(domid_t domid) {
    return errno_word(dm_op_relocate_memory(domid, RAM_GFN, 0xf5000, 1));
}

static const char *set_mem_type(domid_t domid) {
    struct xen_dm_op op = {.op = XEN_DMOP_set_mem_type,
                           .u.set_mem_type = {.mem_type = HVMMEM_ram_ro, .nr = 1, .first_pfn = RAM_GFN}};
    return dm_op(domid, &op);
}

static const char *remote_shutdown(domid_t domid) {
    struct xen_dm_op op = {.op = XEN_DMOP_remote_shutdown, .u.remote_shutdown.reason = SHUTDOWN_crash};
    return dm_op(domid, &op);
}

static const char *track_dirty(domid_t domid) {
    struct xen_dm_op op = {.op = XEN_DMOP_track_dirty_vram, .u.track_dirty_vram = {.nr = 1, .first_pfn = RAM_GFN}};
    uint8_t bitmap[8];
    struct xen_dm_op_buf bufs[2] = {{.size = sizeof(op)}, {.size = sizeof(bitmap)}};
    set_xen_guest_handle(bufs[0].h, &op);
    set_xen_guest_handle(bufs[1].h, bitmap);
    return errno_word(hypercall_dm_op(domid, 2, bufs));
}

/* --- the server of another emulator, on our own target ------------------------------------------------------------ */

static const char *server_info(domid_t domid) {
    struct xen_dm_op op = {.op = XEN_DMOP_get_ioreq_server_info, .u.get_ioreq_server_info.id = world.server};
    return dm_op(domid, &op);
}

static const char *server_state(domid_t domid) {
    return errno_word(dm_op_set_ioreq_server_state(domid, world.server, false));
}

static const char *server_range(domid_t domid) {
    return errno_word(dm_op_io_range(domid, XEN_DMOP_map_io_range_to_ioreq_server, world.server, XEN_DMOP_IO_RANGE_PORT,
                                     0x5f0, 0x5f3));
}

static const char *server_destroy(domid_t domid) {
    return errno_word(dm_op_destroy_ioreq_server(domid, world.server));
}

/* --- the scheduler's side ----------------------------------------------------------------------------------------- */

static const char *sched_shutdown(domid_t domid) {
    struct sched_remote_shutdown shutdown = {.domain_id = domid, .reason = SHUTDOWN_crash};
    return errno_word(hypercall_sched_op(SCHEDOP_remote_shutdown, &shutdown));
}

static const char *pin_override(domid_t domid) {
    struct sched_pin_override pin = {.pcpu = 0};
    (void)domid;
    return errno_word(hypercall_sched_op(SCHEDOP_pin_override, &pin));
}

static const struct probe rows[] = {
    {"XEN_DMOP_nr_vcpus", OTHER, "be device model of any guest", nr_vcpus},
    {"XEN_DMOP_nr_vcpus", DOM0, "be device model of Dom0", nr_vcpus},
    {"XEN_DMOP_nr_vcpus", SELF, "be its own device model", nr_vcpus},
    {"XEN_DMOP_nr_vcpus", TARGET, "serve its guest", nr_vcpus},
    {"XEN_DMOP_create_ioreq_server", OTHER, "see any guest's accesses to devices", create_server},
    {"XEN_DMOP_create_ioreq_server", TARGET, "serve its guest", create_server},
    {"XEN_DMOP_inject_msi", OTHER, "interrupt any guest", inject_msi},
    {"XEN_DMOP_set_pci_intx_level", OTHER, "interrupt any guest", set_level},
    {"XEN_DMOP_inject_event", OTHER, "make any guest's processor trap", inject_event},
    {"XEN_DMOP_remote_shutdown", OTHER, "crash any guest", remote_shutdown},
    {"XEN_DMOP_relocate_memory", OTHER, "move any guest's memory", relocate},
    {"XEN_DMOP_set_mem_type", OTHER, "make any guest's memory read-only", set_mem_type},
    {"XEN_DMOP_track_dirty_vram", OTHER, "watch which pages any guest writes", track_dirty},
    {"XEN_DMOP_get_ioreq_server_info of another emulator", TARGET, "find another emulator's requests", server_info},
    {"XEN_DMOP_set_ioreq_server_state of another emulator", TARGET, "switch another emulator off", server_state},
    {"XEN_DMOP_map_io_range_to_ioreq_server of another emulator", TARGET, "send another emulator accesses",
     server_range},
    {"XEN_DMOP_destroy_ioreq_server of another emulator", TARGET, "end another emulator", server_destroy},
    {"SCHEDOP_remote_shutdown", OTHER, "crash any guest", sched_shutdown},
    {"SCHEDOP_remote_shutdown", DOM0, "crash Dom0", sched_shutdown},
    {"SCHEDOP_pin_override", NOBODY, "choose its own processor", pin_override},
};
const struct probe_table device_model_probes = PROBE_TABLE(rows);
