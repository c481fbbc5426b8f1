/* SPDX-License-Identifier: MIT */
/*
 * The panic image only (glovebox-panic.elf): bugs of ours on order, to show what becomes of the guests. A guest's
 * 4-byte write of a word that begins with 0xdead into a BAR arms them; each of the next accesses to a BAR then breaks
 * us, while its request is pending, until the count is used up.
 *
 *   31 ┌ 0xdead 16 ┬ burst 1 ┬ kind 3 ┬ count 12 ┐ 0
 *
 * Without `burst` an access that comes within RESTART_WINDOW_NS of the last panic is answered as usual, so that each
 * panic stands alone; with it, any request will do.
 */
#include "ioreq.h"

#include "module.h"
#include "panic.h"
#include "shim.h"
#include "survivor.h"

#define ARM 0xdeadu
#define BURST 0x8000u

enum kind {
    KIND_TRAP = 0,   /* the core's WebAssembly traps: its memory is suddenly empty */
    KIND_CHECK = 1,  /* an assertion of the core fails: no such guest */
    KIND_SHIM = 2,   /* the shim panics */
    KIND_FAULT = 3,  /* a processor fault: a write to address 0 */
};

static uint32_t armed SURVIVES;
static const volatile uint64_t nowhere = 8;

static bool is_due(void) {
    uint64_t last = shim_stat(STAT_PANIC_NS);
    return armed & 0xfff && (armed & BURST || !last || shim_time_ns() - last > RESTART_WINDOW_NS);
}

static void plant(uint32_t tag, uint32_t vcpu, uint32_t flags, const struct ioreq *request) {
    uint32_t kind = armed >> 12 & 7;
    armed--;
    switch (kind) {
    case KIND_TRAP:
        gb_core.memory()->size = 0;
        break;
    case KIND_CHECK:
        core_on_ioreq(SHIM_SERVERS_MAX, vcpu, request->type, flags, request->addr, request->data, 1, 4);
        break;
    case KIND_FAULT:
        *(volatile uint32_t *)nowhere = tag;
        break;
    default:
        panic("planted, tag and address", tag, request->addr);
    }
}

uint64_t answer_ioreq(uint32_t tag, uint32_t vcpu, uint32_t flags, const struct ioreq *request) {
    bool is_write = !(flags & (IOREQ_FLAG_READ | IOREQ_FLAG_DATA_IS_PTR));
    bool is_bar = request->type == IOREQ_TYPE_COPY && request->count == 1;
    if (is_bar && is_write && request->size == 4 && request->data >> 16 == ARM)
        armed = (uint32_t)request->data & 0xffff;
    else if ((is_bar || armed & BURST) && is_due())
        plant(tag, vcpu, flags, request);
    return core_on_ioreq(tag, vcpu, request->type, flags, request->addr, request->data, request->count, request->size);
}
