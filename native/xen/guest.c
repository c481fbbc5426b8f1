/* SPDX-License-Identifier: MIT */
/*
 * Copies between guest memory and ours. The guest may change or give up its pages at any moment: bytes are read once,
 * into private memory, and a frame that is not there is an error of guest_pages_enter(), never a fault of ours, because
 * Xen keeps a mapped frame.
 */
#include "guest.h"

#include <string.h>

#include "core.h"
#include "guest_pages.h"
#include "machine.h"
#include "shim.h"
#include "shim_limits.h"

#define PAGE_OFFSET_MASK (PAGE_BYTES - 1ul)
#define PIECE_BYTES (COPY_WINDOW_PAGES * PAGE_BYTES)

bool guest_domid_valid(uint32_t domid) {
    return domid < DOMID_FIRST_RESERVED;
}

/* The last byte counts: [gpa, gpa + len) must end below the highest frame that a page table entry can name. */
static bool range_valid(uint32_t domid, uint64_t gpa, uint64_t len) {
    uint64_t end;
    return guest_domid_valid(domid) && !__builtin_add_overflow(gpa, len, &end) && end >> PAGE_SHIFT <= FRAME_NUMBER_MAX;
}

static uint32_t pages_of(uint64_t gpa, uint32_t len) {
    return (uint32_t)(((gpa & PAGE_OFFSET_MASK) + len + PAGE_BYTES - 1) >> PAGE_SHIFT);
}

/* Some of a guest's memory, as we see it: page after page, which need not lie one behind the other. */
struct span {
    domid_t domid;
    uint64_t gpa;
    uint32_t len;
    uint8_t *pages[COPY_WINDOW_PAGES];
};

static int span_enter(struct span *span, domid_t domid, uint64_t gpa, uint32_t len) {
    span->domid = domid;
    span->gpa = gpa;
    span->len = len;
    return guest_pages_enter(domid, gpa >> PAGE_SHIFT, pages_of(gpa, len), span->pages);
}

static void span_leave(const struct span *span) {
    guest_pages_leave(span->domid, span->gpa >> PAGE_SHIFT, pages_of(span->gpa, span->len));
}

/* The byte at that place of the span; *count becomes less when the page ends before. */
static uint8_t *span_at(const struct span *span, uint32_t at, uint32_t *count) {
    uint64_t place = (span->gpa & PAGE_OFFSET_MASK) + at;
    uint32_t offset = place & PAGE_OFFSET_MASK;
    if (*count > PAGE_BYTES - offset)
        *count = PAGE_BYTES - offset;
    return span->pages[place >> PAGE_SHIFT] + offset;
}

static void span_copy(const struct span *span, uint8_t *ours, enum guest_direction direction) {
    for (uint32_t at = 0, count; at < span->len; at += count) {
        count = span->len - at;
        uint8_t *theirs = span_at(span, at, &count);
        if (direction == FROM_GUEST)
            memcpy(ours + at, theirs, count);
        else
            memcpy(theirs, ours + at, count);
    }
}

static int copy_piece(domid_t domid, uint64_t gpa, uint8_t *ours, uint32_t len, enum guest_direction direction) {
    struct span span;
    int rc = span_enter(&span, domid, gpa, len);
    if (rc)
        return rc;
    span_copy(&span, ours, direction);
    span_leave(&span);
    return 0;
}

static uint32_t piece_of(uint64_t gpa, uint64_t left) {
    uint32_t room = (uint32_t)(PIECE_BYTES - (gpa & PAGE_OFFSET_MASK));
    return left < room ? (uint32_t)left : room;
}

int guest_copy(domid_t domid, uint64_t gpa, uint8_t *ours, uint32_t len, enum guest_direction direction) {
    if (!range_valid(domid, gpa, len))
        return -XEN_EINVAL;
    int rc = 0;
    while (len && rc == 0) {
        uint32_t piece = piece_of(gpa, len);
        rc = copy_piece(domid, gpa, ours, piece, direction);
        gpa += piece;
        ours += piece;
        len -= piece;
    }
    return rc;
}

static bool apart(const struct span *a, const struct span *b) {
    return a->gpa - b->gpa >= b->len && b->gpa - a->gpa >= a->len;
}

static void span_move(const struct span *dst, const struct span *src) {
    for (uint32_t at = 0, count; at < src->len; at += count) {
        count = src->len - at;
        const uint8_t *from = span_at(src, at, &count);
        uint8_t *to = span_at(dst, at, &count);
        memcpy(to, from, count);
    }
}

/* It is the addresses in the guest that overlap: all is read before any is written. */
static void span_move_overlapping(const struct span *dst, const struct span *src) {
    static uint8_t between[SHIM_GUEST_COPY_BYTES_MAX];
    span_copy(src, between, FROM_GUEST);
    span_copy(dst, between, TO_GUEST);
}

/* Both sides are entered before a byte is copied: all or nothing. */
int32_t shim_guest_copy(uint32_t domid, uint64_t dst_gpa, uint64_t src_gpa, uint32_t len) {
    struct span src, dst;
    if (len > SHIM_GUEST_COPY_BYTES_MAX || !range_valid(domid, dst_gpa, len) || !range_valid(domid, src_gpa, len))
        return -XEN_EINVAL;
    if (len == 0)
        return 0;
    int rc = span_enter(&src, (domid_t)domid, src_gpa, len);
    if (rc)
        return rc;
    rc = span_enter(&dst, (domid_t)domid, dst_gpa, len);
    if (rc == 0) {
        if (apart(&dst, &src))
            span_move(&dst, &src);
        else
            span_move_overlapping(&dst, &src);
        span_leave(&dst);
    }
    span_leave(&src);
    return rc;
}

int32_t shim_guest_read(uint32_t domid, uint64_t gpa, uint32_t dst_ptr, uint32_t len) {
    if (len > SHIM_COPY_BYTES_MAX)
        return -XEN_EINVAL;
    return guest_copy((domid_t)domid, gpa, core_bytes(dst_ptr, len), len, FROM_GUEST);
}

int32_t shim_guest_write(uint32_t domid, uint64_t gpa, uint32_t src_ptr, uint32_t len) {
    if (len > SHIM_COPY_BYTES_MAX)
        return -XEN_EINVAL;
    return guest_copy((domid_t)domid, gpa, core_bytes(src_ptr, len), len, TO_GUEST);
}
