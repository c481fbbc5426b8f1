/* SPDX-License-Identifier: MIT */
/* The closed list: the wasm runtime, what gcc may call by itself, and every capability (capability.c to work.c). */
#include "imports.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EACH_IMPORT(X) \
    X(wasm_rt_trap) \
    X(wasm_rt_allocate_memory) \
    X(wasm_rt_call_stack_depth) \
    X(wasm_rt_call_stack_limit) \
    X(w2c_glovebox_param) \
    X(w2c_glovebox_irq_raise) \
    X(w2c_glovebox_scanout_set) \
    X(w2c_glovebox_scanout_flush) \
    X(w2c_glovebox_scanout_set_buffer) \
    X(w2c_glovebox_cursor_set) \
    X(w2c_glovebox_cursor_move) \
    X(w2c_glovebox_log) \
    X(w2c_glovebox_poll) \
    X(w2c_glovebox_guest_read) \
    X(w2c_glovebox_guest_write) \
    X(w2c_glovebox_buffer_create) \
    X(w2c_glovebox_buffer_append) \
    X(w2c_glovebox_buffer_bar) \
    X(w2c_glovebox_buffer_destroy) \
    X(w2c_glovebox_buffer_read) \
    X(w2c_glovebox_buffer_write) \
    X(w2c_glovebox_buffer_copy) \
    X(w2c_glovebox_work_copy) \
    X(w2c_glovebox_work_fence)

/* Only their addresses matter here; what they are is between wasm2c and those who define them. */
#define DECLARE(name) extern const uint8_t name[];
EACH_IMPORT(DECLARE)

#define ROW(name) {#name, name},

static const struct {
    const char *name;
    const void *address;
} imports[] = {
    EACH_IMPORT(ROW){"memcpy", (const void *)&memcpy},
    {"memmove", (const void *)&memmove},
    {"memset", (const void *)&memset},
};

static bool is_same(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

const void *import_find(const char *name) {
    for (size_t i = 0; i < sizeof(imports) / sizeof(*imports); i++)
        if (is_same(imports[i].name, name))
            return imports[i].address;
    return NULL;
}
