/* SPDX-License-Identifier: MIT */
/* The driver domain's grant table, and the domain that maps out of it. */
#include "fake.h"
#include "shim_limits.h"

static uint64_t table_mfn;
static uint32_t maps[GRANT_ENTRIES];

long fake_grant_table_op(uint64_t cmd, void *ops) {
    struct gnttab_setup_table *setup = ops;
    if (cmd != GNTTABOP_setup_table || setup->dom != DOMID_SELF || setup->nr_frames != 1)
        fake_fail("unexpected grant_table_op", cmd, setup->nr_frames);
    if (!table_mfn)
        table_mfn = fake_frame_new(DOMID_XEN);
    *setup->frame_list.p = table_mfn;
    setup->status = GNTST_okay;
    return 0;
}

struct grant_entry_v1 *fake_grant(grant_ref_t ref) {
    return (struct grant_entry_v1 *)fake_frame(table_mfn) + ref;
}

uint32_t fake_grants(void) {
    uint32_t count = 0;
    for (grant_ref_t ref = 0; table_mfn && ref < GRANT_ENTRIES; ref++)
        count += fake_grant(ref)->flags != GTF_invalid;
    return count;
}

const uint8_t *fake_grant_map(grant_ref_t ref, domid_t by) {
    struct grant_entry_v1 *entry = fake_grant(ref);
    if ((entry->flags & GTF_type_mask) != GTF_permit_access || !(entry->flags & GTF_readonly) || entry->domid != by)
        return NULL;
    entry->flags |= GTF_reading;
    maps[ref]++;
    return fake_frame(entry->frame);
}

void fake_grant_unmap(grant_ref_t ref) {
    if (--maps[ref] == 0)
        fake_grant(ref)->flags &= (uint16_t)~GTF_reading;
}
