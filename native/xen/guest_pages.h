/* SPDX-License-Identifier: MIT */
/*
 * Pages of guests that we see: an aperture of GUEST_PAGES_MAX page table entries with no memory of ours behind them
 * (machine_aperture()), filled as guests' pages are asked for, the longest unused making room. What is mapped stays so
 * between two calls: rings, command buffers and pictures cost hypercalls once, not each time.
 *
 * Xen keeps a frame for as long as we see it, so an address that this gives is never a fault and never another
 * domain's. But a mapping is of the frame that a guest frame number meant when it was asked for. So it is given up
 *
 *   when the guest gives pages back: Xen then asks every ioreq server to (IOREQ_TYPE_INVALIDATE). What was
 *   mapped counts no more from then on, and goes piece by piece, for a guest may do that as often as it likes,
 *   before we take or move pages of the guest ourselves,
 *   when its ioreq server goes, so that the guest can,
 *   when we restart.
 *
 * A guest that puts other memory at a number without giving back what was there (XENMEM_add_to_physmap, before Xen
 * 4.15) is answered from what was there, until one of these; that is its own, as with any device model's map cache.
 */
#ifndef GLOVEBOX_GUEST_PAGES_H
#define GLOVEBOX_GUEST_PAGES_H

#include "abi.h"

/* From now on what is mapped of this guest stays; of others it is given up after each call. */
void guest_pages_keep(domid_t domid);
/* Nothing of it is mapped, or will stay so. */
void guest_pages_drop(domid_t domid);

/* Where the guest's pages from gfn on are, COPY_WINDOW_PAGES at most; valid until as many others were asked for, or
 * guest_pages_leave(). 0 or -errno, and then `pages` means nothing. */
int guest_pages_enter(domid_t domid, uint64_t gfn, uint32_t count, uint8_t *pages[]);
/* These are not needed any more. */
void guest_pages_leave(domid_t domid, uint64_t gfn, uint32_t count);

/* What is mapped of the guest is not used any more, and goes with guest_pages_sweep(). */
void guest_pages_outdate(domid_t domid);
/* Gives some of that up, a few dozen microseconds' worth; true: there may be more. */
bool guest_pages_sweep(void);

/* Nothing is mapped of what a guest has at these numbers, or at any; was there something? */
void guest_pages_forget(domid_t domid, uint64_t gfn, uint64_t count);
bool guest_pages_forget_all(domid_t domid);

/* The aperture is empty, whatever it showed and whoever knew it. */
void guest_pages_take_back(void);

#endif
