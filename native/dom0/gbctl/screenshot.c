// SPDX-License-Identifier: MIT
/*
 * screenshot: a guest's screen in parts of at most 1 MiB through the share, and its CRC-32 as the driver domain
 * computes it. The guest draws on while we copy: when the picture's own CRC differs, the screen moved, and the copy
 * is taken again. Its cursor is a picture of its own, taken by the same requests with a word more, and laid over it.
 */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "gbctl.h"

#define TRIES 4 /* one, and three more */

struct shot {
    struct driver driver;
    struct domain guest;
    uint32_t vgpu;
    uint32_t scanout;
    bool cursor;  /* it is the scanout's cursor that is taken */
    uint32_t crc; /* as the domain says */
    bool moved;
};

static const char *plane_word(const struct shot *shot) {
    return shot->cursor ? " cursor" : "";
}

static int refuse(struct gb *gb, const struct shot *shot, const char *what) {
    return gb_fail(gb, GB_FAILED, "driver domain %u (%s): its reply is wrong: %s", shot->driver.domid,
                   shot->driver.name, what);
}

/* A DRM fourcc code is written as its four characters, e.g. XR24; 0 when it is none that we know. */
static uint32_t read_format(const char *text) {
    uint32_t code = 0;

    if (!text || strlen(text) != 4)
        return 0;
    for (uint32_t i = 0; i < 4; i++)
        code |= (uint32_t)(uint8_t)text[i] << (8 * i);
    return picture_pixel_bytes(code) ? code : 0;
}

/* Sizes from a reply become a picture's: the one place where they are checked. */
static int read_shape(struct gb *gb, const struct shot *shot, const struct words *words, struct picture *p) {
    uint64_t width, height;

    if (!words_u64(words, "width", PICTURE_SIDE_MAX, &width) || !width ||
        !words_u64(words, "height", PICTURE_SIDE_MAX, &height) || !height)
        return refuse(gb, shot, "width= and height= must be 1 to 16384");
    p->format = read_format(words_get(words, "format"));
    if (!p->format || shot->cursor != (p->format == FORMAT_ARGB8888))
        return refuse(gb, shot, "format= is none that gbctl knows");
    p->width = (uint32_t)width;
    p->height = (uint32_t)height;
    p->pixel_bytes = picture_pixel_bytes(p->format);
    if (width * height * p->pixel_bytes > PICTURE_BYTES_MAX)
        return refuse(gb, shot, "the picture is larger than 256 MiB");
    p->bytes = (size_t)(width * height * p->pixel_bytes);
    return GB_OK;
}

static int ask_crc(struct gb *gb, struct shot *shot, struct picture *shape) {
    static struct words words;
    const char *text;
    char *end;
    int error = request(gb, &shot->driver, &words, "crc %u %u %u%s", shot->guest.domid, shot->vgpu, shot->scanout,
                        plane_word(shot));

    if (!error)
        error = read_shape(gb, shot, &words, shape);
    if (error)
        return error;
    text = words_get(&words, "crc32");
    if (!text || strlen(text) != 8)
        return refuse(gb, shot, "crc32= must be 8 hexadecimal digits");
    shot->crc = (uint32_t)strtoul(text, &end, 16);
    if (*end)
        return refuse(gb, shot, "crc32= must be 8 hexadecimal digits");
    if (shot->cursor && (!words_s32(&words, "x", &shape->x) || !words_s32(&words, "y", &shape->y)))
        return refuse(gb, shot, "x= and y= must be numbers of 32 bits");
    return GB_OK;
}

static bool same_shape(const struct picture *a, const struct picture *b) {
    return a->width == b->width && a->height == b->height && a->format == b->format;
}

/* One part; *offset moves behind it. A change of mode between two parts counts as a screen that moved. */
static int read_part(struct gb *gb, struct shot *shot, struct picture *p, size_t *offset) {
    static struct words words;
    struct picture shape;
    size_t copied = 0;
    int error = request(gb, &shot->driver, &words, "read %u %u %u %zu %u%s", shot->guest.domid, shot->vgpu,
                        shot->scanout, *offset, gb->self, plane_word(shot));

    if (error == GB_FAILED && strstr(gb->error, "scanout changed")) {
        shot->moved = true;
        return GB_OK;
    }
    if (!error)
        error = read_shape(gb, shot, &words, &shape);
    if (error)
        return error;
    if (!same_shape(&shape, p)) {
        shot->moved = true;
        return GB_OK;
    }
    error = share_copy(gb, &shot->driver, &words, p->data + *offset, p->bytes - *offset, &copied);
    *offset += copied;
    return error;
}

static int read_whole(struct gb *gb, struct shot *shot, struct picture *p) {
    struct words *words = NULL;
    size_t offset = 0;
    int error = GB_OK;

    shot->moved = false;
    while (offset < p->bytes && !shot->moved && !error)
        error = read_part(gb, shot, p, &offset);
    if (error)
        return error;
    words = malloc(sizeof(*words));
    if (words)
        error = request(gb, &shot->driver, words, "release");
    free(words);
    return error;
}

static uint32_t picture_crc(const struct picture *p) {
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), p->data, p->bytes);
}

