/* SPDX-License-Identifier: MIT */
/*
 * The modules that are loaded, by slot. A slot outlives a restart and has a checksum: one that is damaged loses its
 * module, and says so. A module that comes later has a higher serial number, whatever its slot.
 */
#ifndef GLOVEBOX_MODULE_TABLE_H
#define GLOVEBOX_MODULE_TABLE_H

#include "blake2b.h"
#include "module.h"

struct module_slot {
    uint32_t sum; /* of all that follows */
    uint32_t serial;
    uint32_t origin; /* MODULE_FROM_* */
    uint32_t gbx_bytes;
    uint32_t first_page, pages; /* of the code arena */
    const struct gb_module *module; /* in these pages; NULL: the slot is free */
    uint8_t blake2b[BLAKE2B_BYTES]; /* of the .gbx file */
};

/* NULL: the slot is free, or there is no such slot. */
const struct gb_module *module_at(uint32_t slot);
const struct module_slot *module_slot_at(uint32_t slot);
/* The first free slot, or -ENOSPC. */
int32_t module_free_slot(void);
/* The loaded module of the same name and version, or NULL. */
const struct gb_module *module_like(const struct gb_module *module);
/* Publishes; the caller has filled all but sum and serial. */
void module_set(uint32_t slot, const struct module_slot *contents);
/* The slot is free and its pages go back. Nobody may use the module. */
void module_clear(uint32_t slot);
/* Looks at every slot that outlived a restart. */
void module_restart(void);

#endif
