/* SPDX-License-Identifier: MIT */
/*
 * Machine memory is a file in RAM; a frame is a page of it. Pages of the shim that take part in mappings are moved
 * onto frames, and their "page table entry" is a row here; the aperture's pages have none of their own. Changing the
 * row does not change what the page shows: that needs a flush, as on the real thing, unless it showed nothing.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake.h"
#include "machine.h"
#include "shim_limits.h"

#define FRAMES 8192u
#define FIRST_MFN 0x1000u /* an mfn is never mistaken for an index, a gfn or a pfn */
#define PTES (GUEST_PAGES_MAX + 2048u) /* the aperture's first */
#define PTE_MADDR 0x7000000000ul
#define OWNER_NONE DOMID_INVALID

static int memory = -1;
static uint8_t *all_frames;
static domid_t owner[FRAMES];
static uint32_t used_frames;

static struct pte {
    uint8_t *va;
    uint64_t own_mfn;   /* 0: none */
    uint64_t value;     /* what the page table says */
    uint64_t shown_mfn; /* what the processor believes; 0: nothing */
} ptes[PTES];
static uint32_t pte_count = GUEST_PAGES_MAX;
static uint8_t *aperture;

static void open_memory(void) {
    memory = memfd_create("machine", 0);
    if (memory < 0 || ftruncate(memory, (off_t)FRAMES * PAGE_BYTES))
        fake_fail("no memory for the fake machine", 0, 0);
    all_frames = mmap(NULL, (size_t)FRAMES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (all_frames == MAP_FAILED)
        fake_fail("cannot map the fake machine", 0, 0);
    for (uint32_t i = 0; i < FRAMES; i++)
        owner[i] = OWNER_NONE;
}

static uint32_t frame_index(uint64_t mfn) {
    if (mfn < FIRST_MFN || mfn >= FIRST_MFN + FRAMES || owner[mfn - FIRST_MFN] == OWNER_NONE)
        fake_fail("no such machine frame", mfn, 0);
    return (uint32_t)(mfn - FIRST_MFN);
}

static bool frame_exists(uint64_t mfn) {
    return mfn >= FIRST_MFN && mfn < FIRST_MFN + FRAMES && owner[mfn - FIRST_MFN] != OWNER_NONE;
}

uint64_t fake_frame_new(domid_t domid) {
    if (memory < 0)
        open_memory();
    for (uint32_t i = 0; i < FRAMES; i++) {
        if (owner[i] != OWNER_NONE)
            continue;
        owner[i] = domid;
        used_frames++;
        memset(all_frames + (size_t)i * PAGE_BYTES, 0, PAGE_BYTES);
        return FIRST_MFN + i;
    }
    fake_fail("the fake machine is full", FRAMES, 0);
}

/* A frame that a window still shows keeps its contents and its place (Xen holds a reference); it has no owner then. */
void fake_frame_free(uint64_t mfn) {
    owner[frame_index(mfn)] = fake_frame_mapped(mfn) ? DOMID_XEN : OWNER_NONE;
    used_frames--;
}

bool fake_frame_mapped(uint64_t mfn) {
    for (uint32_t i = 0; i < pte_count; i++)
        if (ptes[i].value >> PAGE_SHIFT == mfn || ptes[i].shown_mfn == mfn)
            return true;
    return false;
}

domid_t fake_frame_owner(uint64_t mfn) {
    return owner[frame_index(mfn)];
}

uint8_t *fake_frame(uint64_t mfn) {
    return all_frames + (size_t)frame_index(mfn) * PAGE_BYTES;
}

static void show_nothing(struct pte *pte) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    if (mmap(pte->va, PAGE_BYTES, PROT_NONE, flags, -1, 0) != pte->va)
        fake_fail("cannot unmap a page", (uint64_t)pte->va, 0);
    pte->shown_mfn = 0;
}

static void show(struct pte *pte) {
    uint64_t mfn = (pte->value & PTE_FRAME_MASK) >> PAGE_SHIFT;
    if (mfn == 0) {
        show_nothing(pte);
        return;
    }
    off_t at = (off_t)frame_index(mfn) * PAGE_BYTES;
    if (mmap(pte->va, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory, at) != pte->va)
        fake_fail("cannot map a frame", mfn, 0);
    pte->shown_mfn = mfn;
}

uint8_t *machine_aperture(void) {
    if (aperture)
        return aperture;
    size_t bytes = (size_t)GUEST_PAGES_MAX * PAGE_BYTES;
    aperture = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (aperture == MAP_FAILED)
        fake_fail("no addresses for the aperture", bytes, 0);
    for (uint32_t i = 0; i < GUEST_PAGES_MAX; i++)
        ptes[i].va = aperture + (size_t)i * PAGE_BYTES;
    return aperture;
}

