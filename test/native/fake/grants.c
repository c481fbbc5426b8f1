/* SPDX-License-Identifier: MIT */
/* The driver domain's grant table, and the domain that maps out of it. */
#include <string.h>

#include "fake.h"
#include "shim_limits.h"

static uint64_t table_mfn;
static uint32_t maps[GRANT_ENTRIES];

/* What domain 0 grants: the directory at reference 1000, the file's pages behind it. */
#define OFFER_FIRST 1000u
#define OFFER_PAGES 260u
static uint8_t offered[OFFER_PAGES][PAGE_BYTES];
static uint32_t offered_pages, offered_holes;

grant_ref_t fake_offer_file(const void *bytes, uint32_t len, uint32_t holes) {
    offered_pages = 1 + (len + PAGE_BYTES - 1) / PAGE_BYTES;
    offered_holes = holes;
    CHECK(offered_pages <= OFFER_PAGES);
    for (uint32_t i = 1; i < offered_pages; i++)
        ((uint32_t *)(void *)offered[0])[i - 1] = OFFER_FIRST + i;
    memcpy(offered[1], bytes, len);
    return OFFER_FIRST;
}

static void copy_one(struct gnttab_copy *op) {
    uint32_t page = op->source.u.ref - OFFER_FIRST;
    if (!(op->flags & GNTCOPY_source_gref) || op->dest.domid != DOMID_SELF || op->source.offset || op->dest.offset ||
        op->len > PAGE_BYTES)
        fake_fail("unexpected GNTTABOP_copy", op->flags, op->len);
    op->status = GNTST_bad_gntref;
    if (op->source.domid != 0 || page >= offered_pages || (page && page <= offered_holes))
        return;
    memcpy(fake_frame(op->dest.u.gmfn), offered[page], op->len);
    op->status = GNTST_okay;
}

long fake_grant_table_op(uint64_t cmd, void *ops, uint32_t count) {
    struct gnttab_setup_table *setup = ops;
    for (uint32_t i = 0; cmd == GNTTABOP_copy && i < count; i++)
        copy_one((struct gnttab_copy *)ops + i);
    if (cmd == GNTTABOP_copy)
        return 0;
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
