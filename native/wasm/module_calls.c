/* SPDX-License-Identifier: MIT */
/* The core's calls about modules: which there are, load one, unload one. */
#include <string.h>

#include "abi.h"
#include "core.h"
#include "grant_copy.h"
#include "instance.h"
#include "loader.h"
#include "module_table.h"
#include "shim.h"

/* A file that is being loaded is ours before anybody looks at it. */
static uint8_t staging[GBX_BYTES_MAX] __attribute__((aligned(PAGE_BYTES)));
static struct words last_words;

int32_t shim_module_manifest(uint32_t module, uint32_t dst_ptr, uint32_t max) {
    const struct gb_module *loaded = module_at(module);
    if (!loaded)
        return -XEN_ENOENT;
    if (loaded->manifest_bytes > max)
        return -XEN_EINVAL;
    memcpy(core_bytes(dst_ptr, loaded->manifest_bytes), loaded->manifest, loaded->manifest_bytes);
    return (int32_t)loaded->manifest_bytes;
}

struct facts {
    uint32_t serial, origin, instances, gbx_bytes, image_pages, spare;
    uint8_t gbx_blake2b[BLAKE2B_BYTES], wasm_sha256[GB_WASM_SHA256_BYTES];
};
_Static_assert(sizeof(struct facts) == MODULE_FACTS_BYTES, "shim.h draws it");

int32_t shim_module_facts(uint32_t module, uint32_t dst_ptr) {
    const struct module_slot *slot = module_slot_at(module);
    if (!slot)
        return -XEN_ENOENT;
    struct facts facts = {.serial = slot->serial, .origin = slot->origin, .instances = instance_count(module),
                          .gbx_bytes = slot->gbx_bytes, .image_pages = slot->pages};
    memcpy(facts.gbx_blake2b, slot->blake2b, BLAKE2B_BYTES);
    memcpy(facts.wasm_sha256, slot->module->wasm_sha256, GB_WASM_SHA256_BYTES);
    memcpy(core_bytes(dst_ptr, sizeof(facts)), &facts, sizeof(facts));
    return 0;
}

static int32_t copy_words(const struct words *words, uint32_t dst_ptr, uint32_t max) {
    uint32_t count = words->length < max ? words->length : max;
    memcpy(core_bytes(dst_ptr, count), words->text, count);
    return (int32_t)count;
}

int32_t shim_module_refusal(uint32_t nth, uint32_t dst_ptr, uint32_t max) {
    const struct words *words = loader_refusal(nth);
    return words ? copy_words(words, dst_ptr, max) : 0;
}

int32_t shim_module_load_words(uint32_t dst_ptr, uint32_t max) {
    return copy_words(&last_words, dst_ptr, max);
}

int32_t shim_module_load(uint32_t domid, uint32_t directory_gref, uint32_t bytes) {
    struct loader_source source = {.origin = MODULE_FROM_LIVE};
    last_words.length = 0;
    if (bytes > GBX_BYTES_MAX) {
        words_refuse_value(&last_words, "bytes of the file:", bytes, GBX_BYTES_MAX);
        return -XEN_E2BIG;
    }
    int rc = grant_copy_file((domid_t)domid, directory_gref, staging, bytes);
    if (rc)
        return rc;
    blake2b(staging, bytes, source.blake2b);
    return loader_load(staging, bytes, &source, &last_words);
}

int32_t shim_module_unload(uint32_t module) {
    if (!module_at(module))
        return -XEN_ENOENT;
    if (instance_count(module))
        return -XEN_EBUSY;
    module_clear(module);
    return 0;
}
