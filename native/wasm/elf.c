/* SPDX-License-Identifier: MIT */
/*
 * Numbers of the file are read byte-wise (it may lie anywhere) and each is checked where it is used. Tables are read in
 * the file, where relocation cannot change them; they must lie in segments that are not written.
 */
#include "elf.h"

#include <string.h>

#include "elf_numbers.h"

#define NAME_BYTES_MAX 128u

static uint64_t get(const uint8_t *bytes, uint64_t at, uint32_t size) {
    uint64_t value = 0;
    for (uint32_t i = size; i-- > 0;)
        value = value << 8 | bytes[at + i];
    return value;
}

/* Overflow-safe: is [start, start + bytes) within [0, end)? */
static bool within(uint64_t start, uint64_t bytes, uint64_t end) {
    return start <= end && bytes <= end - start;
}

/* --- headers ------------------------------------------------------------------------------------------------------ */

static bool check_header(const struct elf *elf, struct words *why) {
    static const uint8_t ident[] = {0x7f, 'E', 'L', 'F'};
    const uint8_t *file = elf->file;
    if (elf->file_bytes < EHDR_BYTES || memcmp(file, ident, sizeof(ident)) != 0)
        return words_refuse(why, "not an ELF file");
    if (file[EI_CLASS] != ELFCLASS64 || file[EI_DATA] != ELFDATA2LSB || file[EI_VERSION] != EV_CURRENT)
        return words_refuse(why, "not a 64-bit little-endian ELF file");
    if (get(file, E_MACHINE, 2) != EM_X86_64)
        return words_refuse_value(why, "ELF machine is not x86-64 (62):", get(file, E_MACHINE, 2), EM_X86_64);
    if (get(file, E_TYPE, 2) != ET_DYN)
        return words_refuse(why, "not a shared object (ET_DYN)");
    if (get(file, E_PHENTSIZE, 2) != PHDR_BYTES)
        return words_refuse(why, "program headers of another size");
    uint64_t count = get(file, E_PHNUM, 2);
    if (count == 0 || count > ELF_HEADERS_MAX)
        return words_refuse_value(why, "program headers:", count, ELF_HEADERS_MAX);
    if (!within(get(file, E_PHOFF, 8), count * PHDR_BYTES, elf->file_bytes))
        return words_refuse(why, "program headers outside the file");
    return true;
}

static bool add_segment(struct elf *elf, const uint8_t *header, struct words *why) {
    uint32_t flags = (uint32_t)get(header, P_FLAGS, 4);
    uint64_t bytes = get(header, P_MEMSZ, 8);
    struct elf_segment one = {.offset = get(header, P_OFFSET, 8), .file_bytes = get(header, P_FILESZ, 8),
                              .start = get(header, P_VADDR, 8)};
    uint64_t first_free = elf->segment_count ? elf->segments[elf->segment_count - 1].end : 0;
    if (flags & PF_W && flags & PF_X)
        return words_refuse(why, "a segment that is both writable and executable");
    if (elf->segment_count == ELF_SEGMENTS_MAX)
        return words_refuse_value(why, "more segments than the limit", ELF_SEGMENTS_MAX + 1, ELF_SEGMENTS_MAX);
    if (one.start % PAGE_BYTES)
        return words_refuse(why, "a segment that does not begin on a page");
    if (one.file_bytes > bytes || !within(one.offset, one.file_bytes, elf->file_bytes))
        return words_refuse(why, "a segment outside the file");
    if (flags & PF_W && one.file_bytes != bytes)
        return words_refuse(why, "it has variables outside its instances (.bss)");
    if (bytes == 0 || !within(one.start, bytes, MODULE_IMAGE_BYTES_MAX))
        return words_refuse_value(why, "a segment that is empty or ends beyond the image's bytes: begins at", one.start,
                                  MODULE_IMAGE_BYTES_MAX);
    if (one.start < first_free || (elf->segment_count == 0 && one.start != 0))
        return words_refuse(why, "segments out of order, or sharing a page");
    one.end = one.start + bytes;
    one.access = flags & PF_X ? ELF_CODE : flags & PF_W ? ELF_RELOCATED : ELF_CONSTANTS;
    elf->segments[elf->segment_count++] = one;
    elf->pages = (uint32_t)((one.end + PAGE_BYTES - 1) / PAGE_BYTES);
    return true;
}

/* Segments may not share pages: the next must begin behind the last page of the one before. */
static bool pages_apart(const struct elf *elf, struct words *why) {
    for (uint32_t i = 1; i < elf->segment_count; i++)
        if (elf->segments[i].start / PAGE_BYTES <= (elf->segments[i - 1].end - 1) / PAGE_BYTES)
            return words_refuse(why, "two segments in one page");
    return true;
}

