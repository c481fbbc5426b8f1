/* SPDX-License-Identifier: MIT */
/*
 * From the bytes of a .gbx file to a module that can be instantiated. What is wrong with a file is told in words and
 * leaves nothing behind; the others load.
 */
#ifndef GLOVEBOX_LOADER_H
#define GLOVEBOX_LOADER_H

#include "blake2b.h"
#include "elf.h"
#include "module_table.h"

struct loader_source {
    uint32_t origin;  /* MODULE_FROM_* */
    const char *name; /* the file's, which must be its module's; NULL: it has none */
    uint8_t blake2b[BLAKE2B_BYTES];
};

/* The slot that it is in now, or -ENOEXEC with words. */
int32_t loader_load(const uint8_t *file, uint64_t bytes, const struct loader_source *source, struct words *why);

/* Loads every .gbx file of the ramdisk. What is refused is said on the console and kept for loader_refusal(). */
void loader_take_ramdisk(const uint8_t *bytes, uint64_t len);
/* The same for a ramdisk of which not even the place makes sense. */
void loader_refuse_ramdisk(const char *why);
/* The nth refusal of the ramdisk: "name: words"; NULL: there are no more. */
const struct words *loader_refusal(uint32_t nth);
/* All of them, also those of which the words found no room. */
uint32_t loader_refusals(void);

/* Is the descriptor in a placed image one that may be called? Pure, for tests and fuzzing. */
bool loader_check(const struct elf *elf, const uint8_t *image, struct words *why);

#endif
