/* SPDX-License-Identifier: MIT */
/*
 * Fuel for what an import does beyond the packer's fixed price: by length, and for reaching into guest memory or the
 * buffers' tables. The same sums as in host/sim/charge.ts, from the constants of unikernel/abi/module.ts, so that a
 * module burns the same on V8.
 */
#ifndef GLOVEBOX_CHARGE_H
#define GLOVEBOX_CHARGE_H

#include "module.h"

#define CHARGE_BYTES_PER_UNIT 64u
#define CHARGE_REACH 1024u
#define CHARGE_PAGE_BYTES 4096u

/* One reach with `bytes` carried. No sum here can overflow: bytes is at most 65536. */
static inline uint32_t charge_of(uint32_t bytes) {
    return CHARGE_REACH + bytes / CHARGE_BYTES_PER_UNIT + 1;
}

/* Rows reach one by one, each started page of a row for itself; rows * row_bytes is at most 65536. */
static inline uint32_t charge_of_rows(uint32_t row_bytes, uint32_t rows) {
    uint32_t pages = (row_bytes + CHARGE_PAGE_BYTES - 1) / CHARGE_PAGE_BYTES;
    return CHARGE_REACH + rows * pages * CHARGE_REACH + rows * row_bytes / CHARGE_BYTES_PER_UNIT + 1;
}

/* Who cannot pay is out of fuel, before anything is done. */
static inline void charge(struct w2c_glovebox *caller, uint32_t units) {
    int32_t left = (int32_t)*caller->fuel;
    *caller->fuel = left < (int32_t)units ? UINT32_MAX : (uint32_t)left - units;
    if ((int32_t)*caller->fuel < 0)
        wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}

#endif
