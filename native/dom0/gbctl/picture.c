// SPDX-License-Identifier: MIT
/*
 * Pixels to files: PNG, or PPM when the name ends so. The file appears under its name only when it is whole.
 * Formats are DRM fourcc codes; in memory they are little-endian words, so XRGB8888 lies there as B G R X.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>

#include "gbctl.h"

uint32_t picture_pixel_bytes(uint32_t format) {
    switch (format) {
    case FORMAT_XRGB8888:
    case FORMAT_ARGB8888:
        return 4;
    case FORMAT_RGB888:
        return 3;
    case FORMAT_RGB565:
        return 2;
    default:
        return 0;
    }
}

static void row_to_rgb(const struct picture *p, uint32_t y, uint8_t *out) {
    const uint8_t *in = p->data + (size_t)y * p->width * p->pixel_bytes;

    for (uint32_t x = 0; x < p->width; x++, in += p->pixel_bytes, out += 3) {
        if (p->format == FORMAT_RGB565) {
            uint32_t word = in[0] | (uint32_t)in[1] << 8;

            /* 5 and 6 bits to 8: the high bits again below, so that white stays white. */
            out[0] = (uint8_t)((word >> 8 & 0xf8) | word >> 13);
            out[1] = (uint8_t)((word >> 3 & 0xfc) | (word >> 9 & 3));
            out[2] = (uint8_t)((word << 3 & 0xf8) | (word >> 2 & 7));
        } else {
            out[0] = in[2];
            out[1] = in[1];
            out[2] = in[0];
        }
    }
}

static bool write_ppm(const struct picture *p, uint8_t *row, FILE *file) {
    fprintf(file, "P6\n%u %u\n255\n", p->width, p->height);
    for (uint32_t y = 0; y < p->height; y++) {
        row_to_rgb(p, y, row);
        if (fwrite(row, 3, p->width, file) != p->width)
            return false;
    }
    return true;
}

static void png_silent(png_structp png, png_const_charp text) {
    (void)text;
    png_longjmp(png, 1);
}

static void png_ignore(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static bool write_png(const struct picture *p, uint8_t *row, FILE *file) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, png_silent, png_ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;

    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_init_io(png, file);
    png_set_IHDR(png, info, p->width, p->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
                 PNG_FILTER_TYPE_BASE);
    png_write_info(png, info);
    for (uint32_t y = 0; y < p->height; y++) {
        row_to_rgb(p, y, row);
        png_write_row(png, row);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return true;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && !strcmp(text + length - tail, end);
}

static bool write_file(const struct picture *p, const char *path, int fd) {
    FILE *file = fdopen(fd, "wb");
    uint8_t *row = malloc((size_t)p->width * 3);
    bool good = file && row;

    if (good)
        good = ends_with(path, ".ppm") ? write_ppm(p, row, file) : write_png(p, row, file);
    /* A full disk may show only when the last bytes leave the buffer. */
    if (file)
        good = !fclose(file) && good;
    else
        close(fd);
    free(row);
    return good;
}

/* As any new file gets it: mkstemp() made it for its owner alone. */
static int usual_mode(const char *path) {
    mode_t mask = umask(0);

    umask(mask);
    return chmod(path, 0666 & ~mask);
}

int picture_write(struct gb *gb, const struct picture *p, const char *path) {
    char temporary[4096];
    int fd;

    errno = 0;
    if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= sizeof(temporary))
        return gb_fail(gb, GB_USAGE, "%.200s...: path too long", path);
    fd = mkstemp(temporary);
    if (fd < 0)
        return gb_fail(gb, GB_FAILED, "cannot write %s: %s", path, strerror(errno));
    if (write_file(p, path, fd) && !usual_mode(temporary) && !rename(temporary, path))
        return GB_OK;
    gb_fail(gb, GB_FAILED, "cannot write %s: %s", path, errno ? strerror(errno) : "libpng failed");
    unlink(temporary);
    return GB_FAILED;
}
