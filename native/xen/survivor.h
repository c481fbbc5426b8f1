/* SPDX-License-Identifier: MIT */
/*
 * The survivor record: what a restart in place needs to know, in memory that it does not clear. Sealed by a checksum
 * after each change; a broken seal means that the bug wrote here too, and then nothing here is believed.
 *
 *   restarted memory:  .data (from its pristine copy), .bss (zeroes)
 *   kept:              stack, SURVIVES (this record, servers, their pages, modules, instances and their memory, saved
 *                      records, rings' half messages), page tables, Xen's shared pages
 */
#ifndef GLOVEBOX_SURVIVOR_H
#define GLOVEBOX_SURVIVOR_H

#include "abi.h"
#include "shim_limits.h"

/* A variable that a restart leaves as it is. Its reader must check what it finds. */
#define SURVIVES __attribute__((section(".bss.survives")))

/* The same for pages that may be made executable: they lie right behind the stack (link.ld). */
#define CODE_SECTION __attribute__((section(".bss.survives.code")))

struct survivor {
    const struct start_info *info;
    uint64_t panic_ns;
    uint64_t restarts;
    uint32_t mode;      /* RESTART_* */
    uint32_t in_window; /* panics so far that came within RESTART_WINDOW_NS of the one before, itself included */
    uint32_t words;     /* bytes of `text` */
    char text[PANIC_WORDS_BYTES];
};

/* Once, when the first start is complete: from here on a panic is a restart. */
void survivor_arm(const struct start_info *info);
/* The record to read and change; NULL before survivor_arm() or when its seal is broken. */
struct survivor *survivor_open(void);
/* After each change. */
void survivor_seal(void);

/* CRC-32 of len bytes: the seal of everything that survives. */
uint32_t survivor_sum(const void *bytes, uint32_t len);

#endif
