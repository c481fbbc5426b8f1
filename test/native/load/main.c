/* SPDX-License-Identifier: MIT */
/*
 * Loads a ramdisk (FAKE_RAMDISK) with the real loader under ASan and UBSan, says what came of it, and, when it is given
 * a file of operations, runs them on an instance of slot 0.
 *
 *   load                           `refused NAME: WHY` and `loaded SLOT NAME@VERSION` lines, `code PAGES`
 *   load OPERATIONS [PARAM...]     also a line an operation: answer, fault, fuel; at the end `hash`
 *
 *   operation (40 bytes): entry u32, fuel u32, a u64, b u64, c u64, d u64
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "code_arena.h"
#include "double/double.h"
#include "fake/fake.h"
#include "loader.h"
#include "machine.h"
#include "shim.h"

struct operation {
    uint32_t entry, fuel;
    uint64_t a, b, c, d;
};

static void print_modules(void) {
    for (uint32_t i = 0; loader_refusal(i); i++)
        printf("refused %.*s\n", (int)loader_refusal(i)->length, loader_refusal(i)->text);
    for (uint32_t i = 0; i < SHIM_MODULES_MAX; i++)
        if (module_at(i))
            printf("loaded %u %.32s@%.16s\n", i, (const char *)module_at(i)->manifest + GB_MANIFEST_NAME,
                   (const char *)module_at(i)->manifest + GB_MANIFEST_VERSION);
    printf("code %u\n", code_pages_used());
}

static void run(const char *path) {
    FILE *file = fopen(path, "rb");
    int32_t instance = shim_instance_create(0, 0);
    struct operation op;
    CHECK(file && instance > 0);
    while (fread(&op, sizeof(op), 1, file) == 1) {
        uint64_t value = shim_instance_call((uint32_t)instance, op.entry, op.fuel, op.a, op.b, op.c, op.d);
        printf("%llx %u %u\n", (unsigned long long)value, shim_call_fault(), shim_call_fuel());
    }
    fclose(file);
    printf("hash %08x\n", shim_instance_hash((uint32_t)instance));
}

int main(int argc, char **argv) {
    static uint64_t params[8];
    for (int i = 2; i < argc && i < 10; i++)
        params[i - 2] = strtoull(argv[i], NULL, 0);
    core.params = params;
    boot_prepare(fake_start(), machine_tsc());
    print_modules();
    if (argc > 1)
        run(argv[1]);
    return 0;
}
