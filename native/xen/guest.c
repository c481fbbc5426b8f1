/* SPDX-License-Identifier: MIT */
/*
 * Copies between guest memory and ours. The guest may change or give up its pages at any moment: bytes are read once,
 * into private memory, and a frame that is not there is an error of the map, never a fault of ours, because a mapped
 * frame stays allocated until the window is restored.
 */
#include "guest.h"

#include <string.h>

#include "core.h"
#include "foreign.h"
#include "machine.h"
#include "shim.h"
#include "shim_limits.h"
#include "survivor.h"

#define PAGE_OFFSET_MASK (PAGE_BYTES - 1ul)
#define WINDOW_BYTES (COPY_WINDOW_PAGES * PAGE_BYTES)

static uint8_t window[WINDOW_BYTES] SURVIVES __attribute__((aligned(PAGE_BYTES)));

void guest_window_take_back(void) {
    foreign_unmap(window, COPY_WINDOW_PAGES);
}

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

static int map_range(domid_t domid, uint64_t gpa, uint32_t len) {
    uint64_t frames[COPY_WINDOW_PAGES];
    uint32_t count = pages_of(gpa, len);
    for (uint32_t i = 0; i < count; i++)
        frames[i] = (gpa >> PAGE_SHIFT) + i;
    return foreign_map(window, domid, FOREIGN_GFN, frames, count);
}

static int copy_piece(domid_t domid, uint64_t gpa, uint8_t *ours, uint32_t len, enum guest_direction direction) {
    int rc = map_range(domid, gpa, len);
    if (rc)
        return rc;
    uint8_t *theirs = window + (gpa & PAGE_OFFSET_MASK);
    if (direction == FROM_GUEST)
        memcpy(ours, theirs, len);
    else
        memcpy(theirs, ours, len);
    foreign_unmap(window, pages_of(gpa, len));
    return 0;
}

static uint32_t piece_of(uint64_t gpa, uint64_t left) {
    uint32_t room = (uint32_t)(WINDOW_BYTES - (gpa & PAGE_OFFSET_MASK));
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

static bool apart(uint64_t dst_gpa, uint64_t src_gpa, uint32_t len) {
    return dst_gpa - src_gpa >= len && src_gpa - dst_gpa >= len;
}

/*
 * By way of a private piece, in the direction that an overlap needs. It is the addresses in the guest that overlap: two
 * mappings of one frame would deceive memmove.
 */
static void move_overlapping(uint8_t *dst, const uint8_t *src, uint32_t len, bool upwards) {
    static uint8_t between[1024];
    for (uint32_t done = 0; done < len;) {
        uint32_t count = len - done < sizeof(between) ? len - done : (uint32_t)sizeof(between);
        uint32_t at = upwards ? done : len - done - count;
        memcpy(between, src + at, count);
        memcpy(dst + at, between, count);
        done += count;
    }
}

/* Both sides are in the window at once: all is copied or nothing. */
int32_t shim_guest_copy(uint32_t domid, uint64_t dst_gpa, uint64_t src_gpa, uint32_t len) {
    uint64_t frames[COPY_WINDOW_PAGES];
    if (len > SHIM_GUEST_COPY_BYTES_MAX || !range_valid(domid, dst_gpa, len) || !range_valid(domid, src_gpa, len))
        return -XEN_EINVAL;
    if (len == 0)
        return 0;
    uint32_t src_pages = pages_of(src_gpa, len), dst_pages = pages_of(dst_gpa, len);
    for (uint32_t i = 0; i < src_pages; i++)
        frames[i] = (src_gpa >> PAGE_SHIFT) + i;
    for (uint32_t i = 0; i < dst_pages; i++)
        frames[src_pages + i] = (dst_gpa >> PAGE_SHIFT) + i;
    int rc = foreign_map(window, (domid_t)domid, FOREIGN_GFN, frames, src_pages + dst_pages);
    if (rc)
        return rc;
    uint8_t *dst = window + (uint64_t)src_pages * PAGE_BYTES + (dst_gpa & PAGE_OFFSET_MASK);
    const uint8_t *src = window + (src_gpa & PAGE_OFFSET_MASK);
    if (apart(dst_gpa, src_gpa, len))
        memcpy(dst, src, len);
    else
        move_overlapping(dst, src, len, dst_gpa <= src_gpa);
    foreign_unmap(window, src_pages + dst_pages);
    return 0;
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
