/* SPDX-License-Identifier: MIT */
/*
 * Addresses of a PV domain: our frames by the p2m list that the domain builder left, page table entries by a walk.
 * Page tables are readable at pfn << 12 like any page; only Xen writes them (mmu_update).
 */
#include "machine.h"

#include <string.h>

#include "hypercalls.h"
#include "panic.h"
#include "shim_limits.h"
#include "survivor.h"

#define LEVELS 4
#define ENTRIES_MASK 511ul
#define PROTECT_BATCH 64u
#define LARGE_BYTES 0x200000ul /* what one level 2 entry leads to */
#define ENTRIES 512u

/* The aperture's first address, what one level 3 entry leads to: above all memory that the domain can have. */
#define APERTURE 0x40000000ul
#define APERTURE_TABLES (GUEST_PAGES_MAX / ENTRIES)
_Static_assert(GUEST_PAGES_MAX % ENTRIES == 0 && APERTURE_TABLES <= ENTRIES, "one level 2 table leads to all of it");

_Static_assert(STACK_BYTES == 131072, "link.ld lays out the stack with this number");

extern const uint8_t image_start[], image_text_end[], image_end[], stack_guard[];
extern uint8_t data_start[], bss_start[], bss_end[];

static uint8_t pristine[PRISTINE_BYTES] SURVIVES;
static uint32_t pristine_sum SURVIVES;
static const uint64_t *p2m;
static const uint64_t *top_table;
static uint64_t memory_bytes;
static uint64_t no_execute_bit SURVIVES; /* 0: the processor has none */

/* The level 2 table, then those of level 1; page tables since machine_protect(), so Xen's to write. */
static uint64_t aperture_tables[1 + APERTURE_TABLES][ENTRIES] SURVIVES __attribute__((aligned(PAGE_BYTES)));

void machine_init(const struct start_info *info) {
    p2m = (const uint64_t *)info->mfn_list;
    top_table = (const uint64_t *)info->pt_base;
    memory_bytes = info->nr_pages << PAGE_SHIFT;
}

uint64_t machine_mfn(const volatile void *va) {
    return p2m[(uint64_t)va >> PAGE_SHIFT];
}

void *machine_va(uint64_t mfn) {
    return (void *)(machine_to_phys_mapping[mfn] << PAGE_SHIFT);
}

/* Machine address of the entry of that level that leads to va; 1 is the page's own. */
static uint64_t entry_of(const volatile void *va, int to_level, uint64_t *value) {
    const uint64_t *table = top_table;
    for (int level = LEVELS;; level--) {
        uint64_t index = (uint64_t)va >> (PAGE_SHIFT + 9 * (level - 1)) & ENTRIES_MASK;
        *value = table[index];
        if (level == to_level)
            return (machine_mfn(table) << PAGE_SHIFT) + index * sizeof(uint64_t);
        table = machine_va((*value & PTE_FRAME_MASK) >> PAGE_SHIFT);
    }
}

uint64_t machine_pte(const volatile void *va) {
    uint64_t value;
    return entry_of(va, 1, &value);
}

bool machine_is_mapped(const volatile void *va) {
    uint64_t value;
    (void)entry_of(va, 1, &value);
    return value & PTE_PRESENT;
}

uint8_t *machine_aperture(void) {
    return (uint8_t *)APERTURE;
}

uint64_t machine_image_bytes(void) {
    return (uint64_t)(image_end - image_start);
}

static uint32_t data_bytes(void) {
    return (uint32_t)(image_end - data_start);
}

void machine_keep_pristine(void) {
    memcpy(pristine, data_start, data_bytes());
    pristine_sum = survivor_sum(pristine, data_bytes());
}

void machine_reset_memory(void) {
    if (pristine_sum != survivor_sum(pristine, data_bytes()))
        panic("the copy of the initialised variables is damaged", pristine_sum, 0);
    memcpy(data_start, pristine, data_bytes());
    memset(bss_start, 0, (size_t)(bss_end - bss_start));
}

/* --- what may be done with pages ---------------------------------------------------------------------------------- */

static void flush_tlb(void) {
    struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    if (hypercall_mmuext_op(&flush, 1))
        panic("cannot flush the TLB", 0, 0);
}