static bool take_header(struct elf *elf, const uint8_t *header, struct elf_table *dynamic, struct words *why) {
    uint32_t type = (uint32_t)get(header, P_TYPE, 4);
    struct elf_table range = {.start = get(header, P_VADDR, 8), .bytes = get(header, P_MEMSZ, 8)};
    switch (type) {
    case PT_LOAD:
        return add_segment(elf, header, why);
    case PT_DYNAMIC:
        if (dynamic->bytes)
            return words_refuse(why, "two dynamic sections");
        *dynamic = range;
        return range.bytes != 0 || words_refuse(why, "an empty dynamic section");
    case PT_GNU_STACK:
        return !(get(header, P_FLAGS, 4) & PF_X) || words_refuse(why, "it wants an executable stack");
    case PT_NULL:
    case PT_NOTE:
    case PT_GNU_RELRO: /* everything is read-only once it is relocated */
        return true;
    case PT_INTERP:
        return words_refuse(why, "it wants an interpreter (PT_INTERP)");
    case PT_TLS:
        return words_refuse(why, "it has thread-local data (PT_TLS)");
    }
    words_put(why, "a program header of type ");
    words_hex(why, type);
    return words_refuse(why, ", which is not allowed");
}

/* --- places in the image ------------------------------------------------------------------------------------------ */

static const struct elf_segment *segment_of(const struct elf *elf, uint64_t address, uint64_t bytes) {
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf_segment *one = &elf->segments[i];
        if (address >= one->start && within(address, bytes, one->end))
            return one;
    }
    return NULL;
}

bool elf_holds(const struct elf *elf, uint64_t address, uint64_t bytes, enum elf_access access) {
    const struct elf_segment *one = segment_of(elf, address, bytes);
    return one && (access == ELF_CONSTANTS || one->access == access);
}

/* The bytes of the file behind a part of the image; NULL when it is not all from the file. */
static const uint8_t *file_at(const struct elf *elf, uint64_t address, uint64_t bytes, bool writable_too) {
    const struct elf_segment *one = segment_of(elf, address, bytes);
    if (!one || (one->access == ELF_RELOCATED && !writable_too) ||
        !within(address - one->start, bytes, one->file_bytes))
        return NULL;
    return elf->file + one->offset + (address - one->start);
}

/* --- the dynamic section ------------------------------------------------------------------------------------------ */

struct dynamic {
    uint64_t hash, plt_kind;
    uint64_t symbol_bytes, relocation_bytes;
};

static bool take_tag(struct elf *elf, struct dynamic *dynamic, uint64_t tag, uint64_t value, struct words *why) {
    switch (tag) {
    case DT_HASH:
        dynamic->hash = value;
        return true;
    case DT_STRTAB:
        elf->strings.start = value;
        return true;
    case DT_STRSZ:
        elf->strings.bytes = value;
        return true;
    case DT_SYMTAB:
        elf->symbols.start = value;
        return true;
    case DT_SYMENT:
        dynamic->symbol_bytes = value;
        return true;
    case DT_RELA:
        elf->relocations[0].start = value;
        return true;
    case DT_RELASZ:
        elf->relocations[0].bytes = value;
        return true;
    case DT_RELAENT:
        dynamic->relocation_bytes = value;
        return true;
    case DT_JMPREL:
        elf->relocations[1].start = value;
        return true;
    case DT_PLTRELSZ:
        elf->relocations[1].bytes = value;
        return true;
    case DT_PLTREL:
        dynamic->plt_kind = value;
        return true;
    case DT_PLTGOT:
    case DT_SYMBOLIC:
    case DT_BIND_NOW:
    case DT_DEBUG:
    case DT_RELACOUNT:
    case DT_FLAGS_1:
        return true;
    case DT_FLAGS:
        if (value & DF_TEXTREL)
            return words_refuse(why, "it relocates its code (DT_TEXTREL)");
        return !(value & DF_STATIC_TLS) || words_refuse(why, "it has thread-local data (DF_STATIC_TLS)");
    case DT_NEEDED:
        return words_refuse(why, "it needs another library (DT_NEEDED)");
    case DT_TEXTREL:
        return words_refuse(why, "it relocates its code (DT_TEXTREL)");
    case DT_INIT:
    case DT_INIT_ARRAY:
    case DT_PREINIT_ARRAY:
        return words_refuse(why, "it has initialisers (DT_INIT)");
    case DT_FINI:
    case DT_FINI_ARRAY:
        return words_refuse(why, "it has finalisers (DT_FINI)");
    }
    words_put(why, "a dynamic entry with tag ");
    words_hex(why, tag);
    return words_refuse(why, ", which is not allowed");
}

