/* SPDX-License-Identifier: MIT */
/*
 * x86-64 PV: the hypercall instruction, the clock, and the addresses of a PV domain. The host build has its own
 * machine.h (test/native) with the same names; nothing else in native/xen or native/wasm knows the processor.
 *
 * Frames: a pfn is the domain's own number for a page, an mfn the machine's. At start of day the page with pfn n is
 * mapped at n << 12, so for our pages pfn and address are the same thing.
 */
#ifndef GLOVEBOX_MACHINE_H
#define GLOVEBOX_MACHINE_H

#include "abi.h"

/* Present, writable, user (a PV kernel runs in ring 3), accessed, dirty: Intel SDM volume 3, 4.5. */
#define PTE_READ_WRITE 0x67ul
#define PTE_READ_ONLY 0x65ul
#define PTE_PRESENT 1ul
/* The processor does not execute from there: Intel SDM volume 3, 4.6. */
#define PTE_NO_EXECUTE (1ul << 63)
/* Bits 12 to 51 of an entry hold the frame, so a frame number has 40 bits. */
#define PTE_FRAME_MASK 0x000ffffffffff000ul
#define FRAME_NUMBER_MAX ((1ul << 40) - 1)

/* Arguments are in-out: a hypercall that Xen continues comes back through the same instruction with others. */
static inline long hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) {
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "+a"(number), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
                     :
                     : "rcx", "r11", "memory");
    return (long)number;
}

static inline uint64_t machine_tsc(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline void machine_relax(void) {
    __asm__ volatile("pause");
}

/* Where our frames and page tables are. Before anything else. */
void machine_init(const struct start_info *info);
/* Traps and callbacks; text and constants read-only, everything else not executable; nothing at address 0 and below
 * the stack. */
void machine_protect(void);
/* What may be done with pages: never both written and executed. */
enum machine_access { MACHINE_DATA, MACHINE_CONSTANTS, MACHINE_CODE };
/* 0, or what Xen refused it with. */
int machine_set_access(void *va, uint32_t pages, enum machine_access access);
/* The frame behind one of our own pages. */
uint64_t machine_mfn(const volatile void *va);
/* Our address of a start-of-day frame of ours. */
void *machine_va(uint64_t mfn);
/* Machine address of the level 1 entry that maps va; also of the aperture's. */
uint64_t machine_pte(const volatile void *va);
/* GUEST_PAGES_MAX pages of addresses behind which nothing is; nothing there is ever executed. */
uint8_t *machine_aperture(void);
/* Does the page table entry of that page lead anywhere? */
bool machine_is_mapped(const volatile void *va);
/* Bytes of the image as loaded: text, constants, data. */
uint64_t machine_image_bytes(void);

/* Keeps a copy of the initialised variables; before anything writes one. */
void machine_keep_pristine(void);
/* Variables as at the start, but for what SURVIVES; nothing of this file knows anything until machine_init(). */
void machine_reset_memory(void);
/* On a fresh stack; what was on the old one is gone. */
_Noreturn void machine_restart(void (*run)(void));

/* trap.c */
void trap_init(void);

#endif
