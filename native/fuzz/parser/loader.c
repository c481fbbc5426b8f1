/* SPDX-License-Identifier: MIT */
/*
 * The whole way of a .gbx file into the driver domain (native/wasm/loader.c) on the fake hypervisor. It is loaded but
 * never run: what code does is the packer's and the sandbox's affair. Whatever came, nothing is left behind.
 */
#include "loader.h"

#include "boot.h"
#include "code_arena.h"
#include "fake/fake.h"
#include "machine.h"
#include "parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static bool started;
    struct loader_source source = {.origin = MODULE_FROM_LIVE};
    struct words why = {0};
    uint8_t *file;

    if (!started)
        boot_prepare(fake_start(), machine_tsc());
    started = true;
    file = exactly(bytes, length);
    int32_t slot = loader_load(file, length, &source, &why);
    free(file); /* nothing of the file is needed once it is loaded */
    if (slot >= 0) {
        const struct gb_module *module = module_at((uint32_t)slot);

        WANT(module && module->magic == GBX_MAGIC && module->manifest_bytes == GB_MANIFEST_BYTES);
        WANT(module_like(module));
        WANT(shim_module_unload((uint32_t)slot) == 0);
    } else
        WANT(slot == -XEN_ENOEXEC && why.length > 0 && why.length <= REFUSAL_BYTES_MAX);
    WANT(code_pages_used() == 0);
    return 0;
}
