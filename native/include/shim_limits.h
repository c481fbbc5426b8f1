/* SPDX-License-Identifier: MIT */
/*
 * The shim's own limits, each with the sum that justifies it. What the core must know too is in shim.h.
 * Relations between limits are checked here, at compile time.
 */
#ifndef GLOVEBOX_SHIM_LIMITS_H
#define GLOVEBOX_SHIM_LIMITS_H

#include "shim.h"

#define PAGE_SHIFT 12
#define PAGE_BYTES 4096u
#define WASM_PAGE_BYTES 65536u

/* Linear memories of module instances: one page of 64 KiB for each of SHIM_INSTANCES_MAX instances, or fewer and
 * bigger ones. */
#define ARENA_PAGES 64u

/* One module's struct as wasm2c lays it out: globals and memory descriptor, measured 64 to 400 bytes, and its table:
 * 32 bytes for each of at most 256 entries. */
#define INSTANCE_BYTES_MAX 12288u

/* Images of loaded modules: 768 KiB, 32 modules of six pages (as the display has) or fewer and bigger ones. */
#define CODE_PAGES 192u

/* One module's image, and its .gbx file, which is about as large: 512 KiB, 25 times what the display needs. */
#define MODULE_IMAGE_BYTES_MAX (128ul * PAGE_BYTES)
#define GBX_BYTES_MAX (128ul * PAGE_BYTES)

/* A .gbx file's tables: it has 6 program headers, 3 segments and some 30 symbols; a linker's habits may add some. */
#define ELF_HEADERS_MAX 16u
#define ELF_SEGMENTS_MAX 8u
#define ELF_SYMBOLS_MAX 256u

/* Mutable globals of a module; a table row is 16 bytes of its image. */
#define MODULE_GLOBALS_MAX 4096u

/* What a file was refused for, in words, for so many files of a ramdisk (one more than there can be modules). */
#define REFUSALS_MAX 33u
#define REFUSAL_BYTES_MAX 160u

/* The core's linear memory, fixed at build time; the arena is what we reserve for it. */
#define CORE_PAGES_MAX 32u

/* Pages mapped at once for copies: 16 is where the cost per page stops falling (2.6 us against 3.8 for one). */
#define COPY_WINDOW_PAGES 16u

/* Guests' pages that stay mapped, 32 MiB: rings, and for two guests at 1920x1080 the pictures that they draw and those
 * that are shown. Each is an entry of a page table (16 tables) and 16 bytes of ours. */
#define GUEST_PAGES_MAX 8192u

/* One page of 32-byte slots holds the requests of 128 vCPUs, which is Xen's HVM_MAX_VCPUS. */
#define VCPUS_MAX 128u

/* The 2-level event channel ABI: 64 words of 64 ports. 100 guests of 16 vCPUs need 1600. */
#define EVENT_PORTS_MAX 4096u

/* A version 1 grant entry is 8 bytes; one frame holds 512, the share needs SHIM_SHARE_PAGES beside 8 reserved. */
#define GRANT_ENTRIES (PAGE_BYTES / 8u)

/* Frames of populate and decrease in one hypercall: long enough to drown its 0.7 us, short enough for the stack. */
#define MEMORY_BATCH_PAGES 128u

/* xenstore messages handed to the core before the loop looks at events again. */
#define XENSTORE_BATCH 8u

/* Calls inside calls of wasm2c code; the counter starts anew on each side of a border, so that a module's depth
 * does not depend on its caller's. Nesting: core, module, core (serving an import), module. */
#define CORE_DEPTH_MAX 64u
#define MODULE_DEPTH_MAX 64u
#define CALL_NEST_MAX 2u

/* Largest frame by -fstack-usage: 112 bytes for a module, below 300 for the core; 384 leaves room. */
#define WASM_FRAME_BYTES 384u
#define STACK_BYTES 131072u

/* A detaching guest's vCPU gets this many turns to take its last answer before its server goes. */
#define DRAIN_YIELDS 16u

/* Servers that Xen has for one guest: MAX_NR_IOREQ_SERVERS (xen/sched.h). */
#define XEN_IOREQ_SERVERS_MAX 8u

/* Ranges of one server that outlive a restart: the core claims at most 8 slots, 8 x 6 BARs, bridge and CF8: 58. */
#define SERVER_RANGES_MAX 64u

/* Panics closer to each other than this are one trouble that comes back. A guest that does again what broke us does it
 * within microseconds, a display driver within some frames of 16 ms; 200 ms is twelve of them. One restart in 200 ms,
 * on the other hand, costs the others less than a tenth of their time (a restart takes 1 to 2 ms, and 2 us for each
 * guest's page that is mapped: 18 ms at the worst). */
#define RESTART_WINDOW_NS 200000000ul

/* Words of the last panic that are kept: the longest of ours is 65, two numbers take 38 more. */
#define PANIC_WORDS_BYTES 128u

/* Initialised variables, kept pristine for a restart; a handful of words (link.ld checks). */
#define PRISTINE_BYTES 4096u

/* A panic waits this many turns for room in the console's ring before it gives up on a byte. */
#define PANIC_YIELDS 4096u

_Static_assert((CORE_DEPTH_MAX + MODULE_DEPTH_MAX) * CALL_NEST_MAX * WASM_FRAME_BYTES + 16384 <= STACK_BYTES,
               "the deepest nest of wasm calls and 16 KiB of C fit the stack");
_Static_assert(SHIM_SHARE_PAGES + 8u <= GRANT_ENTRIES, "the share fits one grant frame");
_Static_assert(SHIM_COPY_BYTES_MAX <= (COPY_WINDOW_PAGES - 1u) * PAGE_BYTES, "one copy is one batch of pages");
_Static_assert(2u * (SHIM_GUEST_COPY_BYTES_MAX / PAGE_BYTES + 1u) <= COPY_WINDOW_PAGES,
               "both sides of a copy within a guest are one: seven pages, and one more for the odd start");
_Static_assert(SHIM_SERVERS_MAX <= 256 && SHIM_INSTANCES_MAX <= 256, "an index fits the low byte of a handle");
_Static_assert(MODULE_IMAGE_BYTES_MAX <= (uint64_t)CODE_PAGES * PAGE_BYTES, "the largest image fits the code arena");
_Static_assert(GBX_BYTES_MAX / PAGE_BYTES <= PAGE_BYTES / sizeof(uint32_t), "one page names the pages of a file");
_Static_assert((ARENA_PAGES + CORE_PAGES_MAX) * WASM_PAGE_BYTES + SHIM_INSTANCES_MAX * INSTANCE_BYTES_MAX +
                       (SHIM_SHARE_PAGES + SHIM_SERVERS_MAX + COPY_WINDOW_PAGES + 2u * SHIM_RECORDS_MAX + CODE_PAGES) *
                           PAGE_BYTES +
                       GBX_BYTES_MAX + STACK_BYTES <=
                   10u * 1024u * 1024u,
               "static memory leaves 6 of 16 MiB to image, page tables, p2m list and the start-of-day pages");

#endif
