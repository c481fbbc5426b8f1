/* SPDX-License-Identifier: MIT */
#include "plain_device.h"

#include <stdbool.h>
#include <string.h>

#define WINDOW 4096u
#define WINDOWS 4u
#define ROWS 8u
#define DOORBELL 0x08u
#define WRITES 0x0cu
#define READS 0x10u
#define MISDEED 0x14u
#define PLAIN 0x20u
#define WIDTH 4u
#define OPEN_BUS 0xfffffffffffffffful

static const uint32_t windows[WINDOWS][2] = {{0, WINDOW}, {0, 16}, {0x100, 256}, {0x40, 32}};
static const uint32_t table[ROWS][3] = {
    {0x00, 0x47425246, 0}, {0x04, 0, 0xffffffff}, {0x08, 0, 0xffffffff}, {0x0c, 0, 0},
    {0x10, 0, 0},          {0x14, 0, 0xffffffff}, {0x18, 0, 0},          {0x1c, 0, 0},
};
static uint8_t image[WINDOW], writable[WINDOW];

static uint64_t get(const uint8_t *at, uint32_t size) {
    uint64_t value = 0;
    switch (size) {
    case 1:
        return *at;
    case 2:
        return *(const uint16_t *)at;
    case 4:
        return *(const uint32_t *)at;
    case 8:
        memcpy(&value, at, sizeof(value));
        return value;
    default:
        return OPEN_BUS;
    }
}

static void put(uint8_t *at, uint32_t size, uint64_t value) {
    switch (size) {
    case 1:
        *at = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)at = (uint16_t)value;
        break;
    case 4:
        *(uint32_t *)at = (uint32_t)value;
        break;
    case 8:
        memcpy(at, &value, sizeof(value));
        break;
    default:
        break;
    }
}

static bool in_window(uint32_t bytes, uint32_t offset, uint32_t size) {
    return size - 1 < 8 && (size & (size - 1)) == 0 && offset < bytes && size <= bytes - offset;
}

static bool touches(uint32_t offset, uint32_t size, uint32_t at) {
    return offset < at + WIDTH && at < offset + size;
}

static void count(uint32_t at) {
    put(image + at, WIDTH, get(image + at, WIDTH) + 1);
}

static const uint32_t *window_of(uint32_t bar) {
    static const uint32_t none[2];
    return bar < WINDOWS ? windows[bar] : none;
}

void plain_device_reset(void) {
    memset(image, 0, sizeof(image));
    memset(writable, 0, sizeof(writable));
    for (uint32_t i = 0; i < ROWS; i++) {
        put(image + table[i][0], WIDTH, table[i][1]);
        put(writable + table[i][0], WIDTH, table[i][2]);
    }
    memset(writable + PLAIN, 0xff, sizeof(writable) - PLAIN);
}

uint64_t plain_device_read(uint32_t bar, uint32_t offset, uint32_t size) {
    const uint32_t *window = window_of(bar);
    uint64_t value = in_window(window[1], offset, size) ? get(image + window[0] + offset, size) : OPEN_BUS;
    count(READS);
    return value;
}

void plain_device_write(uint32_t bar, uint32_t offset, uint32_t size, uint64_t value) {
    const uint32_t *window = window_of(bar);
    if (!in_window(window[1], offset, size))
        return;
    uint32_t at = window[0] + offset;
    uint64_t mask = get(writable + at, size);
    put(image + at, size, (get(image + at, size) & ~mask) | (value & mask));
    count(WRITES);
    if (touches(at, size, DOORBELL))
        put(image + DOORBELL, WIDTH, 0);
    if (touches(at, size, MISDEED))
        put(image + MISDEED, WIDTH, 0);
}
