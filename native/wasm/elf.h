/* SPDX-License-Identifier: MIT */
/*
 * The part of ELF that a .gbx file may use (System V ABI, chapters 4 and 5, AMD64 supplement 4.4): a shared object of
 * page-aligned segments, a symbol table, and four kinds of relocation. Pure functions over bytes: the file is not
 * trusted, what is not known is refused by name, and nothing outside [image, image + pages) is ever written.
 *
 *   file ──elf_check──> struct elf ──elf_place──> image, relocated for the address where it lies
 */
#ifndef GLOVEBOX_ELF_H
#define GLOVEBOX_ELF_H

#include "words.h"

enum elf_access { ELF_CONSTANTS, ELF_CODE, ELF_RELOCATED };

struct elf_segment {
    uint64_t offset, file_bytes; /* in the file */
    uint64_t start, end;         /* in the image, as addressed from 0; start is on a page */
    enum elf_access access;
};

struct elf_table {
    uint64_t start, bytes; /* in the image */
};

struct elf {
    const uint8_t *file;
    uint64_t file_bytes;
    uint32_t segment_count;
    struct elf_segment segments[ELF_SEGMENTS_MAX];
    uint32_t pages;             /* of the image */
    struct elf_table strings, symbols, relocations[2];
    uint64_t object, object_bytes; /* where `gb_module` lies in the image */
};

/* The address behind an import of that name; NULL: there is no such import. */
typedef const void *elf_resolve(const char *name);

/* Looks at headers, dynamic section and symbols. False with words: refused. */
bool elf_check(struct elf *elf, const uint8_t *file, uint64_t file_bytes, struct words *why);
/* Writes the image (elf->pages pages, zeroed, page-aligned) to run right there. False: refused, image half made. */
bool elf_place(const struct elf *elf, uint8_t *image, elf_resolve *resolve, struct words *why);
/* Code or constants: nothing of the image is written once it is relocated, for all that changes is in instances. */
enum elf_access elf_page_access(const struct elf *elf, uint32_t page);
/* Does [address, address + bytes) lie in one segment of that access (ELF_CONSTANTS: of any that can be read)? */
bool elf_holds(const struct elf *elf, uint64_t address, uint64_t bytes, enum elf_access access);

#endif
