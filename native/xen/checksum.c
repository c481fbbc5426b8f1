/* SPDX-License-Identifier: MIT */
/*
 * CRC-32 over rows of a picture in guest memory. A window's worth is mapped at a time and kept while the rows stay in
 * it: rows of 4 KiB cost one map for sixteen.
 */
#include "checksum.h"

#include "crc32.h"
#include "foreign.h"
#include "guest.h"
#include "machine.h"
#include "shim.h"
#include "shim_limits.h"
#include "survivor.h"

#define PAGE_OFFSET_MASK (PAGE_BYTES - 1ul)

static uint8_t window[COPY_WINDOW_PAGES * PAGE_BYTES] SURVIVES __attribute__((aligned(PAGE_BYTES)));

void checksum_window_take_back(void) {
    foreign_unmap(window, COPY_WINDOW_PAGES);
}

/* Pages [first, first + count) of the guest are in the window; count 0 = nothing is. */
struct view {
    domid_t domid;
    uint64_t first;
    uint32_t count;
    uint64_t last_of_picture;
};

static void view_close(struct view *view) {
    if (view->count)
        foreign_unmap(window, view->count);
    view->count = 0;
}

static int view_open(struct view *view, uint64_t gfn) {
    uint64_t frames[COPY_WINDOW_PAGES];
    uint64_t left = view->last_of_picture - gfn + 1;
    uint32_t count = left < COPY_WINDOW_PAGES ? (uint32_t)left : COPY_WINDOW_PAGES;
    view_close(view);
    for (uint32_t i = 0; i < count; i++)
        frames[i] = gfn + i;
    int rc = foreign_map(window, view->domid, FOREIGN_GFN, frames, count);
    if (rc == 0) {
        view->first = gfn;
        view->count = count;
    }
    return rc;
}

/* The bytes at gpa as far as the window reaches, at most *len, which is made that. NULL: *rc says why. */
static const uint8_t *view_bytes(struct view *view, uint64_t gpa, uint32_t *len, int *rc) {
    uint64_t gfn = gpa >> PAGE_SHIFT;
    if (gfn - view->first >= view->count && (*rc = view_open(view, gfn)))
        return NULL;
    uint64_t offset = gpa - (view->first << PAGE_SHIFT);
    uint64_t reach = (uint64_t)view->count * PAGE_BYTES - offset;
    if (*len > reach)
        *len = (uint32_t)reach;
    return window + offset;
}

static int crc_row(struct view *view, uint64_t gpa, uint32_t len, uint32_t *crc) {
    int rc = 0;
    while (len) {
        uint32_t piece = len;
        const uint8_t *bytes = view_bytes(view, gpa, &piece, &rc);
        if (!bytes)
            return rc;
        *crc = crc32_update(*crc, bytes, piece);
        gpa += piece;
        len -= piece;
    }
    return 0;
}

static bool picture_valid(uint32_t domid, uint64_t gpa, uint32_t row_bytes, uint32_t stride, uint32_t rows) {
    uint64_t end;
    return guest_domid_valid(domid) && row_bytes && rows && stride >= row_bytes &&
           !__builtin_add_overflow(gpa, (uint64_t)stride * (rows - 1) + row_bytes, &end) &&
           end >> PAGE_SHIFT <= FRAME_NUMBER_MAX;
}

int64_t shim_guest_crc32(uint32_t domid, uint64_t gpa, uint32_t row_bytes, uint32_t stride, uint32_t rows,
                         uint32_t crc) {
    if (!picture_valid(domid, gpa, row_bytes, stride, rows))
        return -XEN_EINVAL;
    uint64_t last_byte = gpa + (uint64_t)stride * (rows - 1) + row_bytes - 1;
    struct view view = {.domid = (domid_t)domid, .last_of_picture = last_byte >> PAGE_SHIFT};
    int rc = 0;
    for (uint32_t row = 0; row < rows && rc == 0; row++)
        rc = crc_row(&view, gpa + (uint64_t)stride * row, row_bytes, &crc);
    view_close(&view);
    return rc ? rc : (int64_t)crc;
}
