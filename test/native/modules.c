/* SPDX-License-Identifier: MIT */
/* Instances: every way that a call can end, state that a reset takes away, handles, and room that runs out. */
#include <string.h>

#include "code_arena.h"
#include "module_table.h"
#include "scenario.h"
#include "shim_limits.h"

static uint64_t read_register(uint32_t instance, uint32_t offset) {
    return shim_instance_call(instance, ENTRY_BAR_READ, 1000, 1, offset, 4, 0);
}

static void check_fault(uint32_t instance, uint32_t offset, uint32_t fault) {
    uint64_t value = read_register(instance, offset);
    CHECK_EQUAL(shim_call_fault(), fault);
    CHECK(fault == FAULT_NONE || value == 0);
    CHECK_EQUAL(wasm_rt_call_stack_depth, 0);
    CHECK_EQUAL(wasm_rt_call_stack_limit, CORE_DEPTH_MAX);
}

static uint32_t create(uint32_t tag) {
    int32_t instance = shim_instance_create(0, tag);
    CHECK(instance > 0);
    return (uint32_t)instance;
}

static void faults(void) {
    scenario_boot();
    uint32_t instance = create(3);
    CHECK_EQUAL(read_register(instance, REGISTER_PLAIN), 1ul << 32 | 4);
    CHECK_EQUAL(shim_call_fault(), FAULT_NONE);
    CHECK_EQUAL(shim_call_fuel(), 3);
    check_fault(instance, REGISTER_SPIN, FAULT_FUEL);
    CHECK_EQUAL(shim_call_fuel(), 1000);
    check_fault(instance, REGISTER_WILD, FAULT_MEMORY);
    check_fault(instance, REGISTER_DIVIDE, FAULT_ARITHMETIC);
    check_fault(instance, REGISTER_STOP, FAULT_UNREACHABLE);
    check_fault(instance, REGISTER_TABLE, FAULT_TABLE);
    check_fault(instance, REGISTER_RECURSE, FAULT_STACK);
    CHECK_EQUAL(read_register(instance, REGISTER_RECURSE_OK), MODULE_DEPTH_MAX);
    CHECK_EQUAL(shim_instance_call(instance, ENTRY_EVENT, 5, 1, 2, 3, 4), 0); /* not exported: nothing to do */
    CHECK_EQUAL(shim_call_fault(), FAULT_NONE);
    CHECK_EQUAL(shim_instance_destroy(instance), 0);
    scenario_same_ledger();
}

static void imports(void) {
    scenario_boot();
    uint32_t instance = create(3);
    core.irq_answer = 1;
    CHECK_EQUAL(read_register(instance, REGISTER_IRQ), 1);
    CHECK_EQUAL(core.irq_vector, 9);
    core.irq_answer = CAPABILITY_FATAL;
    check_fault(instance, REGISTER_IRQ, FAULT_CAPABILITY);
    CHECK_EQUAL(read_register(instance, REGISTER_PARAM), 3ul << 32 | 2);
    CHECK_EQUAL(read_register(instance, REGISTER_LOG), 1);
    CHECK_EQUAL(core.log_tag, 3);
    CHECK_EQUAL(core.log_len, 5);
    CHECK_EQUAL(core.memory[DOUBLE_LOG_AT], 'h');
    check_fault(instance, REGISTER_LOG_WILD, FAULT_CAPABILITY);
    CHECK_EQUAL(shim_instance_destroy(instance), 0);
    scenario_same_ledger();
}

/* A module's import enters the core, which calls another module, which faults: only that one ends. */
static void nested(void) {
    scenario_boot();
    uint32_t outer = create(1), inner = create(2);
    core.irq_recursion = inner;
    CHECK_EQUAL(read_register(outer, REGISTER_IRQ), 0);
    CHECK_EQUAL(shim_call_fault(), FAULT_NONE);
    CHECK_EQUAL(wasm_rt_call_stack_limit, CORE_DEPTH_MAX);
    CHECK_EQUAL(shim_instance_destroy(outer), 0);
    CHECK_EQUAL(shim_instance_destroy(inner), 0);
    scenario_same_ledger();
}

static void reentered(void) {
    scenario_boot();
    uint32_t instance = create(1);
    core.irq_recursion = instance;
    read_register(instance, REGISTER_IRQ);
}

static void core_traps(void) {
    scenario_boot();
    wasm_rt_trap(WASM_RT_TRAP_OOB);
}

