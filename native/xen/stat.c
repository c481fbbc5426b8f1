/* SPDX-License-Identifier: MIT */
#include "stat.h"

#include "console.h"
#include "event.h"
#include "arena.h"
#include "machine.h"
#include "shim.h"
#include "survivor.h"
#include "time.h"

static uint64_t entry_ns SURVIVES, ready_ns SURVIVES, memory_pages SURVIVES;

void stat_note_start(const struct start_info *info, uint64_t entry_tsc) {
    entry_ns = time_at_tsc(entry_tsc);
    memory_pages = info->nr_pages;
}

void stat_note_ready(void) {
    ready_ns = shim_time_ns();
}

uint64_t shim_stat(uint32_t which) {
    switch (which) {
    case STAT_ENTRY_NS:
        return entry_ns;
    case STAT_READY_NS:
        return ready_ns;
    case STAT_IMAGE_BYTES:
        return machine_image_bytes();
    case STAT_MEMORY_PAGES:
        return memory_pages;
    case STAT_EVENTS:
        return event_count();
    case STAT_BLOCKS:
        return event_block_count();
    case STAT_CONSOLE_DROPPED:
        return console_dropped_bytes();
    case STAT_ARENA_PAGES_USED:
        return arena_pages_used();
    case STAT_RESTARTS:
        return survivor_open() ? survivor_open()->restarts : 0;
    case STAT_PANIC_NS:
        return survivor_open() ? survivor_open()->panic_ns : 0;
    case STAT_RUN_NS:
        return time_run_ns();
    default:
        return 0;
    }
}
