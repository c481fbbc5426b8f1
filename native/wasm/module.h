/* SPDX-License-Identifier: MIT */
/*
 * Where generated C and the shim meet. The pipeline makes one gb_module for each module, the list of them, and the
 * gb_core; the shim knows no module by name. In a .gbx file the gb_module is the one symbol that is defined
 * (host/pipeline/gbx.ts writes it, host/pipeline/gbx-rules.ts reads it: keep the offsets there in step).
 */
#ifndef GLOVEBOX_MODULE_H
#define GLOVEBOX_MODULE_H

#include <stdint.h>

#include "shim.h"
#include "wasm-rt.h"

/* What stands behind a module's imports: wasm2c hands it back to each w2c_glovebox_*(). One for each instance. */
struct w2c_glovebox {
    uint32_t tag;
    void *instance;
    wasm_rt_memory_t *memory;
    uint32_t *fuel; /* the instance's __fuel: imports with a length charge it */
};

#define GBX_MAGIC 0x44584247u /* "GBXD" */
#define GBX_ABI 1u            /* of this struct: raised when its layout or a field's meaning changes */

/* A mutable global: with the memory (and a table, which never changes) all there is of an instance's state. The fuel
 * is not among them: it is set before each call. */
struct gb_global {
    void *(*at)(void *instance);
    uint32_t bytes; /* 4 or 8 */
};

/* Of the binary manifest (unikernel/abi/manifest.ts): its size, and what the shim itself looks at. */
#define GB_MANIFEST_BYTES 976u
#define GB_MANIFEST_NAME 8u
#define GB_MANIFEST_NAME_BYTES 32u
#define GB_MANIFEST_VERSION 40u
#define GB_MANIFEST_VERSION_BYTES 16u

#define GB_WASM_SHA256_BYTES 32u

struct gb_module {
    uint32_t magic;
    uint32_t gbx_abi;
    uint32_t frame_bytes;     /* of its largest stack frame, at most WASM_FRAME_BYTES */
    uint8_t wasm_sha256[GB_WASM_SHA256_BYTES]; /* of the file that its author handed over */
    uint32_t global_count;
    const struct gb_global *globals;
    const uint8_t *manifest; /* binary, unikernel/abi/manifest.ts */
    uint32_t manifest_bytes;
    uint32_t instance_bytes; /* sizeof(w2c_NAME), at most INSTANCE_BYTES_MAX */
    uint32_t memory_pages;   /* of 64 KiB, fixed; the instance's one memory asks for exactly these */
    void (*instantiate)(void *instance, struct w2c_glovebox *imports);
    uint32_t *(*fuel)(void *instance); /* address of the exported global __fuel */
    /* By ENTRY_*; NULL = the module does not export it. Unused arguments are 0, a narrower result is extended. */
    uint64_t (*entry[ENTRY_COUNT])(void *instance, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
};

/* core.wasm: its one instance and its memory. Its exports are the core_* functions of shim.h. */
struct gb_core {
    void (*instantiate)(void);
    wasm_rt_memory_t *(*memory)(void);
};

extern const struct gb_core gb_core;

#endif
