// SPDX-License-Identifier: MIT
/* The picture of a driver domain, which answers requests for it by itself. */
#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void fake_set_picture(struct fake_picture *p, const char *words) {
    p->moves = 0;
    if (sscanf(words, "%u %u %u %u %u", &p->width, &p->height, &p->format, &p->part_bytes, &p->moves) < 4)
        fake_bad(words);
    p->pixel_bytes = p->format == 0x34325258 || p->format == 0x34325241 ? 4 : p->format == 0x34324752 ? 3 : 2;
    p->bytes = (uint64_t)p->width * p->height * p->pixel_bytes;
    p->data = malloc(p->bytes);
    for (uint64_t i = 0; p->data && i < p->bytes; i++)
        p->data[i] = (uint8_t)(i * 7 + i / 251);
}

/* WIDTH HEIGHT X Y, over the picture: the same bytes. */
void fake_set_cursor(const char *words) {
    struct fake_picture *p = &world.cursor;
    char line[80];

    if (sscanf(words, "%u %u %d %d", &p->width, &p->height, &p->x, &p->y) != 4)
        fake_bad(words);
    snprintf(line, sizeof(line), "%u %u %u 4096", p->width, p->height, 0x34325241);
    fake_set_picture(p, line);
}

void fake_reply(const char *number, const char *text) {
    char line[TEXT_MAX];

    snprintf(line, sizeof(line), "%s %s", number, text);
    fake_set("/local/domain/1/data/glovebox/reply", line);
}

static const char *format_name(const struct fake_picture *p) {
    return p->pixel_bytes == 3 ? "RG24" : p->pixel_bytes == 2 ? "RG16" : p == &world.cursor ? "AR24" : "XR24";
}

static void picture_crc(const char *number, struct fake_picture *p) {
    uint32_t crc = (uint32_t)crc32(0, p->data, (uInt)p->bytes) ^ (p->moves ? 1 : 0);
    char line[300];

    p->moves -= p->moves ? 1 : 0;
    snprintf(line, sizeof(line), "ok crc32=%08x width=%u height=%u stride=0 format=%s x=%d y=%d", crc, p->width,
             p->height, format_name(p), p->x, p->y);
    fake_reply(number, line);
}

static bool picture_read(const char *number, struct fake_picture *p, uint64_t offset) {
    uint64_t part = p->bytes - offset < p->part_bytes ? p->bytes - offset : p->part_bytes;
    char line[300];

    if (offset >= p->bytes)
        return false;
    p->granted_at = offset;
    world.granted = p;
    snprintf(line, sizeof(line), "ok gref=8 pages=%llu bytes=%llu total=%llu width=%u height=%u format=%s",
             (unsigned long long)(part + 4095) / 4096, (unsigned long long)part, (unsigned long long)p->bytes, p->width,
             p->height, format_name(p));
    fake_reply(number, line);
    return true;
}

bool fake_picture_request(const char *number, const char *text) {
    bool of_cursor = strstr(text, " cursor") != NULL;
    struct fake_picture *p = of_cursor ? &world.cursor : &world.picture;
    unsigned guest, vgpu, scanout;
    unsigned long long offset;

    if (!world.picture.data)
        return false;
    if (!p->data) {
        fake_reply(number, "error cursor off: 0");
        return true;
    }
    if (sscanf(text, "crc %u %u %u", &guest, &vgpu, &scanout) == 3) {
        picture_crc(number, p);
        return true;
    }
    return sscanf(text, "read %u %u %u %llu", &guest, &vgpu, &scanout, &offset) == 4 && picture_read(number, p, offset);
}
