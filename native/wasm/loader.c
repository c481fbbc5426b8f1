/* SPDX-License-Identifier: MIT */
#include "loader.h"

#include <string.h>

#include "abi.h"
#include "code_arena.h"
#include "console.h"
#include "imports.h"
#include "machine.h"
#include "ramdisk.h"

/* --- the descriptor ----------------------------------------------------------------------------------------------- */

static bool holds(const struct elf *elf, const uint8_t *image, const void *pointer, uint64_t bytes,
                  enum elf_access access) {
    uint64_t offset = (uint64_t)pointer - (uint64_t)image;
    return pointer && elf_holds(elf, offset, bytes, access);
}

static bool is_code(const struct elf *elf, const uint8_t *image, const void *function) {
    return holds(elf, image, function, 1, ELF_CODE);
}

static bool check_numbers(const struct gb_module *module, struct words *why) {
    if (module->frame_bytes == 0 || module->frame_bytes > WASM_FRAME_BYTES)
        return words_refuse_value(why, "bytes of its largest stack frame:", module->frame_bytes, WASM_FRAME_BYTES);
    if (module->instance_bytes == 0 || module->instance_bytes > INSTANCE_BYTES_MAX)
        return words_refuse_value(why, "bytes of an instance:", module->instance_bytes, INSTANCE_BYTES_MAX);
    if (module->memory_pages > ARENA_PAGES)
        return words_refuse_value(why, "pages of memory:", module->memory_pages, ARENA_PAGES);
    if (module->global_count > MODULE_GLOBALS_MAX)
        return words_refuse_value(why, "mutable globals:", module->global_count, MODULE_GLOBALS_MAX);
    if (module->manifest_bytes != GB_MANIFEST_BYTES)
        return words_refuse_value(why, "bytes of its manifest:", module->manifest_bytes, GB_MANIFEST_BYTES);
    return true;
}

static bool check_pointers(const struct elf *elf, const uint8_t *image, const struct gb_module *module,
                           struct words *why) {
    if (!holds(elf, image, module->manifest, module->manifest_bytes, ELF_CONSTANTS))
        return words_refuse(why, "its manifest is outside its image");
    if (!is_code(elf, image, (const void *)module->instantiate) || !is_code(elf, image, (const void *)module->fuel))
        return words_refuse(why, "instantiate or fuel is not in its code");
    for (uint32_t i = 0; i < ENTRY_COUNT; i++)
        if (module->entry[i] && !is_code(elf, image, (const void *)module->entry[i]))
            return words_refuse_value(why, "an entry point is not in its code: number", i, ENTRY_COUNT - 1);
    if (module->global_count && !holds(elf, image, module->globals,
                                       module->global_count * sizeof(struct gb_global), ELF_CONSTANTS))
        return words_refuse(why, "its table of globals is outside its image");
    if ((uint64_t)module->globals % sizeof(uint64_t))
        return words_refuse(why, "its table of globals is not on 8 bytes");
    for (uint32_t i = 0; i < module->global_count; i++) {
        const struct gb_global *one = &module->globals[i];
        if (!is_code(elf, image, (const void *)one->at) || (one->bytes != 4 && one->bytes != 8))
            return words_refuse_value(why, "a global that makes no sense: number", i, module->global_count - 1);
    }
    return true;
}

/* Magic and ABI stand at the same place in every version; what follows is looked at only when they fit. */
bool loader_check(const struct elf *elf, const uint8_t *image, struct words *why) {
    uint32_t head[2];
    if (elf->object % 8 || elf->object_bytes < sizeof(head))
        return words_refuse(why, "gb_module is too small, or not on 8 bytes");
    memcpy(head, image + elf->object, sizeof(head));
    if (head[0] != GBX_MAGIC)
        return words_refuse(why, "gb_module does not begin with GBXD");
    if (head[1] != GBX_ABI) {
        words_put(why, "made for .gbx ABI ");
        words_number(why, head[1]);
        words_put(why, ", this domain has ");
        words_number(why, GBX_ABI);
        return false;
    }
    if (elf->object_bytes != sizeof(struct gb_module))
        return words_refuse_value(why, "gb_module has another size:", elf->object_bytes, sizeof(struct gb_module));
    const struct gb_module *module = (const struct gb_module *)(image + elf->object);
    return check_numbers(module, why) && check_pointers(elf, image, module, why);
}

/* The file's name must be its module's: <name>-<version>.gbx. */
static bool name_fits(const struct gb_module *module, const char *name, struct words *why) {
    struct words wanted = {0};
    words_quote(&wanted, module->manifest + GB_MANIFEST_NAME, GB_MANIFEST_NAME_BYTES);
    words_put(&wanted, "-");
    words_quote(&wanted, module->manifest + GB_MANIFEST_VERSION, GB_MANIFEST_VERSION_BYTES);
    words_put(&wanted, ".gbx");
    uint32_t i = 0;
    while (i < wanted.length && name[i] == wanted.text[i])
        i++;
    if (i == wanted.length && name[i] == 0)
        return true;
    words_put(why, "by its manifest it should be named ");
    words_quote(why, (const uint8_t *)wanted.text, wanted.length);
    return false;
}

/* --- loading ------------------------------------------------------------------------------------------------------ */

