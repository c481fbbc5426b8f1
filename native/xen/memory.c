/* SPDX-License-Identifier: MIT */
/*
 * RAM of a guest: give, take, move. Xen answers a reservation with the number of extents done and shows refusal as
 * fewer, down to 0, not as an error; that count is what the core gets, so it can undo exactly what was done. A page
 * that goes or moves is not seen by us any more.
 */
#include "dm_op.h"
#include "guest.h"
#include "guest_pages.h"
#include "hypercalls.h"
#include "shim.h"
#include "shim_limits.h"

/* The frame list is in and out: populate overwrites it, so it is filled anew for each batch. */
static long reserve(uint32_t cmd, domid_t domid, uint64_t gfn, uint32_t count) {
    xen_pfn_t frames[MEMORY_BATCH_PAGES];
    struct xen_memory_reservation reservation = {.nr_extents = count, .domid = domid};
    for (uint32_t i = 0; i < count; i++)
        frames[i] = gfn + i;
    set_xen_guest_handle(reservation.extent_start, frames);
    return hypercall_memory_op(cmd, &reservation);
}

static bool pages_valid(uint32_t domid, uint64_t gfn, uint32_t nr_pages) {
    return guest_domid_valid(domid) && nr_pages <= INT32_MAX && gfn <= FRAME_NUMBER_MAX - nr_pages;
}

static int32_t reserve_all(uint32_t cmd, uint32_t domid, uint64_t gfn, uint32_t nr_pages) {
    uint32_t done = 0;
    if (!pages_valid(domid, gfn, nr_pages))
        return -XEN_EINVAL;
    while (done < nr_pages) {
        uint32_t left = nr_pages - done;
        uint32_t count = left < MEMORY_BATCH_PAGES ? left : MEMORY_BATCH_PAGES;
        long rc = reserve(cmd, (domid_t)domid, gfn + done, count);
        if (rc < 0 && done == 0)
            return (int32_t)rc;
        if (rc > 0)
            done += (uint32_t)rc;
        if (rc < (long)count)
            break;
    }
    return (int32_t)done;
}

int32_t shim_guest_populate(uint32_t domid, uint64_t gfn, uint32_t nr_pages) {
    return reserve_all(XENMEM_populate_physmap, domid, gfn, nr_pages);
}

/* Not one page: there is a hole, or the guest is dead and still there because we see pages of it. */
static bool stays_for_us(domid_t domid, int32_t done, uint32_t nr_pages) {
    return done == 0 && nr_pages && guest_pages_forget_all(domid);
}

int32_t shim_guest_depopulate(uint32_t domid, uint64_t gfn, uint32_t nr_pages) {
    if (!pages_valid(domid, gfn, nr_pages))
        return -XEN_EINVAL;
    guest_pages_forget((domid_t)domid, gfn, nr_pages);
    int32_t done = reserve_all(XENMEM_decrease_reservation, domid, gfn, nr_pages);
    if (stays_for_us((domid_t)domid, done, nr_pages))
        done = reserve_all(XENMEM_decrease_reservation, domid, gfn, nr_pages);
    return done;
}

static bool overlap(uint64_t a, uint64_t b, uint32_t nr_pages) {
    return a < b + nr_pages && b < a + nr_pages;
}

/*
 * Xen moves page after page, upwards, and stops at the first that it cannot move without saying which. Moving back
 * stops at the same page, as there is none at its new place: so the second call undoes the first, whatever it did.
 */
int32_t shim_guest_relocate(uint32_t domid, uint64_t src_gfn, uint64_t dst_gfn, uint32_t nr_pages) {
    if (!pages_valid(domid, src_gfn, nr_pages) || !pages_valid(domid, dst_gfn, nr_pages) ||
        overlap(src_gfn, dst_gfn, nr_pages))
        return -XEN_EINVAL;
    guest_pages_forget((domid_t)domid, src_gfn, nr_pages);
    guest_pages_forget((domid_t)domid, dst_gfn, nr_pages);
    int rc = dm_op_relocate_memory((domid_t)domid, src_gfn, dst_gfn, nr_pages);
    if (rc)
        (void)dm_op_relocate_memory((domid_t)domid, dst_gfn, src_gfn, nr_pages);
    return rc;
}
