/* SPDX-License-Identifier: MIT */
#include "code_arena.h"

#include <string.h>

#include "abi.h"
#include "machine.h"
#include "panic.h"
#include "shim_limits.h"
#include "survivor.h"

/* Its own section: link.ld keeps it beside the text, in the part of memory that may be executable at all. */
static uint8_t area[CODE_PAGES][PAGE_BYTES] CODE_SECTION __attribute__((aligned(PAGE_BYTES)));
static bool used[CODE_PAGES];

static bool is_free(uint32_t first, uint32_t pages) {
    for (uint32_t i = 0; i < pages; i++)
        if (used[first + i])
            return false;
    return true;
}

int32_t code_take(uint32_t pages) {
    for (uint32_t first = 0; pages && pages <= CODE_PAGES && first <= CODE_PAGES - pages; first++)
        if (code_take_again(first, pages))
            return (int32_t)first;
    return -XEN_ENOSPC;
}

bool code_take_again(uint32_t first, uint32_t pages) {
    if (pages == 0 || pages > CODE_PAGES || first > CODE_PAGES - pages || !is_free(first, pages))
        return false;
    memset(used + first, true, pages);
    return true;
}

void code_give_back(uint32_t first, uint32_t pages) {
    if (machine_set_access(area[first], pages, MACHINE_DATA))
        panic("cannot make pages of a module writable again", first, pages);
    memset(area[first], 0, (uint64_t)pages * PAGE_BYTES);
    memset(used + first, false, pages);
}

void code_give_back_rest(void) {
    for (uint32_t page = 0; page < CODE_PAGES; page++)
        if (!used[page])
            code_give_back(page, 1);
}

uint8_t *code_at(uint32_t page) {
    return area[page];
}

uint32_t code_pages_used(void) {
    uint32_t count = 0;
    for (uint32_t page = 0; page < CODE_PAGES; page++)
        count += used[page];
    return count;
}