static uint64_t flags_of(enum machine_access access) {
    switch (access) {
    case MACHINE_CODE:
        return PTE_READ_ONLY;
    case MACHINE_CONSTANTS:
        return PTE_READ_ONLY | no_execute_bit;
    default:
        return PTE_READ_WRITE | no_execute_bit;
    }
}

int machine_set_access(void *start, uint32_t pages, enum machine_access access) {
    struct mmu_update updates[PROTECT_BATCH];
    uint8_t *va = start;
    int rc = 0;
    for (uint32_t done = 0; done < pages && rc == 0;) {
        uint32_t count = 0;
        for (; count < PROTECT_BATCH && done < pages; count++, done++, va += PAGE_BYTES) {
            updates[count].ptr = machine_pte(va) | MMU_NORMAL_PT_UPDATE;
            updates[count].val = machine_mfn(va) << PAGE_SHIFT | flags_of(access);
        }
        rc = hypercall_mmu_update(updates, count, NULL, DOMID_SELF);
    }
    flush_tlb();
    return rc;
}

static void protect(const void *start, const void *end, enum machine_access access) {
    uint32_t pages = (uint32_t)(((const uint8_t *)end - (const uint8_t *)start) / PAGE_BYTES);
    if (machine_set_access((void *)start, pages, access))
        panic("cannot protect our own pages, first and access", (uint64_t)start, access);
}

/* Above the first 2 MiB nothing is code: one bit in each level 2 entry says so for 512 pages. */
static void protect_above(uint64_t end) {
    struct mmu_update updates[PROTECT_BATCH];
    uint32_t count = 0;
    for (uint64_t va = LARGE_BYTES; va < end && count < PROTECT_BATCH; va += LARGE_BYTES) {
        uint64_t value, entry = entry_of((const void *)va, 2, &value);
        if (value & PTE_PRESENT)
            updates[count++] = (struct mmu_update){entry | MMU_NORMAL_PT_UPDATE, value | no_execute_bit};
    }
    if (hypercall_mmu_update(updates, count, NULL, DOMID_SELF))
        panic("cannot make memory above 2 MiB not executable, entries", count, 0);
}

/* A processor without the bit: Xen refuses it in the first entry that we try. */
static void find_no_execute(void) {
    no_execute_bit = PTE_NO_EXECUTE;
    if (machine_set_access(data_start, 1, MACHINE_DATA))
        no_execute_bit = 0;
}

static void write_protect(void) {
    find_no_execute();
    protect(image_start, image_text_end, MACHINE_CODE);
    protect(data_start, (const void *)LARGE_BYTES, MACHINE_DATA);
    protect_above(memory_bytes);
}

/* A table must be read-only before Xen takes it as one. */
static void hang_in_aperture(void) {
    uint64_t value, entry = entry_of((const void *)APERTURE, 3, &value);
    if (memory_bytes > APERTURE || value & PTE_PRESENT)
        panic("the aperture is where our memory is, bytes and entry", memory_bytes, value);
    for (uint32_t i = 0; i < APERTURE_TABLES; i++)
        aperture_tables[0][i] = machine_mfn(aperture_tables[1 + i]) << PAGE_SHIFT | PTE_READ_WRITE | no_execute_bit;
    protect(aperture_tables, aperture_tables + 1 + APERTURE_TABLES, MACHINE_CONSTANTS);
    struct mmu_update update = {entry | MMU_NORMAL_PT_UPDATE,
                                machine_mfn(aperture_tables[0]) << PAGE_SHIFT | PTE_READ_WRITE};
    if (hypercall_mmu_update(&update, 1, NULL, DOMID_SELF))
        panic("Xen does not take the aperture's tables, entry", entry, 0);
}

static void unmap_page(const volatile void *va) {
    if (hypercall_update_va_mapping(va, 0, UVMF_INVLPG | UVMF_LOCAL))
        panic("cannot unmap a guard page", (uint64_t)va, 0);
}

void machine_protect(void) {
    trap_init();
    write_protect();
    hang_in_aperture();
    unmap_page((const void *)0);
    unmap_page(stack_guard);
}
