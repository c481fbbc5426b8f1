/* SPDX-License-Identifier: MIT */
#include "module_table.h"

#include <string.h>

#include "abi.h"
#include "code_arena.h"
#include "console.h"
#include "survivor.h"

static struct module_slot slots[SHIM_MODULES_MAX] SURVIVES;
static uint32_t last_serial SURVIVES;

static uint32_t sum_of(const struct module_slot *slot) {
    return survivor_sum(&slot->serial, (uint32_t)(sizeof(*slot) - offsetof(struct module_slot, serial)));
}

const struct module_slot *module_slot_at(uint32_t slot) {
    return slot < SHIM_MODULES_MAX && slots[slot].module ? &slots[slot] : NULL;
}

const struct gb_module *module_at(uint32_t slot) {
    return slot < SHIM_MODULES_MAX ? slots[slot].module : NULL;
}

int32_t module_free_slot(void) {
    for (uint32_t i = 0; i < SHIM_MODULES_MAX; i++)
        if (!slots[i].module)
            return (int32_t)i;
    return -XEN_ENOSPC;
}

const struct gb_module *module_like(const struct gb_module *module) {
    for (uint32_t i = 0; i < SHIM_MODULES_MAX; i++)
        if (slots[i].module && memcmp(slots[i].module->manifest + GB_MANIFEST_NAME, module->manifest + GB_MANIFEST_NAME,
                                      GB_MANIFEST_NAME_BYTES + GB_MANIFEST_VERSION_BYTES) == 0)
            return slots[i].module;
    return NULL;
}

void module_set(uint32_t slot, const struct module_slot *contents) {
    slots[slot] = *contents;
    slots[slot].serial = ++last_serial;
    slots[slot].sum = sum_of(&slots[slot]);
}

void module_clear(uint32_t slot) {
    struct module_slot old = slots[slot];
    memset(&slots[slot], 0, sizeof(slots[slot]));
    code_give_back(old.first_page, old.pages);
}

/* A module lies in its own pages; that its bytes are what they were is the page tables' work, they are read-only. */
static bool is_as_set(const struct module_slot *slot) {
    uint64_t start = (uint64_t)code_at(0) + (uint64_t)slot->first_page * PAGE_BYTES, at = (uint64_t)slot->module;
    return slot->sum == sum_of(slot) && slot->pages <= CODE_PAGES && at >= start &&
           at - start < (uint64_t)slot->pages * PAGE_BYTES && code_take_again(slot->first_page, slot->pages);
}

void module_restart(void) {
    static const struct module_slot nothing;
    bool lost = false;
    for (uint32_t i = 0; i < SHIM_MODULES_MAX; i++) {
        struct module_slot *slot = &slots[i];
        if (memcmp(slot, &nothing, sizeof(nothing)) == 0)
            continue;
        if (is_as_set(slot)) {
            if (slot->serial > last_serial)
                last_serial = slot->serial;
            continue;
        }
        memset(slot, 0, sizeof(*slot));
        console_trouble("the record of a loaded module is damaged, it is lost; slot", i, 0);
        lost = true;
    }
    if (lost)
        code_give_back_rest();
}
