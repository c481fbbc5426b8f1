/* SPDX-License-Identifier: MIT */
/*
 * The share: pages of ours that one other domain at a time may read. Revoking wipes them, so that no reader finds what
 * was meant for the one before.
 */
#include <string.h>

#include "core.h"
#include "grant.h"
#include "guest.h"
#include "machine.h"
#include "shim.h"
#include "shim_limits.h"
#include "survivor.h"

#define SHARE_BYTES ((uint32_t)SHIM_SHARE_PAGES * PAGE_BYTES)

static uint8_t share[SHARE_BYTES] __attribute__((aligned(PAGE_BYTES)));
/* Whom it is granted to outlives a restart; the core then begins with a revoke. */
static grant_ref_t first_ref SURVIVES;
static uint32_t granted_pages SURVIVES;
static domid_t reader SURVIVES;

static void grant_page(uint32_t page) {
    grant_read_only(first_ref + page, reader, machine_mfn(share + page * PAGE_BYTES));
}

int32_t shim_share_grant(uint32_t domid, uint32_t nr_pages) {
    if (!guest_domid_valid(domid) || nr_pages == 0 || nr_pages > SHIM_SHARE_PAGES)
        return -XEN_EINVAL;
    if (granted_pages)
        return -XEN_EBUSY;
    int32_t first = grant_find_run(nr_pages);
    if (first < 0)
        return first;
    first_ref = (grant_ref_t)first;
    reader = (domid_t)domid;
    granted_pages = nr_pages;
    for (uint32_t page = 0; page < nr_pages; page++)
        grant_page(page);
    return first;
}

/* All or nothing: the reader may map a page between two of our steps, and then everything stays granted. */
int32_t shim_share_revoke(void) {
    for (uint32_t page = 0; page < granted_pages; page++) {
        if (grant_end(first_ref + page))
            continue;
        while (page-- > 0)
            grant_page(page);
        return -XEN_EBUSY;
    }
    granted_pages = 0;
    memset(share, 0, sizeof(share));
    return 0;
}

static bool part_valid(uint32_t offset, uint32_t len) {
    return (uint64_t)offset + len <= SHARE_BYTES;
}

int32_t shim_share_copy_guest(uint32_t domid, uint64_t gpa, uint32_t share_offset, uint32_t len) {
    if (!guest_domid_valid(domid) || !part_valid(share_offset, len))
        return -XEN_EINVAL;
    return guest_copy((domid_t)domid, gpa, share + share_offset, len, FROM_GUEST);
}

int32_t shim_share_write(uint32_t share_offset, uint32_t src_ptr, uint32_t len) {
    if (!part_valid(share_offset, len))
        return -XEN_EINVAL;
    memcpy(share + share_offset, core_bytes(src_ptr, len), len);
    return 0;
}