/* The row of a page; made at first use, when the page moves onto a frame of its own, contents and all. */
static struct pte *pte_of(const volatile void *va) {
    uint8_t *page = (uint8_t *)((uint64_t)va & ~(uint64_t)(PAGE_BYTES - 1));
    uint64_t index = (uint64_t)(page - machine_aperture()) / PAGE_BYTES;
    if (index < GUEST_PAGES_MAX)
        return &ptes[index];
    for (uint32_t i = GUEST_PAGES_MAX; i < pte_count; i++)
        if (ptes[i].va == page)
            return &ptes[i];
    if (pte_count == PTES)
        fake_fail("too many page table entries", PTES, 0);
    struct pte *pte = &ptes[pte_count++];
    pte->va = page;
    pte->own_mfn = fake_frame_new(DOMID_SELF);
    pte->value = pte->own_mfn << PAGE_SHIFT | PTE_READ_WRITE;
    memcpy(fake_frame(pte->own_mfn), page, PAGE_BYTES);
    show(pte);
    return pte;
}

uint64_t machine_mfn(const volatile void *va) {
    return pte_of(va)->own_mfn;
}

void *machine_va(uint64_t mfn) {
    return fake_frame(mfn);
}

uint64_t machine_pte(const volatile void *va) {
    return PTE_MADDR + (uint64_t)(pte_of(va) - ptes) * sizeof(uint64_t);
}

bool machine_is_mapped(const volatile void *va) {
    return pte_of(va)->value != 0;
}

/* What Xen checks of a new entry: the frame exists and belongs to the domain that the caller named. */
static long frame_for(uint64_t number, domid_t fd, bool translate, uint64_t *mfn) {
    *mfn = fd != DOMID_SELF && translate ? fake_guest_mfn(fd, number) : number;
    if (!frame_exists(*mfn))
        return -XEN_EINVAL;
    if (fake_frame_owner(*mfn) != fd)
        return -XEN_EPERM;
    return 0;
}

static long update_one(const struct mmu_update *update, domid_t fd) {
    uint64_t index = ((update->ptr & ~3ul) - PTE_MADDR) / sizeof(uint64_t);
    uint64_t command = update->ptr & 3, mfn;
    if (index >= pte_count || (command != MMU_NORMAL_PT_UPDATE && command != MMU_PT_UPDATE_NO_TRANSLATE))
        fake_fail("bad mmu_update", update->ptr, update->val);
    if (update->val == 0) {
        ptes[index].value = 0;
        return 0;
    }
    long rc = frame_for((update->val & PTE_FRAME_MASK) >> PAGE_SHIFT, fd, command == MMU_NORMAL_PT_UPDATE, &mfn);
    if (rc)
        return rc;
    ptes[index].value = mfn << PAGE_SHIFT | (update->val & ~PTE_FRAME_MASK);
    if (ptes[index].shown_mfn == 0)
        show(&ptes[index]);
    return 0;
}

long fake_mmu_update(struct mmu_update *updates, uint64_t count, uint32_t *done, domid_t fd) {
    uint32_t made = 0;
    long rc = 0;
    if (fd != DOMID_SELF && !fake_guest_exists(fd))
        rc = -XEN_ESRCH;
    while (made < count && rc == 0)
        if ((rc = update_one(&updates[made], fd)) == 0)
            made++;
    if (done)
        *done = made;
    return rc;
}

static void show_all(void) {
    for (uint32_t i = 0; i < pte_count; i++)
        if (ptes[i].shown_mfn != (ptes[i].value & PTE_FRAME_MASK) >> PAGE_SHIFT)
            show(&ptes[i]);
}

long fake_mmuext_op(struct mmuext_op *ops, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        if (ops[i].cmd == MMUEXT_INVLPG_LOCAL)
            show(pte_of((void *)ops[i].arg1.linear_addr));
        else if (ops[i].cmd == MMUEXT_TLB_FLUSH_LOCAL)
            show_all();
        else
            fake_fail("unexpected mmuext_op", ops[i].cmd, 0);
    }
    return 0;
}

long fake_update_va_mapping(uint64_t va, uint64_t value, uint64_t flags) {
    struct pte *pte = pte_of((void *)va);
    pte->value = value;
    if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_INVLPG)
        show(pte);
    return 0;
}

uint32_t fake_stale_translations(void) {
    uint32_t stale = 0;
    for (uint32_t i = 0; i < pte_count; i++)
        stale += ptes[i].shown_mfn != (ptes[i].value & PTE_FRAME_MASK) >> PAGE_SHIFT;
    return stale;
}

/* Shared info and the grant table are Xen's pages, mapped for good: their frames belong to DOMID_XEN. */
uint32_t fake_windows(void) {
    uint32_t windows = 0;
    for (uint32_t i = GUEST_PAGES_MAX; i < pte_count; i++) {
        uint64_t mfn = (ptes[i].value & PTE_FRAME_MASK) >> PAGE_SHIFT;
        windows += mfn != ptes[i].own_mfn && fake_frame_owner(mfn) != DOMID_XEN;
    }
    return windows;
}

uint32_t fake_aperture(void) {
    uint32_t pages = 0;
    for (uint32_t i = 0; i < GUEST_PAGES_MAX; i++)
        pages += ptes[i].value != 0;
    return pages;
}
