/* SPDX-License-Identifier: MIT */
/* GNTTABOP_copy, some pages a hypercall; each page has a status of its own. */
#include "grant_copy.h"

#include "hypercalls.h"
#include "shim_limits.h"

#define BATCH COPY_WINDOW_PAGES

static uint32_t references[PAGE_BYTES / sizeof(uint32_t)] __attribute__((aligned(PAGE_BYTES)));

/* All of the pages or an errno; `to` is page-aligned. */
static int copy(domid_t domid, const uint32_t *refs, uint8_t *to, uint32_t bytes) {
    struct gnttab_copy ops[BATCH];
    for (uint32_t done = 0; done < bytes;) {
        uint32_t count = 0;
        for (; count < BATCH && done < bytes; count++) {
            uint32_t part = bytes - done < PAGE_BYTES ? bytes - done : PAGE_BYTES;
            ops[count] = (struct gnttab_copy){.len = (uint16_t)part, .flags = GNTCOPY_source_gref};
            ops[count].source.u.ref = *refs++;
            ops[count].source.domid = domid;
            ops[count].dest.u.gmfn = machine_mfn(to + done);
            ops[count].dest.domid = DOMID_SELF;
            done += part;
        }
        int rc = hypercall_grant_table_op(GNTTABOP_copy, ops, count);
        if (rc)
            return rc;
        for (uint32_t i = 0; i < count; i++)
            if (ops[i].status != GNTST_okay)
                return -XEN_EFAULT;
    }
    return 0;
}

int grant_copy_file(domid_t domid, grant_ref_t directory, uint8_t *to, uint32_t bytes) {
    if (bytes > GBX_BYTES_MAX)
        return -XEN_E2BIG;
    int rc = copy(domid, &directory, (uint8_t *)references, PAGE_BYTES);
    return rc ? rc : copy(domid, references, to, bytes);
}
