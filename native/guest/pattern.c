// SPDX-License-Identifier: MIT
/*
 * The test picture. Every pixel differs from its neighbours somewhere in its bytes, so that a shifted row, a wrong
 * stride or a lost page cannot hide; and it is nice to look at.
 *
 *   sky: three colours blended downwards, stars · sun: a disc with slits that widen · plain: squares in perspective
 */
#include "pattern.h"

struct colour {
    int32_t r, g, b;
};

static const struct colour NIGHT = {18, 10, 52}, DUSK = {176, 38, 128}, GLOW = {255, 150, 70};
static const struct colour SUN_TOP = {255, 238, 120}, SUN_LOW = {255, 40, 130};
static const struct colour TILE_NEAR = {40, 210, 230}, TILE_FAR = {190, 60, 170}, GROUND = {24, 8, 56};

/* a at 0, b at `whole`. */
static struct colour blend(struct colour a, struct colour b, int64_t part, int64_t whole) {
    if (part < 0)
        part = 0;
    if (part > whole)
        part = whole;
    return (struct colour){
        a.r + (int32_t)((b.r - a.r) * part / whole),
        a.g + (int32_t)((b.g - a.g) * part / whole),
        a.b + (int32_t)((b.b - a.b) * part / whole),
    };
}

/* A number without pattern for each place: xorshift-multiply, constants from splitmix64's family of odd primes. */
static uint32_t scatter(uint32_t x, uint32_t y) {
    uint32_t value = x * 0x9e3779b1u ^ y * 0x85ebca77u;

    value ^= value >> 15;
    value *= 0xc2b2ae3du;
    return value ^ value >> 13;
}

static struct colour sky(int32_t x, int32_t y, int32_t horizon) {
    int32_t middle = horizon * 2 / 3;
    struct colour c = y < middle ? blend(NIGHT, DUSK, y, middle) : blend(DUSK, GLOW, y - middle, horizon - middle);
    uint32_t chance = scatter((uint32_t)x / 2, (uint32_t)y / 2);

    if (y < middle && chance % 701 == 0)
        return blend((struct colour){255, 250, 235}, c, y, middle);
    return c;
}

/* Rings of light around the sun, weaker outwards. */
static struct colour halo(struct colour under, int64_t distance2, int64_t radius) {
    int64_t reach2 = radius * radius * 4;

    if (distance2 >= reach2)
        return under;
    return blend((struct colour){255, 190, 150}, under, distance2 + reach2 / 2, reach2 + reach2 / 2);
}

static struct colour sun(struct colour under, int32_t from_top, int64_t radius) {
    /* Below the middle: slits, each taller than the one above it. */
    int64_t low = from_top - radius;
    int64_t step = radius / 5 + 1;

    if (low > 0 && low % step < 1 + low * step / (radius * 2))
        return under;
    return blend(SUN_TOP, SUN_LOW, from_top, 2 * radius);
}

static struct colour plain(int32_t x, int32_t y, int32_t width, int32_t height, int32_t horizon) {
    int64_t depth = y - horizon + 1; /* 1 at the horizon, so never a division by 0 */
    int64_t below = height - horizon;
    int64_t across = ((int64_t)(x - width / 2) * 4096 / depth) * below / width + (1 << 20);
    int64_t away = below * 4096 / depth;
    struct colour tile = blend(TILE_FAR, TILE_NEAR, depth, below);

    /* Far squares are smaller than pixels: let them fade into the glow before they flicker. */
    if (((across >> 9) ^ (away >> 10)) & 1)
        tile = blend(tile, GROUND, 4, 5);
    return blend(GLOW, tile, depth * 5, below);
}

uint32_t pattern_pixel(int32_t x, int32_t y, int32_t width, int32_t height) {
    int32_t horizon = height * 5 / 8;
    int64_t radius = height / 4 + 1;
    int64_t dx = x - width / 2, dy = y - (horizon - radius * 3 / 4);
    int64_t distance2 = dx * dx + dy * dy;
    struct colour c;

    if (y >= horizon) {
        c = plain(x, y, width, height, horizon);
    } else {
        c = halo(sky(x, y, horizon), distance2, radius);
        if (distance2 <= radius * radius)
            c = sun(c, (int32_t)(dy + radius), radius);
    }
    return (uint32_t)((x ^ y) & 0xff) << 24 | (uint32_t)c.r << 16 | (uint32_t)c.g << 8 | (uint32_t)c.b;
}

/* Colours change places by thirds of a turn, and every variant has an X byte of its own. */
uint32_t pattern_variant(int32_t x, int32_t y, int32_t width, int32_t height, uint32_t variant) {
    uint32_t pixel = pattern_pixel(x, y, width, height);
    uint32_t shift = variant % 3 * 8;
    uint32_t colour = (pixel & 0xffffff) << shift | (pixel & 0xffffff) >> (24 - shift);

    return ((pixel & 0xff000000) ^ (variant & 0xff) << 24) | (colour & 0xffffff);
}
