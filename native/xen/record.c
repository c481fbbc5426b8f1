/* SPDX-License-Identifier: MIT */
/*
 * Records of the core that outlive a restart: two slots for each, written in turn, so that a panic in the middle of a
 * copy leaves the older one whole. The newer slot with a right sum counts; the number that orders them wraps at 2^32.
 */
#include <string.h>

#include "abi.h"
#include "core.h"
#include "shim.h"
#include "shim_limits.h"
#include "survivor.h"

struct slot {
    uint32_t sum; /* of all that follows, up to len bytes */
    uint32_t number;
    uint32_t len;
    uint32_t record;
    uint8_t bytes[SHIM_RECORD_BYTES_MAX];
};

_Static_assert(sizeof(struct slot) == PAGE_BYTES, "a slot is a page");

static struct slot slots[SHIM_RECORDS_MAX][2] SURVIVES __attribute__((aligned(PAGE_BYTES)));

static uint32_t sum_of(const struct slot *slot) {
    return survivor_sum(&slot->number, (uint32_t)(offsetof(struct slot, bytes) - sizeof(slot->sum)) + slot->len);
}

/* Never written: all zero. */
static bool is_blank(const struct slot *slot) {
    return (slot->sum | slot->number | slot->len | slot->record) == 0;
}

static bool is_whole(const struct slot *slot, uint32_t record) {
    return slot->len <= SHIM_RECORD_BYTES_MAX && slot->record == record && slot->sum == sum_of(slot);
}

/* Which slot counts, as far as this start knows: 0 not looked at yet, else 1 + slot. */
static uint8_t known[SHIM_RECORDS_MAX];

/* The slot that counts; NULL when there is none. */
static struct slot *newest(uint32_t record) {
    if (known[record])
        return &slots[record][known[record] - 1];
    struct slot *a = &slots[record][0], *b = &slots[record][1];
    bool a_whole = is_whole(a, record), b_whole = is_whole(b, record);
    if (a_whole && b_whole)
        return (int32_t)(a->number - b->number) > 0 ? a : b;
    return a_whole ? a : b_whole ? b : NULL;
}

int32_t shim_save(uint32_t record, uint32_t src_ptr, uint32_t len) {
    if (record >= SHIM_RECORDS_MAX || len > SHIM_RECORD_BYTES_MAX)
        return -XEN_EINVAL;
    const uint8_t *bytes = core_bytes(src_ptr, len);
    const struct slot *old = newest(record);
    struct slot *slot = &slots[record][old == &slots[record][0]];
    slot->sum = 0;
    slot->number = old ? old->number + 1 : 1;
    slot->len = len;
    slot->record = record;
    memcpy(slot->bytes, bytes, len);
    slot->sum = sum_of(slot);
    known[record] = (uint8_t)(1 + (slot - slots[record]));
    return 0;
}

int32_t shim_saved(uint32_t record, uint32_t dst_ptr, uint32_t max) {
    if (record >= SHIM_RECORDS_MAX)
        return -XEN_EINVAL;
    const struct slot *slot = newest(record);
    if (!slot)
        return is_blank(&slots[record][0]) && is_blank(&slots[record][1]) ? 0 : -XEN_EIO;
    if (slot->len > max)
        return -XEN_EINVAL;
    memcpy(core_bytes(dst_ptr, slot->len), slot->bytes, slot->len);
    return (int32_t)slot->len;
}