static bool read_dynamic(struct elf *elf, struct dynamic *dynamic, const struct elf_table *where, struct words *why) {
    const uint8_t *bytes = file_at(elf, where->start, where->bytes, true);
    if (!where->bytes || !bytes)
        return words_refuse(why, "no dynamic section within a segment");
    for (uint64_t at = 0; within(at, DYN_BYTES, where->bytes); at += DYN_BYTES) {
        uint64_t tag = get(bytes, at, 8);
        if (tag == DT_NULL)
            return true;
        if (!take_tag(elf, dynamic, tag, get(bytes, at + 8, 8), why))
            return false;
    }
    return words_refuse(why, "a dynamic section without an end");
}

/* The number of symbols stands in the hash table: nbucket, nchain (one for each symbol). */
static bool check_tables(struct elf *elf, const struct dynamic *dynamic, struct words *why) {
    const uint8_t *hash = file_at(elf, dynamic->hash, 8, false);
    if (!dynamic->hash || !hash)
        return words_refuse(why, "no symbol hash table (DT_HASH)");
    uint64_t count = get(hash, 4, 4);
    if (count > ELF_SYMBOLS_MAX)
        return words_refuse_value(why, "symbols:", count, ELF_SYMBOLS_MAX);
    elf->symbols.bytes = count * SYM_BYTES;
    if (dynamic->symbol_bytes != SYM_BYTES || !file_at(elf, elf->symbols.start, elf->symbols.bytes, false))
        return words_refuse(why, "a symbol table outside the constants");
    if (!elf->strings.bytes || !file_at(elf, elf->strings.start, elf->strings.bytes, false))
        return words_refuse(why, "a string table outside the constants");
    for (int i = 0; i < 2; i++) {
        const struct elf_table *table = &elf->relocations[i];
        if (table->bytes % RELA_BYTES || (table->bytes && !file_at(elf, table->start, table->bytes, false)))
            return words_refuse(why, "relocations outside the constants");
    }
    if ((elf->relocations[0].bytes && dynamic->relocation_bytes != RELA_BYTES) ||
        (elf->relocations[1].bytes && dynamic->plt_kind != DT_RELA))
        return words_refuse(why, "relocations without addends");
    return true;
}

/* --- symbols ------------------------------------------------------------------------------------------------------ */

struct symbol {
    char name[NAME_BYTES_MAX];
    uint32_t type;
    bool defined;
    uint64_t value, bytes;
};

static bool read_symbol(const struct elf *elf, uint64_t index, struct symbol *symbol, struct words *why) {
    if (!within(index * SYM_BYTES, SYM_BYTES, elf->symbols.bytes))
        return words_refuse_value(why, "a symbol beyond the table: number", index, elf->symbols.bytes / SYM_BYTES);
    const uint8_t *row = file_at(elf, elf->symbols.start, elf->symbols.bytes, false) + index * SYM_BYTES;
    const uint8_t *strings = file_at(elf, elf->strings.start, elf->strings.bytes, false);
    uint64_t at = get(row, ST_NAME, 4);
    uint32_t length = 0;
    while (length < NAME_BYTES_MAX && within(at + length, 1, elf->strings.bytes) && strings[at + length])
        length++;
    if (length == NAME_BYTES_MAX || !within(at + length, 1, elf->strings.bytes))
        return words_refuse(why, "a symbol's name is too long or outside the string table");
    memcpy(symbol->name, strings + at, length + 1);
    symbol->type = row[ST_INFO] & 15;
    symbol->defined = get(row, ST_SHNDX, 2) != SHN_UNDEF;
    symbol->value = get(row, ST_VALUE, 8);
    symbol->bytes = get(row, ST_SIZE, 8);
    return true;
}

static bool refuse_symbol(struct words *why, const char *what, const struct symbol *symbol) {
    words_put(why, what);
    words_put(why, " \"");
    words_quote(why, (const uint8_t *)symbol->name, NAME_BYTES_MAX);
    return words_refuse(why, "\"");
}

