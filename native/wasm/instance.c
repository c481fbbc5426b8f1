/* SPDX-License-Identifier: MIT */
/*
 * Instances of modules. One is its struct (wasm2c's, in a fixed slot) and its pages of the arena; that is its whole
 * state, so zeroing both and instantiating again is a reset. A handle carries a generation: a stale one is the core's
 * bug.
 */
#include "instance.h"

#include <string.h>

#include "abi.h"
#include "arena.h"
#include "call.h"
#include "crc32.h"
#include "module_table.h"
#include "panic.h"
#include "shim.h"
#include "shim_limits.h"
#include "survivor.h"

#define GENERATION_MAX 0x7fffffu

struct instance {
    const struct gb_module *module; /* NULL: free */
    uint32_t slot;                  /* of the module */
    uint32_t generation;
    uint32_t first_page;
    uint32_t *fuel;
    bool busy;
    bool unclaimed;   /* outlived a restart, and the core has not asked for it yet */
    bool interrupted; /* ran a call when we panicked */
    struct w2c_glovebox imports;
};

static struct instance instances[SHIM_INSTANCES_MAX] SURVIVES;
static uint8_t storage[SHIM_INSTANCES_MAX][INSTANCE_BYTES_MAX] SURVIVES __attribute__((aligned(64)));
static uint32_t last_fault, last_fuel;

static struct instance *instance_of(uint32_t handle) {
    uint32_t index = handle & 0xff;
    if (index >= SHIM_INSTANCES_MAX || !instances[index].module || instances[index].generation != handle >> 8)
        panic("the core uses a stale instance handle", handle, 0);
    return &instances[index];
}

static void *storage_of(const struct instance *instance) {
    return storage[instance - instances];
}

static uint64_t instantiate_entry(void *instance, uint64_t module, uint64_t imports, uint64_t c, uint64_t d) {
    (void)c;
    (void)d;
    ((const struct gb_module *)module)->instantiate(instance, (struct w2c_glovebox *)imports);
    return 0;
}

static int instantiate(struct instance *instance) {
    const struct gb_module *module = instance->module;
    const uint64_t arguments[4] = {(uint64_t)module, (uint64_t)&instance->imports};
    wasm_rt_trap_t trap;
    memset(storage_of(instance), 0, module->instance_bytes);
    arena_open(instance->first_page, module->memory_pages);
    call_module(instantiate_entry, storage_of(instance), arguments, &trap);
    instance->imports.memory = arena_close();
    instance->fuel = instance->imports.fuel = module->fuel(storage_of(instance));
    return trap == WASM_RT_TRAP_NONE ? 0 : -XEN_ENOEXEC;
}

static void give_back(struct instance *instance) {
    arena_give_back(instance->first_page, instance->module->memory_pages);
    instance->module = NULL;
}

static int create(struct instance *instance, uint32_t slot, const struct gb_module *module, uint32_t tag) {
    int32_t first = module->instance_bytes <= INSTANCE_BYTES_MAX ? arena_take(module->memory_pages) : -XEN_E2BIG;
    if (first < 0)
        return first;
    instance->first_page = (uint32_t)first;
    instance->busy = false;
    instance->fuel = NULL; /* not as made until it is */
    instance->module = module;
    instance->slot = slot;
    instance->imports = (struct w2c_glovebox){.tag = tag, .instance = storage_of(instance)};
    int rc = instantiate(instance);
    if (rc)
        give_back(instance);
    return rc;
}

/* --- across a restart --------------------------------------------------------------------------------------------- */

/* The memory's descriptor lies in the instance's own struct; elsewhere it would not be the instance's. */
static bool has_its_memory(const struct instance *instance) {
    const uint8_t *memory = (const uint8_t *)instance->imports.memory;
    const uint8_t *own = storage_of(instance);
    if (instance->module->memory_pages == 0)
        return memory == NULL;
    return memory >= own && memory <= own + instance->module->instance_bytes - sizeof(wasm_rt_memory_t) &&
           arena_is(instance->imports.memory, instance->first_page, instance->module->memory_pages);
}

static bool is_as_made(const struct instance *instance) {
    return module_at(instance->slot) == instance->module && has_its_memory(instance) &&
           instance->imports.instance == storage_of(instance) && instance->imports.fuel == instance->fuel &&
           instance->fuel == instance->module->fuel(storage_of(instance));
}

void instance_restart(void) {
    for (struct instance *one = instances; one < instances + SHIM_INSTANCES_MAX; one++) {
        if (one->module && !(is_as_made(one) && arena_take_again(one->first_page, one->module->memory_pages)))
            one->module = NULL;
        one->unclaimed = one->module != NULL;
        one->interrupted = one->busy;
        one->busy = false;
    }
}

int32_t shim_instance_adopt(uint32_t handle, uint32_t module, uint32_t tag) {
    uint32_t index = handle & 0xff;
    struct instance *one = &instances[index];
    if (index >= SHIM_INSTANCES_MAX || !one->unclaimed || one->slot != module || one->generation != handle >> 8)
        return -XEN_ENOENT;
    if (one->interrupted)
        return -XEN_EIO;
    one->unclaimed = false;
    one->imports.tag = tag;
    return 0;
}

