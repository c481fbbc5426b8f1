/* SPDX-License-Identifier: MIT */
/*
 * The imports of capability "work": only a note in a queue, the copying is the engine's, later. Both pay for the
 * look-ups, the same sums as in host/sim/imports.ts.
 */
#include "border.h"
#include "call.h"
#include "charge.h"
#include "module.h"
#include "shim.h"

/* Named and typed by wasm2c; its generated headers declare them once for each module. */
uint32_t w2c_glovebox_work_copy(struct w2c_glovebox *caller, uint32_t engine, uint64_t cookie, uint32_t dst,
                                uint64_t dst_offset, uint32_t dst_stride, uint32_t src, uint64_t src_offset,
                                uint32_t src_stride, uint32_t row_bytes, uint32_t rows);
uint32_t w2c_glovebox_work_fence(struct w2c_glovebox *caller, uint32_t engine, uint64_t cookie);

uint32_t w2c_glovebox_work_copy(struct w2c_glovebox *caller, uint32_t engine, uint64_t cookie, uint32_t dst,
                                uint64_t dst_offset, uint32_t dst_stride, uint32_t src, uint64_t src_offset,
                                uint32_t src_stride, uint32_t row_bytes, uint32_t rows) {
    charge(caller, charge_of(0));
    struct call_border border = call_enter_core();
    return border_back(border, core_work_copy(caller->tag, engine, cookie, dst, dst_offset, dst_stride, src, src_offset,
                                              src_stride, row_bytes, rows));
}

uint32_t w2c_glovebox_work_fence(struct w2c_glovebox *caller, uint32_t engine, uint64_t cookie) {
    charge(caller, charge_of(0));
    struct call_border border = call_enter_core();
    return border_back(border, core_work_fence(caller->tag, engine, cookie));
}
