/* SPDX-License-Identifier: MIT */
/*
 * The imports of modules that carry bytes: guest memory and buffers (capabilities "memory" and "buffer"). Bytes go by
 * way of the core's transfer buffer, so that the core never knows a module's memory and a module never the core's.
 * In this order, which V8 keeps too (host/sim/transfer.ts): what only a broken module can ask for, fuel, the core.
 */
#include <string.h>

#include "border.h"
#include "call.h"
#include "charge.h"
#include "core.h"
#include "module.h"
#include "shim.h"

#define LIST_ENTRY_BYTES 16u
#define LIST_ENTRIES_MAX (SHIM_COPY_BYTES_MAX / LIST_ENTRY_BYTES)
#define BUFFER_COPY_BYTES_MAX 65536u

/* Named and typed by wasm2c; its generated headers declare them once for each module. */
uint32_t w2c_glovebox_guest_read(struct w2c_glovebox *caller, uint64_t gpa, uint32_t ptr, uint32_t len);
uint32_t w2c_glovebox_guest_write(struct w2c_glovebox *caller, uint64_t gpa, uint32_t ptr, uint32_t len);
uint32_t w2c_glovebox_buffer_create(struct w2c_glovebox *caller, uint32_t list_ptr, uint32_t count);
uint32_t w2c_glovebox_buffer_append(struct w2c_glovebox *caller, uint32_t buffer, uint32_t list_ptr, uint32_t count);
uint32_t w2c_glovebox_buffer_bar(struct w2c_glovebox *caller, uint32_t bar, uint64_t offset, uint64_t bytes);
uint32_t w2c_glovebox_buffer_destroy(struct w2c_glovebox *caller, uint32_t buffer);
uint32_t w2c_glovebox_buffer_read(struct w2c_glovebox *caller, uint32_t buffer, uint64_t offset, uint32_t ptr,
                                  uint32_t len);
uint32_t w2c_glovebox_buffer_write(struct w2c_glovebox *caller, uint32_t buffer, uint64_t offset, uint32_t ptr,
                                   uint32_t len);
uint32_t w2c_glovebox_buffer_copy(struct w2c_glovebox *caller, uint32_t dst, uint64_t dst_offset, uint32_t dst_stride,
                                  uint32_t src, uint64_t src_offset, uint32_t src_stride, uint32_t row_bytes,
                                  uint32_t rows);

/* [ptr, ptr + len) of the module's memory, at most one transfer; paid for. */
static uint8_t *take_bytes(struct w2c_glovebox *caller, uint32_t ptr, uint32_t len) {
    const wasm_rt_memory_t *memory = caller->memory;
    if (!memory || len > SHIM_COPY_BYTES_MAX || (uint64_t)ptr + len > memory->size)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
    charge(caller, charge_of(len));
    return memory->data + ptr;
}

static uint8_t *take_list(struct w2c_glovebox *caller, uint32_t ptr, uint32_t count) {
    if (count > LIST_ENTRIES_MAX)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
    return take_bytes(caller, ptr, count * LIST_ENTRY_BYTES);
}

static uint8_t *transfer(uint32_t len) {
    return core_bytes(core_transfer_buffer(), len);
}

uint32_t w2c_glovebox_guest_read(struct w2c_glovebox *caller, uint64_t gpa, uint32_t ptr, uint32_t len) {
    uint8_t *bytes = take_bytes(caller, ptr, len);
    struct call_border border = call_enter_core();
    int32_t answer = core_guest_read(caller->tag, gpa, len);
    if (answer == 0)
        memcpy(bytes, transfer(len), len);
    return border_back(border, answer);
}

uint32_t w2c_glovebox_guest_write(struct w2c_glovebox *caller, uint64_t gpa, uint32_t ptr, uint32_t len) {
    const uint8_t *bytes = take_bytes(caller, ptr, len);
    struct call_border border = call_enter_core();
    memcpy(transfer(len), bytes, len);
    return border_back(border, core_guest_write(caller->tag, gpa, len));
}

uint32_t w2c_glovebox_buffer_create(struct w2c_glovebox *caller, uint32_t list_ptr, uint32_t count) {
    const uint8_t *list = take_list(caller, list_ptr, count);
    struct call_border border = call_enter_core();
    memcpy(transfer(count * LIST_ENTRY_BYTES), list, count * LIST_ENTRY_BYTES);
    return border_back(border, core_buffer_create(caller->tag, count));
}

uint32_t w2c_glovebox_buffer_append(struct w2c_glovebox *caller, uint32_t buffer, uint32_t list_ptr, uint32_t count) {
    const uint8_t *list = take_list(caller, list_ptr, count);
    struct call_border border = call_enter_core();
    memcpy(transfer(count * LIST_ENTRY_BYTES), list, count * LIST_ENTRY_BYTES);
    return border_back(border, core_buffer_append(caller->tag, buffer, count));
}

uint32_t w2c_glovebox_buffer_bar(struct w2c_glovebox *caller, uint32_t bar, uint64_t offset, uint64_t bytes) {
    charge(caller, charge_of(0));
    struct call_border border = call_enter_core();
    return border_back(border, core_buffer_bar(caller->tag, bar, offset, bytes));
}

uint32_t w2c_glovebox_buffer_destroy(struct w2c_glovebox *caller, uint32_t buffer) {
    charge(caller, charge_of(0));
    struct call_border border = call_enter_core();
    return border_back(border, core_buffer_destroy(caller->tag, buffer));
}

uint32_t w2c_glovebox_buffer_read(struct w2c_glovebox *caller, uint32_t buffer, uint64_t offset, uint32_t ptr,
                                  uint32_t len) {
    uint8_t *bytes = take_bytes(caller, ptr, len);
    struct call_border border = call_enter_core();
    int32_t answer = core_buffer_read(caller->tag, buffer, offset, len);
    if (answer == 0)
        memcpy(bytes, transfer(len), len);
    return border_back(border, answer);
}

uint32_t w2c_glovebox_buffer_write(struct w2c_glovebox *caller, uint32_t buffer, uint64_t offset, uint32_t ptr,
                                   uint32_t len) {
    const uint8_t *bytes = take_bytes(caller, ptr, len);
    struct call_border border = call_enter_core();
    memcpy(transfer(len), bytes, len);
    return border_back(border, core_buffer_write(caller->tag, buffer, offset, len));
}

uint32_t w2c_glovebox_buffer_copy(struct w2c_glovebox *caller, uint32_t dst, uint64_t dst_offset, uint32_t dst_stride,
                                  uint32_t src, uint64_t src_offset, uint32_t src_stride, uint32_t row_bytes,
                                  uint32_t rows) {
    if ((uint64_t)row_bytes * rows > BUFFER_COPY_BYTES_MAX || rows > BUFFER_COPY_BYTES_MAX)
        wasm_rt_trap(WASM_RT_TRAP_CAPABILITY);
    charge(caller, charge_of_rows(row_bytes, rows));
    struct call_border border = call_enter_core();
    return border_back(border, core_buffer_copy(caller->tag, dst, dst_offset, dst_stride, src, src_offset, src_stride,
                                                row_bytes, rows));
}
