/* SPDX-License-Identifier: MIT */
/* Guest memory: copies, checksums, RAM given, moved and taken, and the share. */
#include <string.h>

#include "grant.h"
#include "machine.h"
#include "scenario.h"
#include "shim_limits.h"

static void fill_guest(uint64_t gpa, uint32_t len) {
    for (uint32_t i = 0; i < len; i++)
        *fake_guest_byte(FAKE_GUEST, gpa + i) = (uint8_t)(i * 7 + 3);
}

static void copies(void) {
    uint8_t *scratch = core.memory + DOUBLE_SCRATCH_AT;
    scenario_boot();
    fill_guest(0x1ff0, 4096);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, 0x1ff0, DOUBLE_SCRATCH_AT, 4096), 0);
    for (uint32_t i = 0; i < 4096; i++)
        CHECK_EQUAL(scratch[i], (uint8_t)(i * 7 + 3));
    memset(scratch, 0xab, 100);
    CHECK_EQUAL(shim_guest_write(FAKE_GUEST, 0x3000 - 50, DOUBLE_SCRATCH_AT, 100), 0);
    CHECK_EQUAL(*fake_guest_byte(FAKE_GUEST, 0x3000 - 50), 0xab);
    CHECK_EQUAL(*fake_guest_byte(FAKE_GUEST, 0x3000 + 49), 0xab);
    CHECK_EQUAL(*fake_guest_byte(FAKE_GUEST, 0x3000 + 50), 0);
    CHECK_EQUAL(*fake_guest_byte(FAKE_OTHER_GUEST, 0x3000), 0);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, 0, DOUBLE_SCRATCH_AT, 0), 0);
    scenario_same_ledger();
}

/* The last byte, not only the first. */
static void copies_out_of_bounds(void) {
    uint64_t last_page = (uint64_t)(FAKE_GUEST_PAGES - 1) << PAGE_SHIFT;
    scenario_boot();
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, last_page, DOUBLE_SCRATCH_AT, 4096), 0);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, last_page + 1, DOUBLE_SCRATCH_AT, 4096), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, ~0ul, DOUBLE_SCRATCH_AT, 2), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, 1ul << 52, DOUBLE_SCRATCH_AT, 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_read(FAKE_GUEST, 0, DOUBLE_SCRATCH_AT, SHIM_COPY_BYTES_MAX + 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_write(DOMID_SELF, 0, DOUBLE_SCRATCH_AT, 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_write(99, 0, DOUBLE_SCRATCH_AT, 1), -XEN_ESRCH);
    scenario_same_ledger();
}

/* A copy within the guest is what memmove would have done, wherever the two lie. */
static void moves(uint64_t dst, uint64_t src, uint32_t len) {
    static uint8_t expected[SHIM_GUEST_COPY_BYTES_MAX];
    fill_guest(0x10000, 0x20000);
    for (uint32_t i = 0; i < len; i++)
        expected[i] = *fake_guest_byte(FAKE_GUEST, src + i);
    uint8_t before = *fake_guest_byte(FAKE_GUEST, dst - 1), after = *fake_guest_byte(FAKE_GUEST, dst + len);
    CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, dst, src, len), 0);
    for (uint32_t i = 0; i < len; i++)
        CHECK_EQUAL(*fake_guest_byte(FAKE_GUEST, dst + i), expected[i]);
    CHECK_EQUAL(*fake_guest_byte(FAKE_GUEST, dst - 1), before);
    CHECK_EQUAL(*fake_guest_byte(FAKE_GUEST, dst + len), after);
}

static void copies_within(void) {
    uint32_t most = SHIM_GUEST_COPY_BYTES_MAX;
    scenario_boot();
    moves(0x20123, 0x10777, most); /* apart */
    moves(0x10777, 0x20123, most);
    moves(0x10900, 0x10800, 0x100); /* side by side in one page */
    moves(0x10777 + most, 0x10777, most); /* side by side */
    moves(0x10777, 0x10777 + most, most);
    moves(0x10777 + most - 1, 0x10777, most); /* one byte in common */
    moves(0x10777, 0x10777 + most - 1, most);
    moves(0x10778, 0x10777, most); /* all but one in common */
    moves(0x10777, 0x10778, most);
    moves(0x10777, 0x10777, most); /* the same */
    scenario_same_ledger();
}

