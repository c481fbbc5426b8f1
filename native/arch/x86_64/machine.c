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

_Static_assert(STACK_BYTES == 131072, "link.ld lays out the stack with this number");

extern const uint8_t image_start[], image_text_end[], image_end[], stack_guard[];
extern uint8_t data_start[], bss_start[], bss_end[];

static uint8_t pristine[PRISTINE_BYTES] SURVIVES;
static uint32_t pristine_sum SURVIVES;
static const uint64_t *p2m;
static const uint64_t *top_table;

void machine_init(const struct start_info *info) {
    p2m = (const uint64_t *)info->mfn_list;
    top_table = (const uint64_t *)info->pt_base;
}

uint64_t machine_mfn(const volatile void *va) {
    return p2m[(uint64_t)va >> PAGE_SHIFT];
}

void *machine_va(uint64_t mfn) {
    return (void *)(machine_to_phys_mapping[mfn] << PAGE_SHIFT);
}

uint64_t machine_pte(const volatile void *va) {
    const uint64_t *table = top_table;
    uint64_t maddr = 0;
    for (int level = LEVELS; level > 0; level--) {
        uint64_t index = (uint64_t)va >> (PAGE_SHIFT + 9 * (level - 1)) & ENTRIES_MASK;
        uint64_t entry = table[index];
        maddr = (machine_mfn(table) << PAGE_SHIFT) + index * sizeof(uint64_t);
        if (level > 1)
            table = machine_va((entry & PTE_FRAME_MASK) >> PAGE_SHIFT);
    }
    return maddr;
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

static void write_protect(void) {
    struct mmu_update updates[PROTECT_BATCH];
    uint32_t count = 0;
    for (const uint8_t *va = image_start; va < image_text_end; va += PAGE_BYTES) {
        updates[count].ptr = machine_pte(va) | MMU_NORMAL_PT_UPDATE;
        updates[count].val = machine_mfn(va) << PAGE_SHIFT | PTE_READ_ONLY;
        if (++count < PROTECT_BATCH && va + PAGE_BYTES < image_text_end)
            continue;
        if (hypercall_mmu_update(updates, count, NULL, DOMID_SELF))
            panic("cannot make the text read-only", (uint64_t)va, 0);
        count = 0;
    }
    struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    if (hypercall_mmuext_op(&flush, 1))
        panic("cannot flush the TLB", 0, 0);
}

static void unmap_page(const volatile void *va) {
    if (hypercall_update_va_mapping(va, 0, UVMF_INVLPG | UVMF_LOCAL))
        panic("cannot unmap a guard page", (uint64_t)va, 0);
}

void machine_protect(void) {
    trap_init();
    write_protect();
    unmap_page((const void *)0);
    unmap_page(stack_guard);
}
