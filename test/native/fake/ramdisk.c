/* SPDX-License-Identifier: MIT */
/* The domain's ramdisk: a file of this machine, in pages of its own, as the domain builder would have put it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "ramdisk.h"

static uint8_t *bytes;
static size_t length;

void fake_ramdisk_init(struct start_info *info) {
    const char *path = getenv("FAKE_RAMDISK");
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (!path)
        return;
    CHECK(file);
    fseek(file, 0, SEEK_END);
    length = (size_t)ftell(file);
    rewind(file);
    free(bytes);
    bytes = malloc(length ? length : 1); /* not a byte more: AddressSanitizer watches its end */
    CHECK(bytes && fread(bytes, 1, length, file) == length);
    fclose(file);
    info->mod_start = (uint64_t)bytes;
    info->mod_len = length;
}

const uint8_t *fake_ramdisk_file(const char *name, uint32_t *len) {
    struct ramdisk ramdisk = {.bytes = bytes, .len = length};
    struct ramdisk_file file;
    struct words why = {0};
    while (ramdisk_next(&ramdisk, &file, &why) == RAMDISK_FILE)
        if (ramdisk_is(&file, name)) {
            *len = (uint32_t)file.len;
            return file.bytes;
        }
    return NULL;
}
