// SPDX-License-Identifier: MIT
/*
 * Pages that the driver domain grants to us, read-only, for one reply. Its numbers are allegations: counts and sizes
 * are checked before anything is mapped, and the bytes are copied out once and used only as the copy.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <xengnttab.h>

#include "gbctl.h"

static int refuse(struct gb *gb, const struct driver *driver, const char *what) {
    return gb_fail(gb, GB_FAILED, "driver domain %u (%s): its reply is wrong: %s", driver->domid, driver->name, what);
}

int share_copy(struct gb *gb, const struct driver *driver, const struct words *reply, uint8_t *out, size_t max,
               size_t *copied) {
    uint32_t refs[SHARE_PAGES_MAX];
    uint64_t gref, pages, bytes;
    void *mapped;

    if (!words_u64(reply, "gref", UINT32_MAX - SHARE_PAGES_MAX, &gref))
        return refuse(gb, driver, "gref= is absent or beyond 32 bits");
    if (!words_u64(reply, "pages", SHARE_PAGES_MAX, &pages) || !pages)
        return refuse(gb, driver, "pages= must be 1 to 256");
    if (!words_u64(reply, "bytes", pages * XEN_PAGE_BYTES, &bytes) || !bytes)
        return refuse(gb, driver, "bytes= is absent, 0, or more than its pages hold");
    if (bytes > max)
        return refuse(gb, driver, "bytes= is more than is left of the whole");
    for (uint32_t i = 0; i < pages; i++)
        refs[i] = (uint32_t)gref + i;
    mapped = xengnttab_map_domain_grant_refs(gb->gnttab, (uint32_t)pages, driver->domid, refs, PROT_READ);
    if (!mapped)
        return gb_fail(gb, GB_FAILED, "cannot map %u pages that driver domain %u (%s) grants from reference %u on: %s",
                       (unsigned)pages, driver->domid, driver->name, (unsigned)gref, strerror(errno));
    memcpy(out, mapped, bytes);
    *copied = bytes;
    if (xengnttab_unmap(gb->gnttab, mapped, (uint32_t)pages))
        return gb_fail(gb, GB_FAILED, "cannot unmap granted pages: %s", strerror(errno));
    return GB_OK;
}
