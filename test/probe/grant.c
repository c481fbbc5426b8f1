/* SPDX-License-Identifier: MIT */
/* Pages that others granted, but not to us. */
#include "grant.h"

#include "probe.h"

/* Reserved entries of a new guest's table, granted to Dom0 (grant_table.h). */
#define XENSTORE_REF GNTTAB_RESERVED_XENSTORE
#define REFS_TRIED 512
#define RAM_GFN 0x400

static uint8_t window[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static uint8_t shared[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static int grant_op(uint32_t cmd, void *op) {
    return hypercall_grant_table_op(cmd, op, 1);
}

/* Xen leaves nothing where a grant was mapped. */
static void unmap(grant_handle_t handle) {
    struct gnttab_unmap_grant_ref op = {.host_addr = (uint64_t)window, .handle = handle};
    (void)grant_op(GNTTABOP_unmap_grant_ref, &op);
    (void)hypercall_update_va_mapping(window, machine_mfn(window) << PAGE_SHIFT | PTE_READ_WRITE,
                                      UVMF_INVLPG | UVMF_LOCAL);
}

static const char *map(domid_t domid, grant_ref_t ref) {
    struct gnttab_map_grant_ref op = {
        .host_addr = (uint64_t)window, .flags = GNTMAP_host_map | GNTMAP_readonly, .ref = ref, .dom = domid};
    int rc = grant_op(GNTTABOP_map_grant_ref, &op);
    if (rc == 0 && op.status == GNTST_okay)
        unmap(op.handle);
    return rc ? errno_word(rc) : grant_word(op.status);
}

/* A grant that exists, to somebody else. */
static const char *map_xenstore(domid_t domid) {
    return map(domid, XENSTORE_REF);
}

static const char *map_any(domid_t domid) {
    const char *refused = NULL;
    for (grant_ref_t ref = 0; ref < REFS_TRIED; ref++)
        if (!(refused = map(domid, ref)))
            break;
    return refused;
}

static const char *map_own(domid_t domid) {
    int32_t ref = grant_find_run(1);
    if (ref < 0)
        return errno_word(ref);
    grant_read_only((grant_ref_t)ref, domid, machine_mfn(shared));
    const char *refused = map(domid, (grant_ref_t)ref);
    (void)grant_end((grant_ref_t)ref);
    return refused;
}

static const char *copy(struct gnttab_copy *op) {
    op->dest.u.gmfn = machine_mfn(window);
    op->dest.domid = DOMID_SELF;
    op->len = PAGE_BYTES;
    int rc = grant_op(GNTTABOP_copy, op);
    return rc ? errno_word(rc) : grant_word(op->status);
}

static const char *copy_frame(domid_t domid) {
    struct gnttab_copy op = {.source = {.u.gmfn = RAM_GFN, .domid = domid}};
    return copy(&op);
}

static const char *copy_ref(domid_t domid) {
    struct gnttab_copy op = {.source = {.u.ref = XENSTORE_REF, .domid = domid}, .flags = GNTCOPY_source_gref};
    return copy(&op);
}

static const char *setup_table(domid_t domid) {
    xen_pfn_t frame;
    struct gnttab_setup_table op = {.dom = domid, .nr_frames = 1};
    set_xen_guest_handle(op.frame_list, &frame);
    int rc = grant_op(GNTTABOP_setup_table, &op);
    return rc ? errno_word(rc) : grant_word(op.status);
}

static const char *query_size(domid_t domid) {
    struct gnttab_query_size op = {.dom = domid};
    int rc = grant_op(GNTTABOP_query_size, &op);
    return rc ? errno_word(rc) : grant_word(op.status);
}

static const struct probe rows[] = {
    {"GNTTABOP_map_grant_ref granted to Dom0", OTHER, "read what a guest shares with Dom0", map_xenstore},
    {"GNTTABOP_map_grant_ref granted to Dom0", TARGET, "read what its guest shares with Dom0, by grant", map_xenstore},
    {"GNTTABOP_map_grant_ref of any grant", DOM0, "read what Dom0 shares with others", map_any},
    {"GNTTABOP_map_grant_ref", SELF, "map a page that was granted to it", map_own},
    {"GNTTABOP_copy from a frame", OTHER, "copy any guest's memory", copy_frame},
    {"GNTTABOP_copy from a frame", DOM0, "copy Dom0's memory", copy_frame},
    {"GNTTABOP_copy granted to Dom0", OTHER, "copy what a guest shares with Dom0", copy_ref},
    {"GNTTABOP_setup_table", OTHER, "forge any guest's grants", setup_table},
    {"GNTTABOP_query_size", OTHER, "look at any guest's grants", query_size},
    {"GNTTABOP_query_size", SELF, "look at its own grants", query_size},
};
const struct probe_table grant_probes = PROBE_TABLE(rows);