static void reset(void) {
    scenario_boot();
    uint32_t instance = create(1), other = create(1);
    CHECK_EQUAL(read_register(instance, REGISTER_COUNT), 1);
    CHECK_EQUAL(read_register(instance, REGISTER_COUNT), 2);
    CHECK_EQUAL(read_register(other, REGISTER_COUNT), 1); /* nobody else's memory */
    CHECK_EQUAL(shim_instance_reset(instance), 0);
    CHECK_EQUAL(read_register(instance, REGISTER_COUNT), 1);
    CHECK_EQUAL(read_register(other, REGISTER_COUNT), 2);
    CHECK_EQUAL(shim_instance_destroy(instance), 0);
    uint32_t next = create(1);
    CHECK(next != instance);
    CHECK_EQUAL(read_register(next, REGISTER_COUNT), 1); /* the arena's page is zeroed again */
    CHECK_EQUAL(shim_instance_destroy(next), 0);
    CHECK_EQUAL(shim_instance_destroy(other), 0);
    scenario_same_ledger();
}

static void room(void) {
    uint32_t made = 0;
    int32_t instance;
    scenario_boot();
    CHECK_EQUAL(shim_instance_create(2, 0), -XEN_EINVAL);
    CHECK_EQUAL(shim_instance_create(SHIM_MODULES_MAX, 0), -XEN_EINVAL);
    CHECK_EQUAL(shim_instance_create(1, 0), -XEN_ENOEXEC);
    CHECK_EQUAL(shim_stat(STAT_ARENA_PAGES_USED), 0);
    CHECK_EQUAL(shim_module_manifest(0, DOUBLE_SCRATCH_AT, GB_MANIFEST_BYTES), GB_MANIFEST_BYTES);
    CHECK_EQUAL(core.memory[DOUBLE_SCRATCH_AT + 3], 'M');
    CHECK_EQUAL(shim_module_manifest(0, DOUBLE_SCRATCH_AT, GB_MANIFEST_BYTES - 1), -XEN_EINVAL);
    CHECK_EQUAL(shim_module_manifest(2, DOUBLE_SCRATCH_AT, GB_MANIFEST_BYTES), -XEN_ENOENT);
    while ((instance = shim_instance_create(0, made)) > 0)
        made++;
    CHECK_EQUAL(instance, -XEN_ENOSPC);
    CHECK_EQUAL(made, SHIM_INSTANCES_MAX);
    CHECK_EQUAL(shim_stat(STAT_ARENA_PAGES_USED), ARENA_PAGES);
}

static void stale(void) {
    scenario_boot();
    uint32_t instance = create(1);
    CHECK_EQUAL(shim_instance_destroy(instance), 0);
    (void)create(1);
    read_register(instance, REGISTER_PLAIN);
}

/* --- modules that come and go ------------------------------------------------------------------------------------- */

static uint32_t fact(uint32_t module, uint32_t which) {
    uint32_t value;
    CHECK_EQUAL(shim_module_facts(module, DOUBLE_SCRATCH_AT), 0);
    memcpy(&value, core.memory + DOUBLE_SCRATCH_AT + which, sizeof(value));
    return value;
}

static bool last_words_have(const char *text) {
    int32_t length = shim_module_load_words(DOUBLE_SCRATCH_AT, 200);
    core.memory[DOUBLE_SCRATCH_AT + (uint32_t)length] = 0;
    return strstr((const char *)core.memory + DOUBLE_SCRATCH_AT, text);
}

static int32_t load_live(const char *name, uint32_t holes) {
    uint32_t len;
    const uint8_t *file = fake_ramdisk_file(name, &len);
    CHECK(file);
    return shim_module_load(0, fake_offer_file(file, len, holes), len);
}

static void live(void) {
    scenario_boot();
    uint32_t pages = code_pages_used();
    uint32_t first = create(1);
    CHECK_EQUAL(fact(0, MODULE_FACT_INSTANCES), 1);
    CHECK_EQUAL(fact(0, MODULE_FACT_ORIGIN), MODULE_FROM_RAMDISK);
    CHECK_EQUAL(load_live("plain-1.gbx", 0), -XEN_ENOEXEC);
    CHECK(last_words_have("loaded already"));
    CHECK_EQUAL(shim_module_unload(0), -XEN_EBUSY);
    CHECK_EQUAL(shim_instance_destroy(first), 0);
    CHECK_EQUAL(shim_module_unload(0), 0);
    CHECK_EQUAL(shim_module_unload(0), -XEN_ENOENT);
    CHECK_EQUAL(shim_module_facts(0, DOUBLE_SCRATCH_AT), -XEN_ENOENT);
    CHECK(code_pages_used() < pages);
    CHECK_EQUAL(load_live("plain-1.gbx", 0), 0);
    CHECK_EQUAL(fact(0, MODULE_FACT_ORIGIN), MODULE_FROM_LIVE);
    CHECK_EQUAL(fact(0, MODULE_FACT_SERIAL), 3);
    CHECK_EQUAL(code_pages_used(), pages);
    uint32_t second = create(2);
    CHECK_EQUAL(read_register(second, REGISTER_COUNT), 1);
    CHECK_EQUAL(shim_instance_destroy(second), 0);
    scenario_same_ledger();
}

