/* SPDX-License-Identifier: MIT */
/*
 * Windows: pages of our own whose page table entries can be pointed at another domain's frames. Mapping always flushes
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

#endif
