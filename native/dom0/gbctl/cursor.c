// SPDX-License-Identifier: MIT
/*
 * A cursor laid over a picture, as a display does it with its cursor plane: ARGB8888 with colours that are multiplied
 * by alpha already (drm_blend.c, "Pre-multiplied", what DRM means without that property). What lies outside of the
 * picture is not seen; a place is any 32-bit number.
 */
#include "gbctl.h"

struct rgb {
    uint32_t red, green, blue;
};

/* 5 or 6 bits to 8: the high bits again below, so that white stays white. */
static uint32_t widen(uint32_t value, uint32_t bits) {
    return value << (8 - bits) | value >> (2 * bits - 8);
}

static struct rgb pixel_get(const struct picture *p, const uint8_t *at) {
    uint32_t word = at[0] | (uint32_t)at[1] << 8;

    if (p->pixel_bytes == 2)
        return (struct rgb){widen(word >> 11, 5), widen(word >> 5 & 63, 6), widen(word & 31, 5)};
    return (struct rgb){at[2], at[1], at[0]};
}

static void pixel_put(const struct picture *p, uint8_t *at, struct rgb colour) {
    if (p->pixel_bytes == 2) {
        uint32_t word = colour.red >> 3 << 11 | colour.green >> 2 << 5 | colour.blue >> 3;

        at[0] = (uint8_t)word;
        at[1] = (uint8_t)(word >> 8);
        return;
    }
    at[0] = (uint8_t)colour.blue;
    at[1] = (uint8_t)colour.green;
    at[2] = (uint8_t)colour.red;
}

/* A colour that is brighter than its alpha allows is the guest's mistake: it ends at white. */
static uint32_t blend(uint32_t above, uint32_t below, uint32_t alpha) {
    uint32_t sum = above + (below * (255 - alpha) + 127) / 255;

    return sum < 255 ? sum : 255;
}

static void lay_pixel(const struct picture *p, uint8_t *at, const uint8_t *above) {
    uint32_t alpha = above[3];
    struct rgb below = pixel_get(p, at);
    struct rgb mixed = {blend(above[2], below.red, alpha), blend(above[1], below.green, alpha),
                        blend(above[0], below.blue, alpha)};

    if (alpha || above[0] || above[1] || above[2])
        pixel_put(p, at, mixed);
}

void cursor_lay(struct picture *p, const struct picture *cursor) {
    for (uint32_t row = 0; row < cursor->height; row++) {
        int64_t y = (int64_t)cursor->y + row;

        for (uint32_t column = 0; column < cursor->width; column++) {
            int64_t x = (int64_t)cursor->x + column;

            if (x < 0 || y < 0 || x >= p->width || y >= p->height)
                continue;
            lay_pixel(p, p->data + ((size_t)y * p->width + (size_t)x) * p->pixel_bytes,
                      cursor->data + ((size_t)row * cursor->width + column) * cursor->pixel_bytes);
        }
    }
}
