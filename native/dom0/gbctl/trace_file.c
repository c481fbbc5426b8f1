// SPDX-License-Identifier: MIT
/*
 * A recording as a trace file (docs/TRACE.md): what a guest's vGPUs were made by, as text records, then the ring's
 * records of this guest and of no other. So the file replays on a machine without Xen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "gbctl.h"

#define HEADER_BYTES 320
#define RECORD_BYTES 32
#define KIND_TEXT 0xd2
#define TEXT_BYTES 16 /* of one record */
#define SPECIFICATION_MAX 512
#define STORY "recorded in a driver domain"

struct recording {
    uint8_t *bytes;
    uint32_t records;
};

static void put(uint8_t *at, uint64_t value, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint8_t *next_record(struct recording *to) {
    uint8_t *at = to->bytes + HEADER_BYTES + (size_t)to->records++ * RECORD_BYTES;

    memset(at, 0, RECORD_BYTES);
    return at;
}

/* Text number n is the specification of vGPU n. */
static void put_specification(struct recording *to, uint32_t n, const char *text) {
    size_t length = strlen(text);

    for (size_t done = 0; done < length && done < SPECIFICATION_MAX; done += TEXT_BYTES) {
        size_t piece = length - done < TEXT_BYTES ? length - done : TEXT_BYTES;
        uint8_t *at = next_record(to);

        at[11] = KIND_TEXT;
        at[13] = (uint8_t)piece;
        put(at + 14, n, 2);
        memcpy(at + 16, text + done, piece);
    }
}

static void put_header(struct recording *to, uint64_t dropped, const char *version) {
    uint8_t *at = to->bytes;

    memset(at, 0, HEADER_BYTES);
    memcpy(at, "GBTRACE\n", 8);
    put(at + 8, 1, 2);
    put(at + 24, to->records, 4);
    put(at + 28, dropped > UINT32_MAX ? UINT32_MAX : dropped, 4);
    memcpy(at + 64, "core", 4);
    memcpy(at + 96, version, strnlen(version, 16));
    memcpy(at + 192, STORY, sizeof(STORY) - 1);
    put(at + 12, crc32_z(crc32_z(0, NULL, 0), at, HEADER_BYTES + (size_t)to->records * RECORD_BYTES), 4);
}

static int write_file(struct gb *gb, const struct recording *from, const char *path) {
    size_t bytes = HEADER_BYTES + (size_t)from->records * RECORD_BYTES;
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(from->bytes, 1, bytes, file) == bytes;

    /* A full disk may show only when the last bytes leave the buffer. */
    if (file)
        good = !fclose(file) && good;
    return good ? GB_OK : gb_fail(gb, GB_FAILED, "cannot write %s: %s", path, strerror(errno));
}

int trace_file_write(struct gb *gb, const struct driver *driver, uint32_t domid, const uint8_t *ring, size_t bytes,
                     uint64_t dropped, const char *path) {
    size_t most = bytes / RECORD_BYTES + VGPU_MAX * (SPECIFICATION_MAX / TEXT_BYTES);
    struct recording to = {.bytes = malloc(HEADER_BYTES + most * RECORD_BYTES)};
    char text[STORE_VALUE_MAX + 1], version[STORE_VALUE_MAX + 1] = "";
    int error;

    if (!to.bytes)
        return gb_fail(gb, GB_FAILED, "out of memory");
    for (uint32_t n = 0; n < VGPU_MAX; n++) {
        if (store_read(gb, text, sizeof(text), "/local/domain/%u/data/glovebox/vgpu/%u/%u", driver->domid, domid, n))
            put_specification(&to, n, text);
    }
    for (size_t at = 0; at + RECORD_BYTES <= bytes; at += RECORD_BYTES) {
        if ((ring[at + 8] | ring[at + 9] << 8) == (int)domid)
            memcpy(next_record(&to), ring + at, RECORD_BYTES);
    }
    store_read(gb, version, sizeof(version), "/local/domain/%u/data/glovebox/version", driver->domid);
    put_header(&to, dropped, version);
    error = write_file(gb, &to, path);
    if (!error && !gb->opt.json)
        printf("%s: %u records%s\n", path, to.records, dropped ? ", older ones were overwritten" : "");
    free(to.bytes);
    return error;
}
