/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <string.h>

#include "shim.h"

#define BARS 6u
#define BAR_TRAP 1u
#define BAR_RAM 2u
/* Of the binary manifest: unikernel/abi/manifest.ts. */
enum { AT_MSI = 72, AT_MSIX = 74, AT_INTX = 76, AT_SCANOUTS = 84, AT_FUEL = 88, AT_BARS = 112, AT_PARAMS = 208 };
#define NO_SIZE_PARAM 0xffu
#define EXTENT_MAX 16384u

static uint64_t params[TRACE_PARAMS_MAX];
static struct {
    uint32_t kind;
    uint64_t bytes;
} bars[BARS];
static uint32_t scanouts, vectors, irq_answer;
static struct {
    uint32_t format, width, height;
} shown[4];
static const uint8_t *manifest;
static uint64_t hash;

static void note(uint64_t value) {
    uint64_t mixed = (hash ^ value) * 0x9e3779b97f4a7c15u;

    hash = mixed << 29 | mixed >> 35;
}

uint64_t model_answers(void) {
    return hash;
}

/* --- imports --- */

uint64_t model_param(uint32_t key) {
    return key < TRACE_PARAMS_MAX ? params[key] : 0;
}

uint32_t model_irq(uint32_t vector) {
    if (vector >= vectors)
        return MODEL_FATAL;
    note((uint64_t)1 << 56 | vector);
    return irq_answer;
}

static uint32_t pixel_bytes(uint32_t format) {
    switch (format) { /* drm_fourcc.h: XR24, RG24, RG16 */
    case 0x34325258:
        return 4;
    case 0x34324752:
        return 3;
    case 0x36314752:
        return 2;
    default:
        return 0;
    }
}

static bool is_picture(uint64_t bytes, uint64_t offset, uint32_t width, uint32_t height, uint32_t stride,
                       uint32_t format) {
    uint32_t pixel = pixel_bytes(format);

    if (!pixel || !width || !height || width > EXTENT_MAX || height > EXTENT_MAX)
        return false;
    if (stride < width * pixel || offset > bytes)
        return false;
    return (uint64_t)(height - 1) * stride + width * pixel <= bytes - offset;
}

uint32_t model_scanout(uint32_t scanout, uint32_t bar, uint64_t offset, uint32_t width, uint32_t height,
                       uint32_t stride, uint32_t format) {
    if (scanout >= scanouts || (format && (bar >= BARS || bars[bar].kind != BAR_RAM)))
        return MODEL_FATAL;
    if (format && !is_picture(bars[bar].bytes, offset, width, height, stride, format))
        return 2;
    shown[scanout].format = format;
    shown[scanout].width = width;
    shown[scanout].height = height;
    note((uint64_t)2 << 56 | offset);
    note((uint64_t)height << 32 | width);
    note((uint64_t)stride << 32 | format);
    return 0;
}

uint32_t model_flush(uint32_t scanout, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    if (scanout >= scanouts)
        return MODEL_FATAL;
    if (!shown[scanout].format || x > shown[scanout].width || width > shown[scanout].width - x ||
        y > shown[scanout].height || height > shown[scanout].height - y)
        return 2;
    note((uint64_t)3 << 56 | (uint64_t)scanout << 32);
    note((uint64_t)x << 32 | y);
    note((uint64_t)width << 32 | height);
    return 0;
}

void model_log(uint32_t len) {
    note((uint64_t)4 << 56 | len);
}

/* --- what the manifest says --- */

static uint64_t little(const uint8_t *at, uint32_t bytes) {
    uint64_t value = 0;

    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static void size_bars(void) {
    for (uint32_t i = 0; i < BARS; i++) {
        const uint8_t *bar = manifest + AT_BARS + 16 * i;

        bars[i].kind = bar[0];
        bars[i].bytes = bar[3] == NO_SIZE_PARAM ? little(bar + 8, 8) : params[bar[3] % TRACE_PARAMS_MAX];
    }
}

void model_manifest(const uint8_t *m) {
    static const struct trace nothing;

    manifest = m;
    model_params(&nothing);
    scanouts = (uint32_t)little(m + AT_SCANOUTS, 4);
    scanouts = scanouts > 4 ? 4 : scanouts;
    vectors = larger(larger((uint32_t)little(m + AT_MSI, 2), (uint32_t)little(m + AT_MSIX, 2)), m[AT_INTX] ? 1 : 0);
}

void model_params(const struct trace *trace) {
    for (uint32_t i = 0; i < TRACE_PARAMS_MAX; i++)
        params[i] = trace->params ? trace->param[i] : little(manifest + AT_PARAMS + 48 * i + 24, 8);
    size_bars();
}

uint32_t model_budget(uint32_t entry) {
    return (uint32_t)little(manifest + AT_FUEL + 4 * entry, 4);
}

/* --- records --- */

static void at_rest(void) {
    irq_answer = 0;
    memset(shown, 0, sizeof(shown));
}

void model_begin(void) {
    hash = 0;
    at_rest();
}

static bool is_access(const struct trace_record *one) {
    if (one->bar >= BARS || bars[one->bar].kind != BAR_TRAP)
        return false;
    if (one->size == 0 || one->size > 8 || (one->size & (one->size - 1)))
        return false;
    return one->addr < bars[one->bar].bytes && one->size <= bars[one->bar].bytes - one->addr;
}

static uint64_t ones(uint32_t bytes) {
    return ~(uint64_t)0 >> (64 - 8 * bytes);
}

void model_record(const struct trace_record *one, model_call *call) {
    switch (one->kind) {
    case TRACE_CALL_READ:
        if (is_access(one))
            note(call(ENTRY_BAR_READ, one->bar, one->addr, one->size, 0) & ones(one->size));
        return;
    case TRACE_CALL_WRITE:
        if (is_access(one))
            call(ENTRY_BAR_WRITE, one->bar, one->addr, one->size, one->data);
        return;
    case TRACE_CALL_RESET:
        at_rest();
        call(ENTRY_RESET, 0, 0, 0, 0);
        return;
    case TRACE_CALL_EVENT:
        if (model_budget(ENTRY_EVENT))
            call(ENTRY_EVENT, (uint32_t)one->addr, one->data, 0, 0);
        return;
    case TRACE_CALL_WORK_DONE:
        if (model_budget(ENTRY_WORK_DONE))
            call(ENTRY_WORK_DONE, one->addr, (uint32_t)one->data, 0, 0);
        return;
    case TRACE_ANSWERS:
        if ((uint32_t)one->addr <= 2)
            irq_answer = (uint32_t)one->addr;
        return;
    default:
        return;
    }
}
