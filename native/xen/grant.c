/* SPDX-License-Identifier: MIT */
/*
 * Entries are shared with Xen, which sets GTF_reading and GTF_writing while a page is mapped. An entry is published by
 * its flags, last; it is taken back by a compare and exchange that fails when Xen got there first.
 */
#include "grant.h"

#include "hypercalls.h"
#include "panic.h"
#include "shim_limits.h"
#include "survivor.h"

static uint8_t table_page[PAGE_BYTES] SURVIVES __attribute__((aligned(PAGE_BYTES)));
static struct grant_entry_v1 *const table = (struct grant_entry_v1 *)table_page;

void grant_init(void) {
    xen_pfn_t frame = 0;
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};
    set_xen_guest_handle(setup.frame_list, &frame);
    int rc = hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    if (rc || setup.status != GNTST_okay)
        panic("no grant table, errno and status", (uint64_t)-rc, (uint64_t)-setup.status);
    if (hypercall_update_va_mapping(table_page, frame << PAGE_SHIFT | PTE_READ_WRITE, UVMF_INVLPG | UVMF_LOCAL))
        panic("cannot map the grant table", frame, 0);
}

int32_t grant_find_run(uint32_t count) {
    uint32_t run = 0;
    for (uint32_t ref = GNTTAB_NR_RESERVED_ENTRIES; ref < GRANT_ENTRIES; ref++) {
        run = table[ref].flags == GTF_invalid ? run + 1 : 0;
        if (run == count)
            return (int32_t)(ref + 1 - count);
    }
    return -XEN_ENOSPC;
}

void grant_read_only(grant_ref_t ref, domid_t domid, uint64_t mfn) {
    if (ref >= GRANT_ENTRIES || table[ref].flags != GTF_invalid || mfn > UINT32_MAX)
        panic("bad grant, reference and frame", ref, mfn);
    table[ref].frame = (uint32_t)mfn;
    table[ref].domid = domid;
    __atomic_store_n(&table[ref].flags, (uint16_t)(GTF_permit_access | GTF_readonly), __ATOMIC_RELEASE);
}

bool grant_end(grant_ref_t ref) {
    uint16_t flags = __atomic_load_n(&table[ref].flags, __ATOMIC_ACQUIRE);
    do {
        if (flags & (GTF_reading | GTF_writing))
            return false;
    } while (!__atomic_compare_exchange_n(&table[ref].flags, &flags, GTF_invalid, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    return true;
}
