/* SPDX-License-Identifier: MIT */
/*
 * The imports of modules, namespace "glovebox" (unikernel/abi/module.ts): cross the border, let the core decide, come
 * back. Only what points into the module's memory is checked here, because only here is that memory known.
 */
#include <string.h>

#include "border.h"
#include "call.h"
#include "core.h"
#include "module.h"
#include "shim.h"

/* Named and typed by wasm2c; its generated headers declare them once for each module. */
uint64_t w2c_glovebox_param(struct w2c_glovebox *caller, uint32_t key);
uint32_t w2c_glovebox_irq_raise(struct w2c_glovebox *caller, uint32_t vector);
uint32_t w2c_glovebox_scanout_set(struct w2c_glovebox *caller, uint32_t scanout, uint32_t bar, uint64_t offset,
                                  uint32_t width, uint32_t height, uint32_t stride, uint32_t format);
uint32_t w2c_glovebox_scanout_flush(struct w2c_glovebox *caller, uint32_t scanout, uint32_t x, uint32_t y,
                                    uint32_t width, uint32_t height);
uint32_t w2c_glovebox_scanout_set_buffer(struct w2c_glovebox *caller, uint32_t scanout, uint32_t buffer,
                                         uint64_t offset, uint32_t width, uint32_t height, uint32_t stride,
                                         uint32_t format);
uint32_t w2c_glovebox_cursor_set(struct w2c_glovebox *caller, uint32_t scanout, uint32_t buffer, uint64_t offset,
                                 uint32_t width, uint32_t height, uint32_t stride, uint32_t format);
uint32_t w2c_glovebox_cursor_move(struct w2c_glovebox *caller, uint32_t scanout, uint32_t x, uint32_t y);
uint32_t w2c_glovebox_poll(struct w2c_glovebox *caller, uint64_t ns);
void w2c_glovebox_log(struct w2c_glovebox *caller, uint32_t ptr, uint32_t len);

uint64_t w2c_glovebox_param(struct w2c_glovebox *caller, uint32_t key) {
    struct call_border border = call_enter_core();
    uint64_t value = core_param(caller->tag, key);
    call_leave_core(border);
    return value;
}

uint32_t w2c_glovebox_irq_raise(struct w2c_glovebox *caller, uint32_t vector) {
    struct call_border border = call_enter_core();
    return border_back(border, core_irq_raise(caller->tag, vector));
}

uint32_t w2c_glovebox_scanout_set(struct w2c_glovebox *caller, uint32_t scanout, uint32_t bar, uint64_t offset,
                                  uint32_t width, uint32_t height, uint32_t stride, uint32_t format) {
    struct call_border border = call_enter_core();
    return border_back(border, core_scanout_set(caller->tag, scanout, bar, offset, width, height, stride, format));
}

uint32_t w2c_glovebox_scanout_flush(struct w2c_glovebox *caller, uint32_t scanout, uint32_t x, uint32_t y,
                                    uint32_t width, uint32_t height) {
    struct call_border border = call_enter_core();
    return border_back(border, core_scanout_flush(caller->tag, scanout, x, y, width, height));
}

uint32_t w2c_glovebox_scanout_set_buffer(struct w2c_glovebox *caller, uint32_t scanout, uint32_t buffer,
                                         uint64_t offset, uint32_t width, uint32_t height, uint32_t stride,
                                         uint32_t format) {
    struct call_border border = call_enter_core();
    return border_back(border,
                       core_scanout_set_buffer(caller->tag, scanout, buffer, offset, width, height, stride, format));
}

uint32_t w2c_glovebox_cursor_set(struct w2c_glovebox *caller, uint32_t scanout, uint32_t buffer, uint64_t offset,
                                 uint32_t width, uint32_t height, uint32_t stride, uint32_t format) {
    struct call_border border = call_enter_core();
    return border_back(border,
                       core_cursor_set(caller->tag, scanout, buffer, offset, width, height, stride, format));
}

uint32_t w2c_glovebox_cursor_move(struct w2c_glovebox *caller, uint32_t scanout, uint32_t x, uint32_t y) {
    struct call_border border = call_enter_core();
    return border_back(border, core_cursor_move(caller->tag, scanout, (int32_t)x, (int32_t)y));
}

uint32_t w2c_glovebox_poll(struct w2c_glovebox *caller, uint64_t ns) {
    struct call_border border = call_enter_core();
    return border_back(border, core_poll(caller->tag, ns));
}

/* Text outside the module's memory is a fault; text that is too long is cut. */
void w2c_glovebox_log(struct w2c_glovebox *caller, uint32_t ptr, uint32_t len) {
    const wasm_rt_memory_t *memory = caller->memory;
    if (!memory || (uint64_t)ptr + len > memory->size)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
    uint32_t count = len < SHIM_LOG_BYTES_MAX ? len : SHIM_LOG_BYTES_MAX;
    struct call_border border = call_enter_core();
    memcpy(core_bytes(core_log_buffer(), count), memory->data + ptr, count);
    border_back(border, core_log(caller->tag, count));
}
