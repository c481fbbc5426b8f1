/* SPDX-License-Identifier: MIT */
/* Instances: every way that a call can end, state that a reset takes away, handles, and room that runs out. */
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
    CHECK_EQUAL(shim_module_count(), 2);
    CHECK_EQUAL(shim_instance_create(2, 0), -XEN_EINVAL);
    CHECK_EQUAL(shim_instance_create(1, 0), -XEN_ENOEXEC);
    CHECK_EQUAL(shim_stat(STAT_ARENA_PAGES_USED), 0);
    CHECK_EQUAL(shim_module_manifest(0, DOUBLE_SCRATCH_AT, 100), 8);
    CHECK_EQUAL(core.memory[DOUBLE_SCRATCH_AT + 3], 'M');
    CHECK_EQUAL(shim_module_manifest(0, DOUBLE_SCRATCH_AT, 7), -XEN_EINVAL);
    CHECK_EQUAL(shim_module_manifest(2, DOUBLE_SCRATCH_AT, 100), -XEN_EINVAL);
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

const struct scenario module_scenarios[] = {
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
