/* SPDX-License-Identifier: MIT */
#ifndef GUEST_PATTERN_H
#define GUEST_PATTERN_H

#include <stdint.h>

/*
 * The pixel at (x, y) of the test picture, XRGB8888: a sun over a chequered plain. Integers only, so every machine
 * computes the same. The X byte is x ^ y: it shows nowhere, but a lost or moved byte changes the CRC.
 */
uint32_t pattern_pixel(int32_t x, int32_t y, int32_t width, int32_t height);

/* The same picture in other colours, so that each of several guests has one of its own; 0 is the one above. */
#define PATTERN_VARIANTS 256
uint32_t pattern_variant(int32_t x, int32_t y, int32_t width, int32_t height, uint32_t variant);

#endif
