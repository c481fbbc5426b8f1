/* SPDX-License-Identifier: MIT */
/*
 * Page table entries of ours that point at another domain's frames: those of windows, which are pages of our own at
 * other times, and those of the aperture. Mapping always flushes
 * the translation that was there: without that a write went into whatever the window showed before (seen on Xen).
 */
#ifndef GLOVEBOX_FOREIGN_H
#define GLOVEBOX_FOREIGN_H

#include "abi.h"

enum foreign_kind {
    FOREIGN_GFN,      /* guest frame numbers, translated by Xen through the guest's p2m */
    FOREIGN_RESOURCE, /* machine frames from XENMEM_acquire_resource, owned by the guest, never translated */
};

/* Points the first `count` pages at `window` (COPY_WINDOW_PAGES at most) at the frames; all or none. 0 or -errno. */
int foreign_map(void *window, domid_t domid, enum foreign_kind kind, const uint64_t *frames, uint32_t count);
/* Gives the window its own pages back. */
void foreign_unmap(void *window, uint32_t count);

/* A page of the aperture (machine_aperture()), which has none of its own. */
struct foreign_page {
    void *at;
    uint64_t gfn;
    bool showed_another; /* so its translation must be flushed; what shows nothing is not kept by a processor */
};
/* Points each (COPY_WINDOW_PAGES at most) at that page of the guest. 0 or -errno: any of them may show it then. */
int foreign_show(domid_t domid, const struct foreign_page *pages, uint32_t count);
/* They show nothing, once foreign_flush() was called. */
void foreign_clear(void *const pages[], uint32_t count);
/* Every translation is looked up anew. */
void foreign_flush(void);

#endif
