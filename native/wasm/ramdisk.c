/* SPDX-License-Identifier: MIT */
/*
 * cpio(5), "New ASCII Format": 6 bytes of magic, 13 fields of 8 hexadecimal digits, the name with its NUL, the data;
 * header with name, and data, are padded to 4 bytes.
 *
 *   0 ┌ "070701" ┬ ino ┬ mode ┬ uid ┬ gid ┬ nlink ┬ mtime ┬ filesize ┬ dev x4 ┬ namesize ┬ check ┐ 110 ┌ name ...
 */
#include "ramdisk.h"

#include <string.h>

#define HEADER_BYTES 110u
#define MAGIC_BYTES 6u
#define FIELD_BYTES 8u
#define FIELD_MODE 1u
#define FIELD_FILE_BYTES 6u
#define FIELD_NAME_BYTES 11u
#define NAME_BYTES_MAX 256u
#define DIGEST_DIGITS (2u * BLAKE2B_BYTES)

static bool digit_of(uint8_t byte, uint32_t *value) {
    if (byte >= '0' && byte <= '9')
        *value = byte - '0';
    else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
        *value = (byte | 0x20) - 'a' + 10u;
    else
        return false;
    return true;
}

static bool field(const uint8_t *header, uint32_t index, uint32_t *value) {
    *value = 0;
    for (uint32_t i = 0; i < FIELD_BYTES; i++) {
        uint32_t digit;
        if (!digit_of(header[MAGIC_BYTES + index * FIELD_BYTES + i], &digit))
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

static uint64_t padded(uint64_t at) {
    return (at + 3) & ~3ul;
}

static bool broken(struct words *why, const char *what, uint64_t at) {
    words_put(why, what);
    words_put(why, " at byte ");
    words_number(why, at);
    return false;
}

/* Up to the first NUL; `most` when there is none. */
static uint32_t length_of(const uint8_t *name, uint32_t most) {
    uint32_t length = 0;
    while (length < most && name[length])
        length++;
    return length;
}

static bool parse(const struct ramdisk *ramdisk, struct ramdisk_file *file, uint64_t *next, struct words *why) {
    const uint8_t *header = ramdisk->bytes + ramdisk->at;
    uint64_t left = ramdisk->len - ramdisk->at;
    uint32_t file_bytes, name_bytes;
    if (left < HEADER_BYTES)
        return broken(why, "ends within a header", ramdisk->at);
    if (memcmp(header, "070701", MAGIC_BYTES) != 0)
        return broken(why, "no newc header", ramdisk->at);
    if (!field(header, FIELD_MODE, &file->mode) || !field(header, FIELD_FILE_BYTES, &file_bytes) ||
        !field(header, FIELD_NAME_BYTES, &name_bytes))
        return broken(why, "a header that is not hexadecimal", ramdisk->at);
    if (name_bytes == 0 || name_bytes > NAME_BYTES_MAX || name_bytes > left - HEADER_BYTES)
        return broken(why, "a name that is too long or missing", ramdisk->at);
    file->name = header + HEADER_BYTES;
    file->name_len = name_bytes - 1;
    if (length_of(file->name, name_bytes) != file->name_len)
        return broken(why, "a name that does not end where it says", ramdisk->at);
    uint64_t data = padded(ramdisk->at + HEADER_BYTES + name_bytes);
    if (data > ramdisk->len || file_bytes > ramdisk->len - data)
        return broken(why, "ends within a file", ramdisk->at);
    file->bytes = ramdisk->bytes + data;
    file->len = file_bytes;
    *next = padded(data + file_bytes);
    return true;
}

enum ramdisk_step ramdisk_next(struct ramdisk *ramdisk, struct ramdisk_file *file, struct words *why) {
    uint64_t next;
    if (ramdisk->at >= ramdisk->len) {
        broken(why, "ends without a trailer", ramdisk->at);
        return RAMDISK_BROKEN;
    }
    if (!parse(ramdisk, file, &next, why))
        return RAMDISK_BROKEN;
    ramdisk->at = next;
    return ramdisk_is(file, "TRAILER!!!") ? RAMDISK_END : RAMDISK_FILE;
}

bool ramdisk_is(const struct ramdisk_file *file, const char *name) {
    uint32_t i = 0;
    while (i < file->name_len && name[i] && file->name[i] == (uint8_t)name[i])
        i++;
    return i == file->name_len && name[i] == 0;
}

/* --- B2SUMS: lines of 128 digits, two spaces (or a space and '*': read as binary, which is the same), a name --- */

struct line {
    const uint8_t *bytes;
    uint64_t len;
};

static struct line next_line(const struct ramdisk_file *sums, uint64_t *at) {
    struct line line = {.bytes = sums->bytes + *at};
    while (*at + line.len < sums->len && line.bytes[line.len] != '\n')
        line.len++;
    *at += line.len + 1;
    return line;
}

static bool names(const struct line *line, const struct ramdisk_file *file) {
    return line->len == DIGEST_DIGITS + 2u + file->name_len && line->bytes[DIGEST_DIGITS] == ' ' &&
           (line->bytes[DIGEST_DIGITS + 1] == ' ' || line->bytes[DIGEST_DIGITS + 1] == '*') &&
           memcmp(line->bytes + DIGEST_DIGITS + 2, file->name, file->name_len) == 0;
}

bool ramdisk_sum(const struct ramdisk_file *sums, const struct ramdisk_file *file, uint8_t digest[BLAKE2B_BYTES],
                 struct words *why) {
    for (uint64_t at = 0; at < sums->len;) {
        struct line line = next_line(sums, &at);
        if (!names(&line, file))
            continue;
        for (uint32_t i = 0; i < DIGEST_DIGITS / 2; i++) {
            uint32_t high, low;
            if (!digit_of(line.bytes[2 * i], &high) || !digit_of(line.bytes[2 * i + 1], &low))
                return words_refuse(why, "its line in B2SUMS is not hexadecimal");
            digest[i] = (uint8_t)(high << 4 | low);
        }
        return true;
    }
    return words_refuse(why, "not listed in B2SUMS");
}