static void copies_within_out_of_bounds(void) {
    uint64_t last_page = (uint64_t)(FAKE_GUEST_PAGES - 1) << PAGE_SHIFT;
    scenario_boot();
    CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, last_page, 0, 4096), 0);
    CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, last_page + 1, 0, 4096), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, 0, last_page + 1, 4096), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, 0, ~0ul, 2), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, ~0ul, 0, 2), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, 0x20000, 0x10000, SHIM_GUEST_COPY_BYTES_MAX + 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_copy(FAKE_GUEST, 0x20000, 0x10000, 0), 0);
    CHECK_EQUAL(shim_guest_copy(DOMID_SELF, 0x20000, 0x10000, 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_copy(99, 0x20000, 0x10000, 1), -XEN_ESRCH);
    scenario_same_ledger();
}

static void core_pointer_outside(void) {
    scenario_boot();
    (void)shim_guest_read(FAKE_GUEST, 0, DOUBLE_MEMORY_BYTES - 3, 4);
}

static uint32_t slow_crc(uint32_t crc, uint8_t byte) {
    crc = ~crc ^ byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    return ~crc;
}

static void checksums(void) {
    uint32_t expected = 0, rows = 30, row_bytes = 3001, stride = 4097;
    scenario_boot();
    memcpy(fake_guest_byte(FAKE_GUEST, 0x100), "123456789", 9);
    CHECK_EQUAL(shim_guest_crc32(FAKE_GUEST, 0x100, 9, 9, 1, 0), 0xcbf43926); /* CRC-32's check value */
    fill_guest(0x2345, rows * stride);
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t i = 0; i < row_bytes; i++)
            expected = slow_crc(expected, *fake_guest_byte(FAKE_GUEST, 0x2345 + row * stride + i));
    CHECK_EQUAL(shim_guest_crc32(FAKE_GUEST, 0x2345, row_bytes, stride, rows, 0), expected);
    int64_t first = shim_guest_crc32(FAKE_GUEST, 0x2345, row_bytes, stride, 10, 0);
    CHECK_EQUAL(shim_guest_crc32(FAKE_GUEST, 0x2345 + 10 * stride, row_bytes, stride, 20, (uint32_t)first), expected);
    CHECK_EQUAL(shim_guest_crc32(FAKE_GUEST, 0, 4096, 4096, FAKE_GUEST_PAGES + 1, 0), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_crc32(FAKE_GUEST, 0, 4096, 4095, 2, 0), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_crc32(FAKE_GUEST, ~0ul - 10, 100, 100, 1, 0), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_crc32(FAKE_GUEST, 0, 0, 0, 0, 0), -XEN_EINVAL);
    scenario_same_ledger();
}

static void ram(void) {
    scenario_boot();
    CHECK_EQUAL(shim_guest_populate(FAKE_GUEST, 0x10000, 300), 300);
    *fake_guest_byte(FAKE_GUEST, 0x10000ul << 12) = 0x42;
    CHECK_EQUAL(shim_guest_relocate(FAKE_GUEST, 0x10000, 0x20000, 300), 0);
    CHECK_EQUAL(*fake_guest_byte(FAKE_GUEST, 0x20000ul << 12), 0x42);
    CHECK_EQUAL(shim_guest_depopulate(FAKE_GUEST, 0x20000, 300), 300);
    CHECK_EQUAL(shim_guest_depopulate(FAKE_GUEST, 0x20000, 300), 0);
    CHECK_EQUAL(shim_guest_populate(FAKE_GUEST, (1ul << 40) - 2, 10), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_relocate(FAKE_GUEST, 0x10000, 0x10001, 2), -XEN_EINVAL);
    CHECK_EQUAL(shim_guest_populate(99, 0x10000, 1), -XEN_ESRCH);
    scenario_same_ledger();
}

static void ram_runs_out(void) {
    scenario_boot();
    fake_set_free_pages(200);
    CHECK_EQUAL(shim_guest_populate(FAKE_GUEST, 0x10000, 300), 200);
    CHECK_EQUAL(shim_guest_depopulate(FAKE_GUEST, 0x10000, 200), 200);
    fake_set_free_pages(0);
    CHECK_EQUAL(shim_guest_populate(FAKE_GUEST, 0x10000, 300), 0);
    scenario_same_ledger();
}

