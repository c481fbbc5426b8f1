/* SPDX-License-Identifier: MIT */
/* native/wasm/ramdisk.c: an archive that anybody may have made or cut; its files and sums lie within it. */
#include "ramdisk.h"

#include "parser.h"

static void look(const struct ramdisk *ramdisk, const struct ramdisk_file *file) {
    const uint8_t *end = ramdisk->bytes + ramdisk->len;

    WANT(file->name > ramdisk->bytes && file->name + file->name_len < end);
    WANT(strlen((const char *)file->name) == file->name_len);
    WANT(file->bytes >= file->name && file->bytes <= end && file->len <= (uint64_t)(end - file->bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    uint8_t *copy = exactly(bytes, length);
    struct ramdisk ramdisk = {.bytes = copy, .len = length};
    struct ramdisk_file sums = {0}, file;
    struct words why = {0};
    enum ramdisk_step step;
    uint64_t before = 0;

    while ((step = ramdisk_next(&ramdisk, &file, &why)) == RAMDISK_FILE) {
        uint8_t digest[BLAKE2B_BYTES];

        look(&ramdisk, &file);
        WANT(ramdisk.at > before); /* it comes to an end */
        before = ramdisk.at;
        if (!sums.bytes)
            sums = file;
        if (!ramdisk_sum(&sums, &file, digest, &why))
            WANT(why.length > 0);
        why.length = 0;
    }
    WANT(step == RAMDISK_END || why.length > 0);
    WANT(why.length <= REFUSAL_BYTES_MAX);
    free(copy);
    return 0;
}
