/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "module.h"
#include "shim_limits.h"

#define WASM_PAGE 65536u
#define BARS 6u
#define BAR_TRAP 1u
#define BAR_RAM 2u
/* Of the binary manifest: unikernel/abi/manifest.ts. */
enum { AT_MSI = 72, AT_MSIX = 74, AT_INTX = 76, AT_SCANOUTS = 84, AT_FUEL = 88, AT_BARS = 112, AT_PARAMS = 208 };
#define NO_SIZE_PARAM 0xffu
#define EXTENT_MAX 16384u

extern const struct gb_module gb_module;

uint32_t wasm_rt_call_stack_depth;
uint32_t wasm_rt_call_stack_limit = MODULE_DEPTH_MAX;

static jmp_buf out;
static uint8_t *instance, *instance_after;
static wasm_rt_memory_t *memory;
static uint8_t *memory_after;
static uint64_t reset_bytes;
static struct w2c_glovebox box;
static uint64_t params[TRACE_PARAMS_MAX];
static struct {
    uint32_t kind;
    uint64_t bytes;
} bars[BARS];
static uint32_t scanouts, vectors, irq_answer;
static struct {
    uint32_t format, width, height;
} shown[4];
static uint64_t hash;

static void note(uint64_t value) {
    uint64_t mixed = (hash ^ value) * 0x9e3779b97f4a7c15u;

    hash = mixed << 29 | mixed >> 35;
}

void wasm_rt_trap(wasm_rt_trap_t code) {
    longjmp(out, (int)code);
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *own, uint64_t initial, uint64_t max, bool is64, uint32_t page) {
    (void)is64;
    (void)page;
    if (initial != max)
        abort();
    own->data = calloc(initial, WASM_PAGE);
    own->size = initial * WASM_PAGE;
    own->pages = initial;
    memory = own;
}

/* --- imports --- */

uint64_t w2c_glovebox_param(struct w2c_glovebox *mine, uint32_t key);
uint32_t w2c_glovebox_irq_raise(struct w2c_glovebox *mine, uint32_t vector);
uint32_t w2c_glovebox_scanout_set(struct w2c_glovebox *mine, uint32_t scanout, uint32_t bar, uint64_t offset,
                                  uint32_t width, uint32_t height, uint32_t stride, uint32_t format);
uint32_t w2c_glovebox_scanout_flush(struct w2c_glovebox *mine, uint32_t scanout, uint32_t x, uint32_t y,
                                    uint32_t width, uint32_t height);
void w2c_glovebox_log(struct w2c_glovebox *mine, uint32_t at, uint32_t len);

uint64_t w2c_glovebox_param(struct w2c_glovebox *mine, uint32_t key) {
    (void)mine;
    return key < TRACE_PARAMS_MAX ? params[key] : 0;
}

