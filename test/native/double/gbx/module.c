/* SPDX-License-Identifier: MIT */
/*
 * A module written the way that wasm2c writes: checks, depth counter and fuel by hand. Compiled several times, with
 * -DNAME="..." -DVERSION="..." and what makes it another: -DGREEDY wants more memory than its manifest says.
 */
#include <string.h>

#include "../double.h"

struct instance {
    struct w2c_glovebox *imports;
    uint32_t fuel;
    wasm_rt_memory_t memory;
    uint32_t wide_below;
    uint64_t wide;
};

uint32_t w2c_glovebox_irq_raise(struct w2c_glovebox *caller, uint32_t vector);
void w2c_glovebox_log(struct w2c_glovebox *caller, uint32_t ptr, uint32_t len);
uint64_t w2c_glovebox_param(struct w2c_glovebox *caller, uint32_t key);

static const char greeting[] = "hello";

#ifdef GREEDY
#define MEMORY_PAGES 2
#else
#define MEMORY_PAGES 1
#endif

static void instantiate(void *instance, struct w2c_glovebox *imports) {
    struct instance *self = instance;
    self->imports = imports;
    self->wide = 0x1122334455667788u;
    wasm_rt_allocate_memory(&self->memory, MEMORY_PAGES, MEMORY_PAGES, false, 65536);
    memcpy(self->memory.data, greeting, sizeof(greeting));
}

static uint32_t *fuel(void *instance) {
    return &((struct instance *)instance)->fuel;
}

static void burn(struct instance *self) {
    if ((int32_t)--self->fuel < 0)
        wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}

static uint64_t recurse(struct instance *self, bool within_limit) {
    if (++wasm_rt_call_stack_depth > WASM_RT_MAX_CALL_STACK_DEPTH)
        wasm_rt_trap(WASM_RT_TRAP_EXHAUSTION);
    uint64_t below = within_limit && wasm_rt_call_stack_depth == WASM_RT_MAX_CALL_STACK_DEPTH
                         ? 0
                         : recurse(self, within_limit);
    --wasm_rt_call_stack_depth;
    return below + 1;
}

static uint64_t count(struct instance *self) {
    self->wide++;
    return ++self->memory.data[100];
}

static uint64_t log_and_answer(struct instance *self, uint32_t ptr, uint32_t len) {
    w2c_glovebox_log(self->imports, ptr, len);
    return 1;
}

static uint64_t bar_read(void *instance, uint64_t bar, uint64_t offset, uint64_t size, uint64_t unused) {
    struct instance *self = instance;
    (void)unused;
    switch (offset) {
    case REGISTER_SPIN:
        for (;;)
            burn(self);
    case REGISTER_WILD:
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    case REGISTER_DIVIDE:
        wasm_rt_trap(WASM_RT_TRAP_DIV_BY_ZERO);
    case REGISTER_STOP:
        wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
    case REGISTER_TABLE:
        wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
    case REGISTER_RECURSE:
        return recurse(self, false);
    case REGISTER_RECURSE_OK:
        return recurse(self, true);
    case REGISTER_IRQ:
        return w2c_glovebox_irq_raise(self->imports, 9);
    case REGISTER_LOG:
        return log_and_answer(self, 0, sizeof(greeting) - 1);
    case REGISTER_LOG_WILD:
        return log_and_answer(self, 65530, 100);
    case REGISTER_PARAM:
        return w2c_glovebox_param(self->imports, 2);
    case REGISTER_COUNT:
        return count(self);
    }
    for (int i = 0; i < 3; i++)
        burn(self);
    return bar << 32 | offset << 8 | size;
}

/* What a recipe may make wrong. */
#ifndef GBX_MAGIC_HERE
#define GBX_MAGIC_HERE GBX_MAGIC
#endif
#ifndef GBX_ABI_HERE
#define GBX_ABI_HERE GBX_ABI
#endif
#ifndef FRAME
#define FRAME 64
#endif
#ifndef INSTANCE
#define INSTANCE sizeof(struct instance)
#endif
#ifndef PAGES
#define PAGES 1
#endif
#ifndef ATTACH
#define ATTACH NULL
#endif
#ifdef IMPORT
extern int IMPORT(const char *);
#else
#define IMPORT(words) 0
#endif
#ifdef PADDING
__attribute__((used)) static const char padding[PADDING] = {1};
#else
static const char padding[1] = {1};
#endif

/* The shim looks at size, name and version. */
static const struct {
    char magic[8], name[32], version[16];
    uint8_t rest[GB_MANIFEST_BYTES - 56];
} manifest = {{'G', 'B', 'X', 'M', 1, 0, 0, 0}, NAME, VERSION, {0}};

static void *wide(void *instance) {
    if (IMPORT(padding))
        return NULL;
    return &((struct instance *)instance)->wide;
}

static const struct gb_global globals[] = {{.at = wide, .bytes = 8}};

__attribute__((visibility("default"))) const struct gb_module gb_module = {
    .magic = GBX_MAGIC_HERE,
    .gbx_abi = GBX_ABI_HERE,
    .frame_bytes = FRAME,
    .wasm_sha256 = {1, 2, 3},
    .globals = globals,
    .global_count = 1,
    .manifest = (const uint8_t *)&manifest,
    .manifest_bytes = sizeof(manifest),
    .instance_bytes = INSTANCE,
    .memory_pages = PAGES,
    .instantiate = instantiate,
    .fuel = fuel,
    .entry = {[ENTRY_ATTACH] = ATTACH, [ENTRY_BAR_READ] = bar_read},
};
