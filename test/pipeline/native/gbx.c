/* SPDX-License-Identifier: MIT */
/*
 * Runs a .gbx file in an ordinary process, as the dynamic linker loads it: a stream of calls, one line of outcome for
 * each, at the end a hash of the memory and the globals. test/pipeline/semantics.test.ts compares with V8.
 *
 *   call (32 bytes): entry u32, a u32, b u32, c u32, d u64, 0 u64          gbx FILE.gbx CALLS
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "module.h"
#include "shim_limits.h"

#define FUEL 20000u

struct call {
    uint32_t entry, a, b, c;
    uint64_t d, unused;
};

uint32_t wasm_rt_call_stack_depth;
uint32_t wasm_rt_call_stack_limit = MODULE_DEPTH_MAX;
static jmp_buf out;
static wasm_rt_memory_t *own;

void wasm_rt_trap(wasm_rt_trap_t code) {
    longjmp(out, (int)code);
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t initial, uint64_t max, bool is64, uint32_t page) {
    (void)max;
    (void)is64;
    memory->data = calloc(initial, page);
    memory->size = initial * page;
    memory->pages = initial;
    own = memory;
}

static const char *const faults[] = {"none",        "memory", "arithmetic", "arithmetic", "arithmetic",
                                     "unreachable", "table",  "stack",      "capability"};

static void run(const struct gb_module *module, void *instance, const struct call *call) {
    uint32_t *fuel = module->fuel(instance);
    *fuel = FUEL;
    wasm_rt_call_stack_depth = 0;
    int trap = setjmp(out);
    if (!trap) {
        uint64_t answer = module->entry[call->entry](instance, call->a, call->b, call->c, call->d);
        printf("%llx fuel %u\n", (unsigned long long)answer, FUEL - *fuel);
    } else {
        bool starved = trap == WASM_RT_TRAP_UNREACHABLE && (int32_t)*fuel < 0;
        printf("%s fuel %u\n", starved ? "fuel" : faults[trap], FUEL - *fuel);
    }
}

int main(int argc, char **argv) {
    void *file = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
    const struct gb_module *module = file ? dlsym(file, "gb_module") : NULL;
    FILE *calls = module ? fopen(argv[2], "rb") : NULL;
    struct call call;

    if (!calls) {
        fprintf(stderr, "%s\n", file ? "no gb_module, or no calls" : dlerror());
        return 2;
    }
    void *instance = calloc(1, module->instance_bytes);
    struct w2c_glovebox imports = {0};
    module->instantiate(instance, &imports);
    while (fread(&call, sizeof(call), 1, calls) == 1)
        run(module, instance, &call);
    uint64_t hash = 0xcbf29ce484222325u;
    for (uint64_t i = 0; i < own->size; i++)
        hash = (hash ^ own->data[i]) * 0x100000001b3u;
    printf("memory %llx\n", (unsigned long long)hash);
    for (uint32_t i = 0; i < module->global_count; i++) {
        void *at = module->globals[i].at(instance);
        printf("global %llx\n", module->globals[i].bytes == 8 ? *(unsigned long long *)at : *(uint32_t *)at);
    }
    return 0;
}
