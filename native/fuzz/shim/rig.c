/* SPDX-License-Identifier: MIT */
/*
 * The rig with the shim in it: the module is an instance of native/wasm/instance.c in the arena, called by call.c, and
 * its imports go through capability.c, transfer.c and work.c to a core that is the fuzzer's mediator (mediator.h), all
 * on the fake hypervisor. The module is the one that is linked (its C then is under the sanitizers too), or with
 * FAKE_RAMDISK the one in that ramdisk, loaded by the domain's own loader.
 */
#include "rig.h"

#include <string.h>

#include "boot.h"
#include "core.h"
#include "fake/fake.h"
#include "machine.h"
#include "mediator.h"
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
    memcpy(core_bytes(core_rig_manifest(), module->manifest_bytes), module->manifest, module->manifest_bytes);
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
    answer = shim_instance_call(handle, entry, core_rig_budget(entry), a, b, c, d);
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
    memcpy(core_bytes(core_rig_params(), sizeof(trace->param)), trace->param, sizeof(trace->param));
    core_rig_begin(trace->params);
    if (call(ENTRY_ATTACH, 0, 0, 0, 0) || outcome.fault)
        return false;
    core_rig_ready();
    outcome.fuel = 0;
    return true;
}

static void play(const struct trace_record *one) {
    uint32_t entry;

    core_rig_record(one->kind, one->bar, one->size, one->count, one->addr, one->data);
    while (!outcome.fault && (entry = core_rig_call()) != RIG_NONE) {
        uint64_t value = call(entry, core_rig_argument(0), core_rig_argument(1), core_rig_argument(2),
                              core_rig_argument(3));

        core_rig_answered(value);
    }
}

struct rig_outcome rig_run(const struct trace *trace) {
    if (!attach(trace))
        return outcome;
    for (outcome.operation = 0; outcome.operation < trace->count; outcome.operation++) {
        struct trace_record one = trace_record(trace, outcome.operation);

        play(&one);
        if (outcome.fault)
            return outcome;
    }
    outcome.answers = core_rig_answers();
    return outcome;
}

uint32_t rig_hash(void) {
    return shim_instance_hash(handle);
}
