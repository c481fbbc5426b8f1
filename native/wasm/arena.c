/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <string.h>

#include "abi.h"
#include "panic.h"
#include "shim_limits.h"
#include "survivor.h"

_Static_assert(ARENA_PAGES == 64, "the map of used pages is one 64-bit word");

static uint8_t core_area[CORE_PAGES_MAX * WASM_PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static uint8_t module_area[ARENA_PAGES][WASM_PAGE_BYTES] SURVIVES __attribute__((aligned(PAGE_BYTES)));
static uint64_t used;

static struct {
    bool open;
    uint32_t first, pages;
    wasm_rt_memory_t *memory;
} target;

static uint64_t run_mask(uint32_t first, uint32_t pages) {
    return (pages == ARENA_PAGES ? ~0ul : (1ul << pages) - 1) << first;
}

int32_t arena_take(uint32_t pages) {
    if (pages == 0)
        return 0;
    for (uint32_t first = 0; first + pages <= ARENA_PAGES; first++) {
        if (used & run_mask(first, pages))
            continue;
        used |= run_mask(first, pages);
        return (int32_t)first;
    }
    return -XEN_ENOSPC;
}

bool arena_take_again(uint32_t first, uint32_t pages) {
    if (pages == 0)
        return true;
    if (first >= ARENA_PAGES || pages > ARENA_PAGES - first || used & run_mask(first, pages))
        return false;
    used |= run_mask(first, pages);
    return true;
}

bool arena_is(const wasm_rt_memory_t *memory, uint32_t first, uint32_t pages) {
    return memory->data == module_area[first] && memory->pages == pages &&
           memory->size == (uint64_t)pages * WASM_PAGE_BYTES;
}

void arena_give_back(uint32_t first, uint32_t pages) {
    if (pages)
        used &= ~run_mask(first, pages);
}

uint32_t arena_pages_used(void) {
    return (uint32_t)__builtin_popcountl(used);
}

void arena_open(uint32_t first, uint32_t pages) {
    target.open = true;
    target.first = first;
    target.pages = pages;
    target.memory = NULL;
}

wasm_rt_memory_t *arena_close(void) {
    target.open = false;
    return target.memory;
}

static void allocate_module(wasm_rt_memory_t *memory, uint64_t pages) {
    if (pages != target.pages || target.memory)
        wasm_rt_trap(WASM_RT_TRAP_OOB); /* not the one memory that the manifest speaks of */
    target.memory = memory;
    memory->data = module_area[target.first];
    memset(memory->data, 0, pages * WASM_PAGE_BYTES);
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t initial_pages, uint64_t max_pages, bool is64,
                             uint32_t page_bytes) {
    if (initial_pages != max_pages || is64 || page_bytes != WASM_PAGE_BYTES)
        panic("a memory that is not fixed slipped past the ABI check, pages and most pages", initial_pages, max_pages);
    if (target.open)
        allocate_module(memory, initial_pages);
    else if (initial_pages <= CORE_PAGES_MAX)
        memory->data = core_area; /* zero since the domain builder or a restart made it so */
    else
        panic("the core's memory is too large, pages and limit", initial_pages, CORE_PAGES_MAX);
    memory->pages = initial_pages;
    memory->size = initial_pages * WASM_PAGE_BYTES;
}
