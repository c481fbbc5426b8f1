/* SPDX-License-Identifier: MIT */
#include "core.h"

#include "module.h"
#include "panic.h"

uint8_t *core_bytes(uint32_t ptr, uint32_t len) {
    const wasm_rt_memory_t *memory = gb_core.memory();
    if ((uint64_t)ptr + len > memory->size)
        panic("the core's pointer leaves its memory, pointer and length", ptr, len);
    return memory->data + ptr;
}
