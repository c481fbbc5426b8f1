/* SPDX-License-Identifier: MIT */
#include "double.h"

struct double_core core;
static wasm_rt_memory_t memory = {.data = core.memory, .size = DOUBLE_MEMORY_BYTES, .pages = 2};

static void instantiate(void) {
}

static wasm_rt_memory_t *core_memory(void) {
    return &memory;
}

const struct gb_core gb_core = {.instantiate = instantiate, .memory = core_memory};

void core_on_start(void) {
    core.started = true;
    if (core.on_start)
        core.on_start();
}

uint64_t core_on_ioreq(uint32_t tag, uint32_t vcpu, uint32_t type, uint32_t flags, uint64_t addr, uint64_t data,
                       uint32_t count, uint32_t size) {
    core.ioreqs++;
    core.last = (struct double_ioreq){.tag = tag, .vcpu = vcpu, .type = type, .flags = flags,
                                      .count = count, .size = size, .addr = addr, .data = data};
    return core.on_ioreq ? core.on_ioreq(&core.last) : addr ^ DOUBLE_ANSWER;
}

void core_on_xenstore(uint32_t type, uint32_t req_id, uint32_t len) {
    core.messages++;
    core.message_type = type;
    core.message_req_id = req_id;
    core.message_len = len;
}

void core_on_timer(void) {
    core.timers++;
}

uint32_t core_on_idle(void) {
    core.idles++;
    return core.idle_slices ? core.idle_slices-- : 0;
}

uint32_t core_xenstore_buffer(void) {
    return DOUBLE_XENSTORE_AT;
}

uint32_t core_log_buffer(void) {
    return DOUBLE_LOG_AT;
}

uint32_t core_transfer_buffer(void) {
    return DOUBLE_TRANSFER_AT;
}

static int32_t carried(const uint64_t (*arguments)[9]) {
    for (int i = 0; i < 9; i++)
        core.carried[i] = (*arguments)[i];
    return core.carry_answer;
}
#define CARRIED(...) carried(&(const uint64_t[9]){__VA_ARGS__})

int32_t core_guest_read(uint32_t tag, uint64_t gpa, uint32_t len) {
    for (uint32_t i = 0; i < len; i++)
        core.memory[DOUBLE_TRANSFER_AT + i] = (uint8_t)(gpa + i);
    return CARRIED(tag, gpa, len);
}

int32_t core_guest_write(uint32_t tag, uint64_t gpa, uint32_t len) {
    return CARRIED(tag, gpa, len);
}

int32_t core_buffer_create(uint32_t tag, uint32_t count) {
    return CARRIED(tag, count);
}

int32_t core_buffer_append(uint32_t tag, uint32_t buffer, uint32_t count) {
    return CARRIED(tag, buffer, count);
}

int32_t core_buffer_bar(uint32_t tag, uint32_t bar, uint64_t offset, uint64_t bytes) {
    return CARRIED(tag, bar, offset, bytes);
}

int32_t core_work_copy(uint32_t tag, uint32_t engine, uint64_t cookie, uint32_t dst, uint64_t dst_offset,
                       uint32_t dst_stride, uint32_t src, uint64_t src_offset, uint32_t src_stride, uint32_t row_bytes,
                       uint32_t rows) {
    (void)row_bytes;
    (void)rows;
    return CARRIED(tag, engine, cookie, dst, dst_offset, dst_stride, src, src_offset, src_stride);
}

int32_t core_work_fence(uint32_t tag, uint32_t engine, uint64_t cookie) {
    return CARRIED(tag, engine, cookie);
}

int32_t core_buffer_destroy(uint32_t tag, uint32_t buffer) {
    return CARRIED(tag, buffer);
}

int32_t core_buffer_read(uint32_t tag, uint32_t buffer, uint64_t offset, uint32_t len) {
    for (uint32_t i = 0; i < len; i++)
        core.memory[DOUBLE_TRANSFER_AT + i] = (uint8_t)(offset + i);
    return CARRIED(tag, buffer, offset, len);
}

int32_t core_buffer_write(uint32_t tag, uint32_t buffer, uint64_t offset, uint32_t len) {
    return CARRIED(tag, buffer, offset, len);
}

int32_t core_buffer_copy(uint32_t tag, uint32_t dst, uint64_t dst_offset, uint32_t dst_stride, uint32_t src,
                         uint64_t src_offset, uint32_t src_stride, uint32_t row_bytes, uint32_t rows) {
    return CARRIED(tag, dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows);
}

int32_t core_poll(uint32_t tag, uint64_t ns) {
    return CARRIED(tag, ns);
}

int32_t core_scanout_set_buffer(uint32_t tag, uint32_t scanout, uint32_t buffer, uint64_t offset, uint32_t width,
                                uint32_t height, uint32_t stride, uint32_t format) {
    return CARRIED(tag, scanout, buffer, offset, width, height, stride, format);
}

int32_t core_cursor_set(uint32_t tag, uint32_t scanout, uint32_t buffer, uint64_t offset, uint32_t width,
                        uint32_t height, uint32_t stride, uint32_t format) {
    return CARRIED(tag, scanout, buffer, offset, width, height, stride, format);
}

int32_t core_cursor_move(uint32_t tag, uint32_t scanout, int32_t x, int32_t y) {
    return CARRIED(tag, scanout, x, y);
}

int32_t core_irq_raise(uint32_t tag, uint32_t vector) {
    (void)tag;
    core.irq_vector = vector;
    if (core.irq_panics)
        shim_panic(0x42, vector);
    if (core.irq_recursion)
        return (int32_t)shim_instance_call(core.irq_recursion, ENTRY_BAR_READ, 100, 0, REGISTER_SPIN, 4, 0);
    return core.irq_answer;
}

int32_t core_scanout_set(uint32_t tag, uint32_t scanout, uint32_t bar, uint64_t offset, uint32_t width,
                         uint32_t height, uint32_t stride, uint32_t format) {
    (void)tag, (void)scanout, (void)bar, (void)offset, (void)width, (void)height, (void)stride, (void)format;
    return 0;
}

int32_t core_scanout_flush(uint32_t tag, uint32_t scanout, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    (void)tag, (void)scanout, (void)x, (void)y, (void)width, (void)height;
    return 0;
}

int32_t core_log(uint32_t tag, uint32_t len) {
    core.log_tag = tag;
    core.log_len = len;
    return 0;
}

uint64_t core_param(uint32_t tag, uint32_t key) {
    return core.params ? core.params[key % 8] : (uint64_t)tag << 32 | key;
}