static bool check_placed(const struct elf *elf, const uint8_t *image, const char *name, struct words *why) {
    if (!loader_check(elf, image, why))
        return false;
    const struct gb_module *module = (const struct gb_module *)(image + elf->object);
    if (module_like(module))
        return words_refuse(why, "a module of this name and version is loaded already");
    return !name || name_fits(module, name, why);
}

/* Runs of pages with one access at a time; at the end nothing of the image is writable. */
static bool protect(const struct elf *elf, uint8_t *image, struct words *why) {
    for (uint32_t page = 0; page < elf->pages;) {
        uint32_t first = page;
        enum elf_access access = elf_page_access(elf, page);
        while (page < elf->pages && elf_page_access(elf, page) == access)
            page++;
        int rc = machine_set_access(image + (uint64_t)first * PAGE_BYTES, page - first,
                                    access == ELF_CODE ? MACHINE_CODE : MACHINE_CONSTANTS);
        if (rc)
            return words_refuse_value(why, "Xen does not protect its pages, errno", (uint64_t)-rc, 0);
    }
    return true;
}

int32_t loader_load(const uint8_t *file, uint64_t bytes, const struct loader_source *source, struct words *why) {
    struct elf elf;
    if (bytes > GBX_BYTES_MAX)
        return words_refuse_value(why, "bytes of the file:", bytes, GBX_BYTES_MAX), -XEN_ENOEXEC;
    if (!elf_check(&elf, file, bytes, why))
        return -XEN_ENOEXEC;
    int32_t slot = module_free_slot();
    if (slot < 0)
        return words_refuse_value(why, "no room for another module:", SHIM_MODULES_MAX + 1u, SHIM_MODULES_MAX),
               -XEN_ENOEXEC;
    int32_t first = code_take(elf.pages);
    if (first < 0) {
        words_put(why, "its image does not fit into the code arena beside the others: ");
        return words_refuse_value(why, "pages", elf.pages + code_pages_used(), CODE_PAGES), -XEN_ENOEXEC;
    }
    uint8_t *image = code_at((uint32_t)first);
    if (!elf_place(&elf, image, import_find, why) || !check_placed(&elf, image, source->name, why) ||
        !protect(&elf, image, why)) {
        code_give_back((uint32_t)first, elf.pages);
        return -XEN_ENOEXEC;
    }
    struct module_slot contents = {.origin = source->origin, .gbx_bytes = (uint32_t)bytes,
                                   .first_page = (uint32_t)first, .pages = elf.pages,
                                   .module = (const struct gb_module *)(image + elf.object)};
    memcpy(contents.blake2b, source->blake2b, BLAKE2B_BYTES);
    module_set((uint32_t)slot, &contents);
    return slot;
}

/* --- the ramdisk -------------------------------------------------------------------------------------------------- */

static struct words refusals[REFUSALS_MAX];
static uint32_t refused;

static void refuse(const char *name, const struct words *why) {
    struct words spare = {0};
    struct words *words = refused < REFUSALS_MAX ? &refusals[refused] : &spare;
    refused++;
    words->length = 0;
    words_quote(words, (const uint8_t *)name, REFUSAL_BYTES_MAX);
    words_put(words, ": ");
    words_quote(words, (const uint8_t *)why->text, why->length);
    console_text("glovebox: refused: ");
    console_bytes((const uint8_t *)words->text, words->length);
    console_line_end();
}

void loader_refuse_ramdisk(const char *why) {
    struct words words = {0};
    words_put(&words, why);
    refuse("ramdisk", &words);
}

static bool load_listed(const struct ramdisk_file *sums, const struct ramdisk_file *file, struct words *why) {
    struct loader_source source = {.origin = MODULE_FROM_RAMDISK, .name = (const char *)file->name};
    uint8_t wanted[BLAKE2B_BYTES];
    if (!sums)
        return words_refuse(why, "there is no B2SUMS before it");
    if (!ramdisk_sum(sums, file, wanted, why))
        return false;
    if (file->len > GBX_BYTES_MAX)
        return words_refuse_value(why, "bytes of the file:", file->len, GBX_BYTES_MAX);
    blake2b(file->bytes, file->len, source.blake2b);
    if (memcmp(wanted, source.blake2b, BLAKE2B_BYTES) != 0)
        return words_refuse(why, "its BLAKE2b is not the one in B2SUMS");
    return loader_load(file->bytes, file->len, &source, why) >= 0;
}

void loader_take_ramdisk(const uint8_t *bytes, uint64_t len) {
    struct ramdisk ramdisk = {.bytes = bytes, .len = len};
    struct ramdisk_file sums, file;
    bool listed = false;
    enum ramdisk_step step;
    struct words why = {0};
    while ((step = ramdisk_next(&ramdisk, &file, &why)) == RAMDISK_FILE) {
        if (ramdisk_is(&file, "B2SUMS") && !listed) {
            sums = file;
            listed = true;
        } else if (!load_listed(listed ? &sums : NULL, &file, &why))
            refuse((const char *)file.name, &why);
        why.length = 0;
    }
    if (step == RAMDISK_BROKEN)
        refuse("ramdisk", &why);
}

const struct words *loader_refusal(uint32_t nth) {
    return nth < refused && nth < REFUSALS_MAX ? &refusals[nth] : NULL;
}

uint32_t loader_refusals(void) {
    return refused;
}
