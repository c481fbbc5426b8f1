/* SPDX-License-Identifier: MIT */
/*
 * The rig with the shim in it: the module is an instance of native/wasm/instance.c in the arena, called by call.c, and
 * its imports go through capability.c, transfer.c and work.c to the model (core.c), all on the fake hypervisor. The
 * module is the one that is linked (its C then is under the sanitizers too), or with FAKE_RAMDISK the one in that
 * ramdisk, loaded by the domain's own loader.
 */
#include "rig.h"

#include "boot.h"
#include "fake/fake.h"
#include "machine.h"
#include "model.h"
#include "module_table.h"

extern const struct gb_module gb_module __attribute__((weak));

static uint32_t handle;
static struct rig_outcome outcome;

static const struct gb_module *own_module(void) {
    const struct module_slot linked = {.origin = MODULE_FROM_RAMDISK, .module = &gb_module};

    if (!module_at(0) && &gb_module)
        module_set(0, &linked);
    return module_at(0);
}

const char *rig_start(void) {
    const struct gb_module *module;

    boot_prepare(fake_start(), machine_tsc());
    module = own_module();
    if (!module)
        return "no module: none is linked, and the ramdisk has none that loads";
    if (module->magic != GBX_MAGIC || module->gbx_abi != GBX_ABI)
        return "a module of another gbx ABI";
    model_manifest(module->manifest);
    return 0;
}

void rig_reset_bytes(uint64_t bytes) {
    (void)bytes; /* here each run has an instance of its own */
}

/* Nothing more is called once a call has faulted: the core would have taken the device away. */
static uint64_t call(uint32_t entry, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    uint64_t answer;

    if (outcome.fault)
        return 0;
    answer = shim_instance_call(handle, entry, model_budget(entry), a, b, c, d);
    outcome.fuel += shim_call_fuel();
    outcome.fault = shim_call_fault();
    return answer;
}

static bool attach(const struct trace *trace) {
    int32_t made;

    if (handle)
        CHECK_EQUAL(shim_instance_destroy(handle), 0);
    CHECK_EQUAL(shim_stat(STAT_ARENA_PAGES_USED), 0);
    made = shim_instance_create(0, 0);
    CHECK(made > 0);
    handle = (uint32_t)made;
    outcome = (struct rig_outcome){0};
    model_params(trace);
    model_begin();
    if (call(ENTRY_ATTACH, 0, 0, 0, 0) || outcome.fault)
        return false;
    model_begin();
    outcome.fuel = 0;
    return true;
}

struct rig_outcome rig_run(const struct trace *trace) {
    if (!attach(trace))
        return outcome;
    for (outcome.operation = 0; outcome.operation < trace->count; outcome.operation++) {
        struct trace_record one = trace_record(trace, outcome.operation);

        model_record(&one, call);
        if (outcome.fault)
            return outcome;
    }
    outcome.answers = model_answers();
    return outcome;
}

uint32_t rig_hash(void) {
    return shim_instance_hash(handle);
}
