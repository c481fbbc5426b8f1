/* SPDX-License-Identifier: MIT */
/*
 * The ramdisk: a cpio archive, format newc, whose first file is `B2SUMS` (as b2sum writes it). Whoever starts
 * the domain chose every byte, and may have cut the file: nothing is believed. Pure functions over bytes.
 */
#ifndef GLOVEBOX_RAMDISK_H
#define GLOVEBOX_RAMDISK_H

#include "blake2b.h"
#include "words.h"

struct ramdisk {
    const uint8_t *bytes;
    uint64_t len;
    uint64_t at; /* of the next header */
};

struct ramdisk_file {
    const uint8_t *name; /* NUL-terminated */
    uint32_t name_len;
    uint32_t mode;
    const uint8_t *bytes;
    uint64_t len;
};

enum ramdisk_step { RAMDISK_FILE, RAMDISK_END, RAMDISK_BROKEN };

/* The next file; BROKEN: no more can be found in it, `why` says what is wrong. */
enum ramdisk_step ramdisk_next(struct ramdisk *ramdisk, struct ramdisk_file *file, struct words *why);

bool ramdisk_is(const struct ramdisk_file *file, const char *name);

/* The digest that B2SUMS gives for that name; false with words: it gives none, or its line makes no sense. */
bool ramdisk_sum(const struct ramdisk_file *sums, const struct ramdisk_file *file, uint8_t digest[BLAKE2B_BYTES],
                 struct words *why);

#endif
