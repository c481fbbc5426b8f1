/* SPDX-License-Identifier: MIT */
/*
 * The core of the shim's rig: imports are the model's affair; what the model has no rules for (guest memory, buffers,
 * work, polling) is refused, as host/fuzz/driver does, after the shim has looked at the arguments and charged for them.
 */
#include "model.h"
#include "module.h"
#include "shim.h"

#define MEMORY_BYTES 131072u
#define XENSTORE_AT 8192u
#define LOG_AT 16384u
#define TRANSFER_AT 24576u

static uint8_t bytes[MEMORY_BYTES];
static wasm_rt_memory_t memory = {.data = bytes, .size = MEMORY_BYTES, .pages = 2};

static void instantiate(void) {
}

static wasm_rt_memory_t *core_memory(void) {
    return &memory;
}

const struct gb_core gb_core = {.instantiate = instantiate, .memory = core_memory};

static int32_t judged(uint32_t answer) {
    return answer == MODEL_FATAL ? CAPABILITY_FATAL : (int32_t)answer;
}

/* --- imports --- */

uint64_t core_param(uint32_t tag, uint32_t key) {
    (void)tag;
    return model_param(key);
}

int32_t core_irq_raise(uint32_t tag, uint32_t vector) {
    (void)tag;
    return judged(model_irq(vector));
}

int32_t core_scanout_set(uint32_t tag, uint32_t scanout, uint32_t bar, uint64_t offset, uint32_t width,
                         uint32_t height, uint32_t stride, uint32_t format) {
    (void)tag;
    return judged(model_scanout(scanout, bar, offset, width, height, stride, format));
}

int32_t core_scanout_flush(uint32_t tag, uint32_t scanout, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    (void)tag;
    return judged(model_flush(scanout, x, y, width, height));
}

int32_t core_log(uint32_t tag, uint32_t len) {
    (void)tag;
    model_log(len);
    return 0;
}

/* --- refused; a handle of 0 is none --- */

/* CAPABILITY_REFUSED of unikernel/abi/module.ts. */
#define NO 2
#define REFUSED(name, answer, ...)                                                                                     \
    int32_t name(__VA_ARGS__) {                                                                                        \
        return answer;                                                                                                 \
    }
#pragma clang diagnostic ignored "-Wunused-parameter"
REFUSED(core_guest_read, NO, uint32_t tag, uint64_t gpa, uint32_t len)
REFUSED(core_guest_write, NO, uint32_t tag, uint64_t gpa, uint32_t len)
REFUSED(core_buffer_create, 0, uint32_t tag, uint32_t count)
REFUSED(core_buffer_append, NO, uint32_t tag, uint32_t buffer, uint32_t count)
REFUSED(core_buffer_bar, 0, uint32_t tag, uint32_t bar, uint64_t offset, uint64_t length)
REFUSED(core_buffer_destroy, NO, uint32_t tag, uint32_t buffer)
REFUSED(core_buffer_read, NO, uint32_t tag, uint32_t buffer, uint64_t offset, uint32_t len)
REFUSED(core_buffer_write, NO, uint32_t tag, uint32_t buffer, uint64_t offset, uint32_t len)
REFUSED(core_buffer_copy, NO, uint32_t tag, uint32_t dst, uint64_t dst_offset, uint32_t dst_stride,
        uint32_t src, uint64_t src_offset, uint32_t src_stride, uint32_t row_bytes, uint32_t rows)
REFUSED(core_work_copy, NO, uint32_t tag, uint32_t engine, uint64_t cookie, uint32_t dst,
        uint64_t dst_offset, uint32_t dst_stride, uint32_t src, uint64_t src_offset, uint32_t src_stride,
        uint32_t row_bytes, uint32_t rows)
REFUSED(core_work_fence, NO, uint32_t tag, uint32_t engine, uint64_t cookie)
REFUSED(core_poll, NO, uint32_t tag, uint64_t ns)
REFUSED(core_scanout_set_buffer, NO, uint32_t tag, uint32_t scanout, uint32_t buffer, uint64_t offset,
        uint32_t width, uint32_t height, uint32_t stride, uint32_t format)
REFUSED(core_cursor_set, NO, uint32_t tag, uint32_t scanout, uint32_t buffer, uint64_t offset,
        uint32_t width, uint32_t height, uint32_t stride, uint32_t format)
REFUSED(core_cursor_move, NO, uint32_t tag, uint32_t scanout, int32_t x, int32_t y)

/* --- what the shim tells a core --- */

void core_on_start(void) {
}

uint64_t core_on_ioreq(uint32_t tag, uint32_t vcpu, uint32_t type, uint32_t flags, uint64_t addr, uint64_t data,
                       uint32_t count, uint32_t size) {
    return 0;
}

void core_on_xenstore(uint32_t type, uint32_t req_id, uint32_t len) {
}

void core_on_timer(void) {
}

uint32_t core_on_idle(void) {
    return 0;
}

uint32_t core_xenstore_buffer(void) {
    return XENSTORE_AT;
}

uint32_t core_log_buffer(void) {
    return LOG_AT;
}

uint32_t core_transfer_buffer(void) {
    return TRANSFER_AT;
}