/* One defined symbol, the object `gb_module`; number 0 is the empty one of every table. */
static bool check_symbols(struct elf *elf, struct words *why) {
    struct symbol symbol;
    for (uint64_t i = 1; i < elf->symbols.bytes / SYM_BYTES; i++) {
        if (!read_symbol(elf, i, &symbol, why))
            return false;
        if (symbol.type != STT_NOTYPE && symbol.type != STT_OBJECT && symbol.type != STT_FUNC)
            return refuse_symbol(why, "a symbol of a type that is not allowed (IFUNC, TLS):", &symbol);
        if (!symbol.defined)
            continue;
        if (memcmp(symbol.name, "gb_module", 10) == 0 && symbol.type == STT_OBJECT && !elf->object_bytes) {
            elf->object = symbol.value;
            elf->object_bytes = symbol.bytes;
        } else
            return refuse_symbol(why, "it exports more than gb_module:", &symbol);
    }
    if (!elf->object_bytes || !elf_holds(elf, elf->object, elf->object_bytes, ELF_CONSTANTS))
        return words_refuse(why, "it has no object gb_module");
    return true;
}

bool elf_check(struct elf *elf, const uint8_t *file, uint64_t file_bytes, struct words *why) {
    struct elf_table where = {0};
    struct dynamic dynamic = {0};
    memset(elf, 0, sizeof(*elf));
    elf->file = file;
    elf->file_bytes = file_bytes;
    if (!check_header(elf, why))
        return false;
    const uint8_t *headers = file + get(file, E_PHOFF, 8);
    for (uint32_t i = 0; i < get(file, E_PHNUM, 2); i++)
        if (!take_header(elf, headers + i * PHDR_BYTES, &where, why))
            return false;
    return pages_apart(elf, why) && read_dynamic(elf, &dynamic, &where, why) && check_tables(elf, &dynamic, why) &&
           check_symbols(elf, why);
}

/* --- relocation --------------------------------------------------------------------------------------------------- */

static bool value_of(const struct elf *elf, uint64_t base, uint32_t type, uint64_t index, int64_t addend,
                     elf_resolve *resolve, uint64_t *value, struct words *why) {
    struct symbol symbol = {.defined = true};
    if (type != R_X86_64_RELATIVE && !read_symbol(elf, index, &symbol, why))
        return false;
    if (symbol.defined) {
        uint64_t offset = symbol.value + (uint64_t)addend;
        *value = base + offset;
        return elf_holds(elf, offset, 0, ELF_CONSTANTS) || words_refuse(why, "a pointer that leaves its image");
    }
    *value = (uint64_t)resolve(symbol.name);
    if (!*value)
        return refuse_symbol(why, "it imports what is not offered:", &symbol);
    return addend == 0 || refuse_symbol(why, "an import with an addend:", &symbol);
}

static bool relocate_one(const struct elf *elf, uint8_t *image, const uint8_t *row, elf_resolve *resolve,
                         struct words *why) {
    uint64_t at = get(row, R_OFFSET, 8), info = get(row, R_INFO, 8), value;
    uint32_t type = (uint32_t)info;
    if (type != R_X86_64_RELATIVE && type != R_X86_64_GLOB_DAT && type != R_X86_64_JUMP_SLOT && type != R_X86_64_64) {
        words_put(why, "a relocation of type ");
        words_number(why, type);
        return words_refuse(why, ", which is not allowed");
    }
    if (at % 8 || !elf_holds(elf, at, 8, ELF_RELOCATED))
        return words_refuse(why, "a relocation outside the writable data");
    if (!value_of(elf, (uint64_t)image, type, info >> 32, (int64_t)get(row, R_ADDEND, 8), resolve, &value, why))
        return false;
    memcpy(image + at, &value, sizeof(value));
    return true;
}

bool elf_place(const struct elf *elf, uint8_t *image, elf_resolve *resolve, struct words *why) {
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf_segment *one = &elf->segments[i];
        memcpy(image + one->start, elf->file + one->offset, one->file_bytes);
    }
    for (int i = 0; i < 2; i++) {
        const struct elf_table *table = &elf->relocations[i];
        const uint8_t *rows = file_at(elf, table->start, table->bytes, false);
        for (uint64_t at = 0; at < table->bytes; at += RELA_BYTES)
            if (!relocate_one(elf, image, rows + at, resolve, why))
                return false;
    }
    return true;
}

enum elf_access elf_page_access(const struct elf *elf, uint32_t page) {
    uint64_t start = (uint64_t)page * PAGE_BYTES;
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf_segment *one = &elf->segments[i];
        if (start < one->start || start >= one->end)
            continue;
        return one->access == ELF_CODE ? ELF_CODE : ELF_CONSTANTS;
    }
    return ELF_CONSTANTS; /* between two segments: zeroes */
}