uint32_t w2c_glovebox_irq_raise(struct w2c_glovebox *mine, uint32_t vector) {
    (void)mine;
    if (vector >= vectors)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
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

uint32_t w2c_glovebox_scanout_set(struct w2c_glovebox *mine, uint32_t scanout, uint32_t bar, uint64_t offset,
                                  uint32_t width, uint32_t height, uint32_t stride, uint32_t format) {
    (void)mine;
    if (scanout >= scanouts || (format && (bar >= BARS || bars[bar].kind != BAR_RAM)))
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
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

uint32_t w2c_glovebox_scanout_flush(struct w2c_glovebox *mine, uint32_t scanout, uint32_t x, uint32_t y,
                                    uint32_t width, uint32_t height) {
    (void)mine;
    if (scanout >= scanouts)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
    if (!shown[scanout].format || x > shown[scanout].width || width > shown[scanout].width - x ||
        y > shown[scanout].height || height > shown[scanout].height - y)
        return 2;
    note((uint64_t)3 << 56 | (uint64_t)scanout << 32);
    note((uint64_t)x << 32 | y);
    note((uint64_t)width << 32 | height);
    return 0;
}

void w2c_glovebox_log(struct w2c_glovebox *mine, uint32_t at, uint32_t len) {
    if ((uint64_t)at + len > mine->memory->size)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
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

static void read_manifest(const uint8_t *m) {
    for (uint32_t i = 0; i < TRACE_PARAMS_MAX; i++)
        params[i] = little(m + AT_PARAMS + 48 * i + 24, 8);
    for (uint32_t i = 0; i < BARS; i++) {
        const uint8_t *bar = m + AT_BARS + 16 * i;

        bars[i].kind = bar[0];
        bars[i].bytes = bar[3] == NO_SIZE_PARAM ? little(bar + 8, 8) : params[bar[3] % TRACE_PARAMS_MAX];
    }
    scanouts = (uint32_t)little(m + AT_SCANOUTS, 4);
    scanouts = scanouts > 4 ? 4 : scanouts;
    vectors = larger(larger((uint32_t)little(m + AT_MSI, 2), (uint32_t)little(m + AT_MSIX, 2)), m[AT_INTX] ? 1 : 0);
}

static uint32_t budget(uint32_t entry) {
    return (uint32_t)little(gb_module.manifest + AT_FUEL + 4 * entry, 4);
}

/* --- runs --- */

static uint32_t fault_of(int trap, int32_t fuel) {
    switch (trap) {
    case WASM_RT_TRAP_OOB:
        return FAULT_MEMORY;
    case WASM_RT_TRAP_INT_OVERFLOW:
    case WASM_RT_TRAP_DIV_BY_ZERO:
        return FAULT_ARITHMETIC;
    case WASM_RT_TRAP_CALL_INDIRECT:
        return FAULT_TABLE;
    case WASM_RT_TRAP_EXHAUSTION:
        return FAULT_STACK;
    case WASM_RT_TRAP_CAPABILITY:
        return FAULT_CAPABILITY;
    default:
        return fuel < 0 ? FAULT_FUEL : FAULT_UNREACHABLE;
    }
}

static uint64_t call(struct rig_outcome *outcome, uint32_t entry, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    uint32_t *fuel = gb_module.fuel(instance);
    uint64_t answer;

    *fuel = budget(entry);
    wasm_rt_call_stack_depth = 0;
    answer = gb_module.entry[entry](instance, a, b, c, d);
    outcome->fuel += budget(entry) - *fuel;
    return answer;
}

static void at_rest(void) {
    irq_answer = 0;
    memset(shown, 0, sizeof(shown));
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

static void run_one(struct rig_outcome *outcome, const struct trace_record *one) {
    switch (one->kind) {
    case TRACE_CALL_READ:
        if (is_access(one))
            note(call(outcome, ENTRY_BAR_READ, one->bar, one->addr, one->size, 0) & ones(one->size));
        return;
    case TRACE_CALL_WRITE:
        if (is_access(one))
            call(outcome, ENTRY_BAR_WRITE, one->bar, one->addr, one->size, one->data);
        return;
    case TRACE_CALL_RESET:
        at_rest();
        call(outcome, ENTRY_RESET, 0, 0, 0, 0);
        return;
    case TRACE_CALL_EVENT:
        if (gb_module.entry[ENTRY_EVENT] && budget(ENTRY_EVENT))
            call(outcome, ENTRY_EVENT, (uint32_t)one->addr, one->data, 0, 0);
        return;
    case TRACE_ANSWERS:
        if ((uint32_t)one->addr <= 2)
            irq_answer = (uint32_t)one->addr;
        return;
    default:
        return;
    }
}

const char *rig_start(void) {
    struct rig_outcome nothing = {0};

    if (gb_module.magic != GBX_MAGIC || gb_module.gbx_abi != GBX_ABI)
        return "a module of another gbx ABI";
    read_manifest(gb_module.manifest);
    instance = calloc(1, gb_module.instance_bytes);
    instance_after = calloc(1, gb_module.instance_bytes);
    if (!instance || !instance_after)
        return "out of memory";
    box.instance = instance;
    if (setjmp(out))
        return "it faults in attach";
    gb_module.instantiate(instance, &box);
    box.memory = memory;
    box.fuel = gb_module.fuel(instance);
    if (call(&nothing, ENTRY_ATTACH, 0, 0, 0, 0))
        return "attach refuses";
    memory_after = calloc(1, memory->size);
    if (!memory_after)
        return "out of memory";
    memcpy(memory_after, memory->data, memory->size);
    memcpy(instance_after, instance, gb_module.instance_bytes);
    reset_bytes = memory->size;
    return 0;
}

void rig_reset_bytes(uint64_t bytes) {
    if (bytes < reset_bytes)
        reset_bytes = bytes;
}

struct rig_outcome rig_run(const struct trace *trace) {
    static struct rig_outcome outcome; /* survives longjmp */
    int trap;

    memcpy(memory->data, memory_after, reset_bytes);
    memcpy(instance, instance_after, gb_module.instance_bytes);
    memset(&outcome, 0, sizeof(outcome));
    hash = 0;
    at_rest();
    trap = setjmp(out);
    if (trap) {
        outcome.fault = fault_of(trap, (int32_t)*gb_module.fuel(instance));
        return outcome;
    }
    for (outcome.operation = 0; outcome.operation < trace->count; outcome.operation++) {
        struct trace_record one = trace_record(trace, outcome.operation);

        run_one(&outcome, &one);
    }
    outcome.answers = hash;
    return outcome;
}
