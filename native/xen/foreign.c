/* SPDX-License-Identifier: MIT */
/* Two hypercalls a call at most, whatever the number of pages: the updates, then the flushes. */
#include "foreign.h"

#include "hypercalls.h"
#include "panic.h"
#include "shim_limits.h"

static uint8_t *page_at(void *window, uint32_t index) {
    return (uint8_t *)window + (uint64_t)index * PAGE_BYTES;
}

static void flush(void *window, uint32_t count) {
    struct mmuext_op ops[COPY_WINDOW_PAGES];
    for (uint32_t i = 0; i < count; i++)
        ops[i] = (struct mmuext_op){.cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = (uint64_t)page_at(window, i)};
    if (hypercall_mmuext_op(ops, count))
        panic("cannot flush a window", (uint64_t)window, count);
}

int foreign_map(void *window, domid_t domid, enum foreign_kind kind, const uint64_t *frames, uint32_t count) {
    struct mmu_update updates[COPY_WINDOW_PAGES];
    uint64_t command = kind == FOREIGN_RESOURCE ? MMU_PT_UPDATE_NO_TRANSLATE : MMU_NORMAL_PT_UPDATE;
    uint32_t done = 0;
    for (uint32_t i = 0; i < count; i++) {
        updates[i].ptr = machine_pte(page_at(window, i)) | command;
        updates[i].val = frames[i] << PAGE_SHIFT | PTE_READ_WRITE;
    }
    int rc = hypercall_mmu_update(updates, count, &done, domid);
    if (rc == 0)
        flush(window, count);
    else if (done)
        foreign_unmap(window, done);
    return rc;
}

void foreign_unmap(void *window, uint32_t count) {
    struct mmu_update updates[COPY_WINDOW_PAGES];
    for (uint32_t i = 0; i < count; i++) {
        updates[i].ptr = machine_pte(page_at(window, i)) | MMU_NORMAL_PT_UPDATE;
        updates[i].val = machine_mfn(page_at(window, i)) << PAGE_SHIFT | PTE_READ_WRITE;
    }
    if (hypercall_mmu_update(updates, count, NULL, DOMID_SELF))
        panic("cannot restore a window", (uint64_t)window, count);
    flush(window, count);
}

int foreign_show(domid_t domid, const struct foreign_page *pages, uint32_t count) {
    struct mmu_update updates[COPY_WINDOW_PAGES];
    struct mmuext_op flushes[COPY_WINDOW_PAGES];
    uint32_t replaced = 0;
    if (count == 0)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        updates[i].ptr = machine_pte(pages[i].at) | MMU_NORMAL_PT_UPDATE;
        updates[i].val = pages[i].gfn << PAGE_SHIFT | PTE_READ_WRITE;
        if (pages[i].showed_another)
            flushes[replaced++] =
                (struct mmuext_op){.cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = (uint64_t)pages[i].at};
    }
    int rc = hypercall_mmu_update(updates, count, NULL, domid);
    if (rc == 0 && replaced && hypercall_mmuext_op(flushes, replaced))
        panic("cannot flush the aperture", (uint64_t)pages[0].at, replaced);
    return rc;
}

void foreign_clear(void *const pages[], uint32_t count) {
    struct mmu_update updates[COPY_WINDOW_PAGES];
    for (uint32_t i = 0; i < count; i++)
        updates[i] = (struct mmu_update){.ptr = machine_pte(pages[i]) | MMU_NORMAL_PT_UPDATE};
    if (count && hypercall_mmu_update(updates, count, NULL, DOMID_SELF))
        panic("cannot clear the aperture", (uint64_t)pages[0], count);
}

void foreign_flush(void) {
    struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    if (hypercall_mmuext_op(&flush, 1))
        panic("cannot flush the aperture", 0, 0);
}