/* A move that cannot be finished leaves everything where it was. */
static void half_move(void) {
    scenario_boot();
    CHECK_EQUAL(shim_guest_populate(FAKE_GUEST, 0x10000, 5), 5);
    CHECK_EQUAL(shim_guest_relocate(FAKE_GUEST, 0x10000, 0x20000, 8), -XEN_EINVAL);
    for (uint64_t i = 0; i < 5; i++) {
        CHECK(fake_guest_mfn(FAKE_GUEST, 0x10000 + i) != 0);
        CHECK(fake_guest_mfn(FAKE_GUEST, 0x20000 + i) == 0);
    }
    CHECK_EQUAL(shim_guest_depopulate(FAKE_GUEST, 0x10000, 5), 5);
    scenario_same_ledger();
}

static void share(void) {
    scenario_boot();
    memcpy(core.memory + DOUBLE_SCRATCH_AT, "picture", 8);
    fill_guest(0, 0x12000);
    CHECK_EQUAL(shim_share_write(4090, DOUBLE_SCRATCH_AT, 8), 0);
    CHECK_EQUAL(shim_share_copy_guest(FAKE_GUEST, 5, 8192, 0x11000), 0);
    int32_t ref = shim_share_grant(0, 20);
    CHECK(ref >= 8);
    CHECK_EQUAL(shim_share_grant(0, 1), -XEN_EBUSY);
    CHECK_EQUAL(fake_ledger().grants, 20);
    CHECK(fake_grant_map((grant_ref_t)ref, 3) == NULL); /* not granted to domain 3 */
    const uint8_t *page = fake_grant_map((grant_ref_t)ref + 1, 0);
    CHECK(page && page[0] == 'e' && page[1] == 0);
    CHECK_EQUAL(shim_share_revoke(), -XEN_EBUSY);
    CHECK_EQUAL(fake_ledger().grants, 20); /* nothing half done */
    const uint8_t *pixels = fake_grant_map((grant_ref_t)ref + 2, 0);
    CHECK_EQUAL(pixels[10], *fake_guest_byte(FAKE_GUEST, 15));
    fake_grant_unmap((grant_ref_t)ref + 1);
    fake_grant_unmap((grant_ref_t)ref + 2);
    CHECK_EQUAL(shim_share_revoke(), 0);
    CHECK_EQUAL(pixels[10], 0); /* wiped */
    CHECK_EQUAL(shim_share_revoke(), 0);
    CHECK_EQUAL(shim_share_grant(0, SHIM_SHARE_PAGES), 8);
    CHECK_EQUAL(shim_share_revoke(), 0);
    scenario_same_ledger();
}

static void share_out_of_bounds(void) {
    uint32_t end = SHIM_SHARE_PAGES * PAGE_BYTES;
    scenario_boot();
    CHECK_EQUAL(shim_share_write(end - 8, DOUBLE_SCRATCH_AT, 8), 0);
    CHECK_EQUAL(shim_share_write(end - 7, DOUBLE_SCRATCH_AT, 8), -XEN_EINVAL);
    CHECK_EQUAL(shim_share_write(0xffffffff, DOUBLE_SCRATCH_AT, 8), -XEN_EINVAL);
    CHECK_EQUAL(shim_share_copy_guest(FAKE_GUEST, 0, end - 1, 2), -XEN_EINVAL);
    CHECK_EQUAL(shim_share_grant(0, 0), -XEN_EINVAL);
    CHECK_EQUAL(shim_share_grant(0, SHIM_SHARE_PAGES + 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_share_grant(DOMID_SELF, 1), -XEN_EINVAL);
    scenario_same_ledger();
}

const struct scenario guest_scenarios[] = {
    {.name = "copies", .run = copies},
    {.name = "copies out of bounds", .run = copies_out_of_bounds},
    {.name = "moves within a guest", .run = copies_within},
    {.name = "moves within a guest, out of bounds", .run = copies_within_out_of_bounds},
    {.name = "a core pointer outside its memory is a panic", .run = core_pointer_outside, .panics = true},
    {.name = "checksums", .run = checksums},
    {.name = "RAM given, moved, taken", .run = ram},
    {.name = "RAM runs out", .run = ram_runs_out},
    {.name = "a move that fails half way", .run = half_move},
    {.name = "the share", .run = share},
    {.name = "the share out of bounds", .run = share_out_of_bounds},
    {0},
};