void instance_drop_unclaimed(void) {
    for (struct instance *one = instances; one < instances + SHIM_INSTANCES_MAX; one++) {
        if (one->unclaimed)
            give_back(one);
        one->unclaimed = one->interrupted = false;
    }
}

/* --- create, reset, destroy --------------------------------------------------------------------------------------- */

static struct instance *find_free(void) {
    for (uint32_t i = 0; i < SHIM_INSTANCES_MAX; i++)
        if (!instances[i].module)
            return &instances[i];
    return NULL;
}

int32_t shim_instance_create(uint32_t module, uint32_t tag) {
    struct instance *instance = find_free();
    const struct gb_module *loaded = module_at(module);
    if (!loaded)
        return -XEN_EINVAL;
    if (!instance)
        return -XEN_ENOSPC;
    int rc = create(instance, module, loaded, tag);
    if (rc)
        return rc;
    instance->generation = instance->generation % GENERATION_MAX + 1;
    return (int32_t)(instance->generation << 8 | (uint32_t)(instance - instances));
}

int32_t shim_instance_reset(uint32_t handle) {
    struct instance *instance = instance_of(handle);
    return instance->busy ? -XEN_EBUSY : instantiate(instance);
}

int32_t shim_instance_destroy(uint32_t handle) {
    struct instance *instance = instance_of(handle);
    if (instance->busy)
        return -XEN_EBUSY;
    give_back(instance);
    return 0;
}

uint32_t instance_count(uint32_t module) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < SHIM_INSTANCES_MAX; i++)
        count += instances[i].module && instances[i].slot == module;
    return count;
}

/* --- the whole state ---------------------------------------------------------------------------------------------- */

uint32_t shim_instance_hash(uint32_t handle) {
    const struct instance *instance = instance_of(handle);
    const wasm_rt_memory_t *memory = instance->imports.memory;
    uint32_t crc = memory ? crc32_update(0, memory->data, (uint32_t)memory->size) : 0;
    for (uint32_t i = 0; i < instance->module->global_count; i++) {
        const struct gb_global *one = &instance->module->globals[i];
        crc = crc32_update(crc, one->at(storage_of(instance)), one->bytes);
    }
    return crc;
}

static uint8_t *memory_part(const struct instance *instance, uint32_t ptr, uint32_t len) {
    const wasm_rt_memory_t *memory = instance->imports.memory;
    return memory && (uint64_t)ptr + len <= memory->size ? memory->data + ptr : NULL;
}

int32_t shim_instance_copy(uint32_t dst, uint32_t dst_ptr, uint32_t src, uint32_t src_ptr, uint32_t len) {
    const struct instance *to = instance_of(dst), *from = instance_of(src);
    uint8_t *to_bytes = memory_part(to, dst_ptr, len);
    const uint8_t *from_bytes = memory_part(from, src_ptr, len);
    if (!to_bytes || !from_bytes)
        return -XEN_EINVAL;
    if (to->busy || from->busy)
        return -XEN_EBUSY;
    memmove(to_bytes, from_bytes, len);
    return 0;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

/* Out of fuel is an `unreachable` of the instrumented code with the counter below zero. */
static uint32_t fault_of(wasm_rt_trap_t trap, int32_t fuel_left) {
    switch (trap) {
    case WASM_RT_TRAP_NONE:
        return FAULT_NONE;
    case WASM_RT_TRAP_OOB:
        return FAULT_MEMORY;
    case WASM_RT_TRAP_INT_OVERFLOW:
    case WASM_RT_TRAP_DIV_BY_ZERO:
    case WASM_RT_TRAP_INVALID_CONVERSION:
        return FAULT_ARITHMETIC;
    case WASM_RT_TRAP_UNREACHABLE:
        return fuel_left < 0 ? FAULT_FUEL : FAULT_UNREACHABLE;
    case WASM_RT_TRAP_CALL_INDIRECT:
        return FAULT_TABLE;
    case WASM_RT_TRAP_EXHAUSTION:
        return FAULT_STACK;
    case WASM_RT_TRAP_CAPABILITY:
        return FAULT_CAPABILITY;
    case WASM_RT_TRAP_PROMISE:
        return FAULT_PROMISE;
    }
    panic("unknown trap", trap, 0);
}

uint64_t shim_instance_call(uint32_t handle, uint32_t entry, uint32_t fuel, uint64_t a, uint64_t b, uint64_t c,
                            uint64_t d) {
    struct instance *instance = instance_of(handle);
    if (entry >= ENTRY_COUNT || instance->busy || fuel > INT32_MAX)
        panic("the core calls an instance wrongly, entry and fuel", entry, fuel);
    last_fault = FAULT_NONE;
    last_fuel = 0;
    if (!instance->module->entry[entry])
        return 0; /* an entry point that the module does not have: nothing to do, nothing wrong */
    const uint64_t arguments[4] = {a, b, c, d};
    wasm_rt_trap_t trap;
    *instance->fuel = fuel;
    instance->busy = true;
    uint64_t value = call_module(instance->module->entry[entry], storage_of(instance), arguments, &trap);
    instance->busy = false;
    int32_t left = (int32_t)*instance->fuel;
    last_fault = fault_of(trap, left);
    last_fuel = left < 0 ? fuel : fuel - (uint32_t)left;
    return value;
}

uint32_t shim_call_fault(void) {
    return last_fault;
}

uint32_t shim_call_fuel(void) {
    return last_fuel;
}
