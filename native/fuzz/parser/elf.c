/* SPDX-License-Identifier: MIT */
/* native/wasm/elf.c: check and place a .gbx file of anybody's; the image has not a byte more than it says. */
#include "elf.h"

#include "parser.h"

#define PAGE 4096u

static const void *resolve(const char *name) {
    WANT(memchr(name, 0, 128));
    return strncmp(name, "w2c_glovebox_", 13) == 0 || strcmp(name, "wasm_rt_trap") == 0 ? name : 0;
}

static void place(const struct elf *elf) {
    uint8_t *image = aligned_alloc(PAGE, (size_t)elf->pages * PAGE);
    struct words why = {0};

    WANT(image);
    memset(image, 0, (size_t)elf->pages * PAGE);
    if (!elf_place(elf, image, resolve, &why))
        WANT(why.length > 0 && why.length <= REFUSAL_BYTES_MAX);
    for (uint32_t page = 0; page < elf->pages; page++)
        WANT(elf_page_access(elf, page) != ELF_RELOCATED);
    free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    uint8_t *file = exactly(bytes, length);
    struct words why = {0};
    struct elf elf;

    if (elf_check(&elf, file, length, &why)) {
        WANT(elf.pages > 0 && elf.pages <= MODULE_IMAGE_BYTES_MAX / PAGE);
        WANT(elf.segment_count > 0 && elf.segment_count <= ELF_SEGMENTS_MAX);
        for (uint32_t i = 0; i < elf.segment_count; i++)
            WANT(elf.segments[i].end <= (uint64_t)elf.pages * PAGE);
        place(&elf);
    } else
        WANT(why.length > 0 && why.length <= REFUSAL_BYTES_MAX);
    free(file);
    return 0;
}
