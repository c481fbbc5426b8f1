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
    return (uint64_t)tag << 32 | key;
}