static int take_once(struct gb *gb, struct shot *shot, struct picture *p) {
    int error;

    free(p->data);
    p->data = NULL;
    error = ask_crc(gb, shot, p);
    if (error)
        return error;
    p->data = malloc(p->bytes);
    if (!p->data)
        return gb_fail(gb, GB_FAILED, "no memory for a picture of %zu bytes", p->bytes);
    error = read_whole(gb, shot, p);
    if (!error && !shot->moved)
        shot->moved = picture_crc(p) != shot->crc;
    return error;
}

static int take(struct gb *gb, struct shot *shot, struct picture *p) {
    int error = GB_OK;

    shot->moved = true;
    for (uint32_t i = 0; i < TRIES && shot->moved && !error; i++)
        error = take_once(gb, shot, p);
    /* A mode change in the middle of the last try left holes: no picture. */
    if (!error && shot->moved && !p->data)
        return gb_fail(gb, GB_FAILED, "the guest changes its mode faster than it can be pictured");
    return error;
}

/* The cursor over the screen, if there is one; it may go while it is taken. */
static int take_cursor(struct gb *gb, const struct shot *screen, struct picture *p) {
    struct shot shot = *screen;
    struct picture cursor = {0};
    int error;

    shot.cursor = true;
    error = take(gb, &shot, &cursor);
    if (!error)
        cursor_lay(p, &cursor);
    else if (error == GB_FAILED && strstr(gb->error, "cursor off"))
        error = GB_OK;
    free(cursor.data);
    return error;
}

/* The screen's own bytes count, not what was laid over them. */
static int take_screen(struct gb *gb, struct shot *shot, struct picture *p) {
    int error = take(gb, shot, p);

    if (error)
        return error;
    shot->crc = picture_crc(p);
    return gb->opt.no_cursor ? GB_OK : take_cursor(gb, shot, p);
}

static void print_shot(const struct gb *gb, const struct shot *shot, const struct picture *p, const char *path) {
    struct json j = {.to = stdout};
    char crc[12];
    char fourcc[5] = {(char)p->format, (char)(p->format >> 8), (char)(p->format >> 16), (char)(p->format >> 24), 0};

    snprintf(crc, sizeof(crc), "%08x", shot->crc);
    if (!gb->opt.json) {
        printf("crc32=%s width=%u height=%u format=%s%s%s", crc, p->width, p->height, fourcc, path ? " file=" : "",
               path ? path : "");
        if (shot->cursor)
            printf(" x=%d y=%d", p->x, p->y);
        printf("\n");
        return;
    }
    json_open(&j, NULL, '{');
    json_string(&j, "crc32", crc);
    json_number(&j, "width", p->width);
    json_number(&j, "height", p->height);
    json_string(&j, "format", fourcc);
    json_bool(&j, "moved", shot->moved);
    if (shot->cursor) {
        json_signed(&j, "x", p->x);
        json_signed(&j, "y", p->y);
    }
    if (path)
        json_string(&j, "file", path);
    json_close(&j, '}');
    json_end(&j);
}

static bool is_picture_name(const char *path) {
    size_t length = strlen(path);

    return length > 4 && (!strcmp(path + length - 4, ".png") || !strcmp(path + length - 4, ".ppm"));
}

/* Operands: GUEST [N] FILE, or GUEST [N] with --crc. */
static int read_operands(struct gb *gb, struct shot *shot, const char **path) {
    uint32_t count = gb->opt.operand_count;
    const char *number = NULL;
    int error;

    *path = NULL;
    if (gb->opt.cursor && (!gb->opt.crc || gb->opt.no_cursor))
        return gb_fail(gb, GB_USAGE, "--cursor goes with --crc, and not with --no-cursor");
    if (!gb->opt.crc) {
        if (count < 2)
            return gb_fail(gb, GB_USAGE, "name a file (.png or .ppm), or say --crc");
        *path = gb->opt.operand[--count];
        if (!is_picture_name(*path))
            return gb_fail(gb, GB_USAGE, "file \"%s\": its name must end in .png or .ppm", *path);
    } else if (count > 2) {
        return gb_fail(gb, GB_USAGE, "\"%s\": with --crc no file is written", gb->opt.operand[2]);
    }
    if (count > 1)
        number = gb->opt.operand[1];
    error = vgpu_number(gb, number, &shot->vgpu);
    if (!error)
        error = domain_find(gb, gb->opt.operand[0], &shot->guest);
    return error ? error : driver_of_guest(gb, shot->guest.domid, NULL, &shot->driver);
}

int screenshot_run(struct gb *gb) {
    struct shot shot = {.scanout = gb->opt.scanout, .cursor = gb->opt.cursor};
    struct picture picture = {0};
    const char *path;
    int error = read_operands(gb, &shot, &path);

    if (!error)
        error = request_begin(gb);
    if (!error)
        error = path ? take_screen(gb, &shot, &picture) : ask_crc(gb, &shot, &picture);
    request_end(gb);
    if (!error && path)
        error = picture_write(gb, &picture, path);
    if (!error && path && shot.moved)
        fprintf(stderr, "gbctl: warning: the screen moved while it was copied (%d tries); the picture may be torn\n",
                TRIES);
    if (!error)
        print_shot(gb, &shot, &picture, path);
    free(picture.data);
    return error;
}
