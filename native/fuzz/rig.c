/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "crc32.h"
#include "model.h"
#include "module.h"
#include "shim_limits.h"

#define WASM_PAGE 65536u

extern const struct gb_module gb_module;

uint32_t wasm_rt_call_stack_depth;
uint32_t wasm_rt_call_stack_limit = MODULE_DEPTH_MAX;

static jmp_buf out;
static uint8_t *instance, *instance_after;
static wasm_rt_memory_t *memory;
static uint8_t *memory_after;
static uint64_t reset_bytes;
static struct w2c_glovebox box;

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

static uint32_t judged(uint32_t answer) {
    if (answer == MODEL_FATAL)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
    return answer;
}

uint64_t w2c_glovebox_param(struct w2c_glovebox *mine, uint32_t key) {
    (void)mine;
    return model_param(key);
}

uint32_t w2c_glovebox_irq_raise(struct w2c_glovebox *mine, uint32_t vector) {
    (void)mine;
    return judged(model_irq(vector));
}

uint32_t w2c_glovebox_scanout_set(struct w2c_glovebox *mine, uint32_t scanout, uint32_t bar, uint64_t offset,
                                  uint32_t width, uint32_t height, uint32_t stride, uint32_t format) {
    (void)mine;
    return judged(model_scanout(scanout, bar, offset, width, height, stride, format));
}

uint32_t w2c_glovebox_scanout_flush(struct w2c_glovebox *mine, uint32_t scanout, uint32_t x, uint32_t y,
                                    uint32_t width, uint32_t height) {
    (void)mine;
    return judged(model_flush(scanout, x, y, width, height));
}

void w2c_glovebox_log(struct w2c_glovebox *mine, uint32_t at, uint32_t len) {
    if ((uint64_t)at + len > mine->memory->size)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
    model_log(len);
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

static struct rig_outcome outcome; /* survives longjmp */

static uint64_t call(uint32_t entry, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    uint32_t *fuel = gb_module.fuel(instance);
    uint64_t answer;

    if (!gb_module.entry[entry])
        return 0;
    *fuel = model_budget(entry);
    wasm_rt_call_stack_depth = 0;
    answer = gb_module.entry[entry](instance, a, b, c, d);
    outcome.fuel += model_budget(entry) - *fuel;
    return answer;
}

const char *rig_start(void) {
    if (gb_module.magic != GBX_MAGIC || gb_module.gbx_abi != GBX_ABI)
        return "a module of another gbx ABI";
    model_manifest(gb_module.manifest);
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
    if (call(ENTRY_ATTACH, 0, 0, 0, 0))
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
    int trap;

    memcpy(memory->data, memory_after, reset_bytes);
    memcpy(instance, instance_after, gb_module.instance_bytes);
    memset(&outcome, 0, sizeof(outcome));
    model_begin();
    trap = setjmp(out);
    if (trap) {
        outcome.fault = fault_of(trap, (int32_t)*gb_module.fuel(instance));
        return outcome;
    }
    for (outcome.operation = 0; outcome.operation < trace->count; outcome.operation++) {
        struct trace_record one = trace_record(trace, outcome.operation);

        model_record(&one, call);
    }
    outcome.answers = model_answers();
    return outcome;
}

uint32_t rig_hash(void) {
    uint32_t crc = crc32_update(0, memory->data, (uint32_t)memory->size);

    for (uint32_t i = 0; i < gb_module.global_count; i++)
        crc = crc32_update(crc, gb_module.globals[i].at(instance), gb_module.globals[i].bytes);
    return crc;
}