/* What cannot be copied is not loaded, and what was copied before does not stand in for it. */
static void live_pages(void) {
    scenario_boot();
    CHECK_EQUAL(shim_module_unload(0), 0);
    uint32_t pages = code_pages_used();
    CHECK_EQUAL(load_live("plain-1.gbx", 1), -XEN_EFAULT);
    CHECK_EQUAL(shim_module_load_words(DOUBLE_SCRATCH_AT, 200), 0);
    CHECK_EQUAL(shim_module_load(0, 5, 4096), -XEN_EFAULT);
    CHECK_EQUAL(shim_module_load(7, fake_offer_file("", 1, 0), 1), -XEN_EFAULT);
    CHECK_EQUAL(shim_module_load(0, fake_offer_file("", 1, 0), GBX_BYTES_MAX + 1), -XEN_E2BIG);
    CHECK(last_words_have("limit 524288"));
    CHECK_EQUAL(shim_module_load(0, fake_offer_file("", 1, 0), 0), -XEN_ENOEXEC);
    CHECK(last_words_have("not an ELF file"));
    CHECK_EQUAL(code_pages_used(), pages);
    CHECK_EQUAL(load_live("plain-1.gbx", 0), 0);
}

static void hash(void) {
    scenario_boot();
    uint32_t a = create(1), b = create(2);
    uint32_t fresh = shim_instance_hash(a);
    CHECK_EQUAL(shim_instance_hash(b), fresh);
    read_register(a, REGISTER_PLAIN); /* fuel does not count */
    CHECK_EQUAL(shim_instance_hash(a), fresh);
    read_register(a, REGISTER_COUNT);
    uint32_t once = shim_instance_hash(a);
    CHECK(once != fresh);
    read_register(b, REGISTER_COUNT);
    CHECK_EQUAL(shim_instance_hash(b), once);
    CHECK_EQUAL(shim_instance_reset(a), 0);
    CHECK_EQUAL(shim_instance_hash(a), fresh);
    CHECK_EQUAL(shim_instance_copy(a, 0, b, 0, 65536), 0); /* the memory is the same now, the global is not */
    CHECK(shim_instance_hash(a) != once && shim_instance_hash(a) != fresh);
    CHECK_EQUAL(read_register(a, REGISTER_COUNT), 2);
    CHECK_EQUAL(shim_instance_copy(a, 65535, b, 0, 2), -XEN_EINVAL);
    CHECK_EQUAL(shim_instance_copy(a, 0, b, 65535, 2), -XEN_EINVAL);
    CHECK_EQUAL(shim_instance_copy(a, 0xffffffff, b, 0, 2), -XEN_EINVAL);
    CHECK_EQUAL(shim_instance_destroy(a), 0);
    CHECK_EQUAL(shim_instance_destroy(b), 0);
    scenario_same_ledger();
}

/* The processor refuses what the pages' access does not allow; the fault ends the child with a signal's exit code. */
static void code_is_read_only(void) {
    scenario_boot();
    *(volatile uint8_t *)(uintptr_t)module_at(0)->entry[ENTRY_BAR_READ] = 0xc3;
}

static void constants_are_read_only(void) {
    scenario_boot();
    *(volatile uint32_t *)(uintptr_t)module_at(0) = 0;
}

static void constants_do_not_run(void) {
    scenario_boot();
    ((void (*)(void))(uintptr_t)module_at(0)->manifest)();
}

const struct scenario module_scenarios[] = {
    {.name = "modules loaded and unloaded live", .run = live},
    {.name = "a live load whose pages cannot be had", .run = live_pages},
    {.name = "hash and copy of whole instances", .run = hash},
    {.name = "a module's code cannot be written", .run = code_is_read_only, .faults = true},
    {.name = "a module's constants cannot be written", .run = constants_are_read_only, .faults = true},
    {.name = "a module's constants cannot be run", .run = constants_do_not_run, .faults = true},
    {.name = "every fault", .run = faults},
    {.name = "imports", .run = imports},
    {.name = "a call within a call", .run = nested},
    {.name = "an instance entered twice is a panic", .run = reentered, .panics = true},
    {.name = "a trap of the core is a panic", .run = core_traps, .panics = true},
    {.name = "reset", .run = reset},
    {.name = "room for instances", .run = room},
    {.name = "a stale instance handle is a panic", .run = stale, .panics = true},
    {0},
};
