/* SPDX-License-Identifier: MIT */
/*
 * Runs a module's C, as the image has it, in an ordinary process: reads a stream of operations, calls the entry
 * points through the gb_module, prints each answer, what was asked of the mediator, the fuel, and at the end a hash
 * of the memory. test/pipeline/native.test.ts compares the lines with V8's.
 *
 *   operation (32 bytes): entry u32, bar u32, offset u32, size u32, value u64, 0 u64
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "module.h"

#define FUEL 1000000u
#define PAGE 65536u

struct operation {
    uint32_t entry, bar, offset, size;
    uint64_t value, unused;
};

uint32_t wasm_rt_call_stack_depth;
uint32_t wasm_rt_call_stack_limit = 64;
static jmp_buf out;

void wasm_rt_trap(wasm_rt_trap_t code) {
    longjmp(out, (int)code);
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t initial, uint64_t max, bool is64, uint32_t page) {
    (void)is64;
    (void)page;
    if (initial != max)
        abort();
    memory->data = calloc(initial, PAGE);
    memory->size = initial * PAGE;
    memory->pages = initial;
}

extern const struct gb_module gb_module;
static const uint64_t *params;

uint64_t w2c_glovebox_param(struct w2c_glovebox *box, uint32_t key);
uint32_t w2c_glovebox_irq_raise(struct w2c_glovebox *box, uint32_t vector);
uint32_t w2c_glovebox_scanout_set(struct w2c_glovebox *box, uint32_t scanout, uint32_t bar, uint64_t offset,
                                  uint32_t width, uint32_t height, uint32_t stride, uint32_t format);
void w2c_glovebox_log(struct w2c_glovebox *box, uint32_t at, uint32_t len);

uint64_t w2c_glovebox_param(struct w2c_glovebox *box, uint32_t key) {
    (void)box;
    return params[key];
}

uint32_t w2c_glovebox_irq_raise(struct w2c_glovebox *box, uint32_t vector) {
    (void)box;
    printf("irq_raise %u\n", vector);
    return 0;
}

uint32_t w2c_glovebox_scanout_set(struct w2c_glovebox *box, uint32_t scanout, uint32_t bar, uint64_t offset,
                                  uint32_t width, uint32_t height, uint32_t stride, uint32_t format) {
    (void)box;
    printf("scanout_set %u %u %llu %u %u %u %u\n", scanout, bar, (unsigned long long)offset, width, height, stride,
           format);
    return 0;
}

void w2c_glovebox_log(struct w2c_glovebox *box, uint32_t at, uint32_t len) {
    if ((uint64_t)at + len > box->memory->size)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
    printf("log %.*s\n", (int)len, (const char *)box->memory->data + at);
}

static void run(const struct gb_module *module, void *instance, const struct operation *op) {
    uint32_t *fuel = module->fuel(instance);
    *fuel = FUEL;
    wasm_rt_call_stack_depth = 0;
    int trap = setjmp(out);
    if (trap == 0) {
        uint64_t args[4] = {op->bar, op->offset, op->size, op->value};
        if (op->entry == ENTRY_EVENT)
            args[1] = op->value;
        uint64_t answer = module->entry[op->entry](instance, args[0], args[1], args[2], args[3]);
        printf("%llx fuel %u\n", (unsigned long long)answer, FUEL - *fuel);
    } else {
        printf("%s\n", (int32_t)*fuel < 0 ? "trap fuel" : "trap");
    }
}

static uint64_t fnv1a(const uint8_t *bytes, uint64_t count) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (uint64_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

/* harness OPERATIONS PARAM... */
int main(int argc, char **argv) {
    static uint64_t values[8];
    for (int i = 2; i < argc && i < 10; i++)
        values[i - 2] = strtoull(argv[i], 0, 10);
    params = values;
    const struct gb_module *module = &gb_module;
    struct w2c_glovebox box = {0};
    void *instance = calloc(1, module->instance_bytes);
    module->instantiate(instance, &box);
    /* the memory descriptor is found as the shim finds it: allocated by instantiate, exported by the module */
    extern wasm_rt_memory_t *harness_memory(void *);
    box.memory = harness_memory(instance);
    FILE *file = fopen(argv[1], "rb");
    if (file == 0)
        return 2;
    struct operation op;
    while (fread(&op, sizeof(op), 1, file) == 1)
        run(module, instance, &op);
    printf("memory %llx\n", (unsigned long long)fnv1a(box.memory->data, box.memory->size));
    return 0;
}
