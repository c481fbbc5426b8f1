/* SPDX-License-Identifier: MIT */
/*
 * @NAME@: a PCI device for Glovebox, in C for clang's wasm32 target. docs/MODULE_ABI.md says what each function is
 * promised; manifest.json says what the device looks like from outside (ids, BARs, interrupts, fuel).
 *
 *   BAR 0, 4 KiB of memory: each access of a guest comes here
 *   0x00 IDENTITY   "GLOV"; read only
 *   0x04 SCRATCH    keeps what is written
 *   0x08 INTERRUPT  a write raises an interrupt; reads as the answer: 0 done, 1 masked or not enabled by the guest
 *   0x0c WRITES     how many writes came since the reset; read only
 *
 * There is no C library and no heap: everything that lives is a static variable. glovebox.h has all imports and the
 * entry points; what is not exported there is never called.
 */
#include "glovebox.h"

enum { IDENTITY, SCRATCH, INTERRUPT, WRITES, REGISTERS };

#define WIDTH_BYTES 4u
#define WINDOW_BYTES (REGISTERS * WIDTH_BYTES) /* what lies behind reads all ones */
#define VECTOR 0

static uint32_t registers[REGISTERS];

/* Once, before the guest can reach the device. 0 = it stands; any other number refuses it. */
int32_t attach(void) {
    reset();
    return 0;
}

/* The device as it was after attach. */
void reset(void) {
    registers[IDENTITY] = 0x564f4c47;
    registers[SCRATCH] = registers[INTERRUPT] = registers[WRITES] = 0;
}

/* A guest reads. Its size is 1, 2, 4 or 8; any offset and alignment within the BAR may come: so, byte by byte. */
uint64_t bar_read(uint32_t bar, uint32_t offset, uint32_t size) {
    const uint8_t *bytes = (const uint8_t *)registers;
    uint64_t value = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint64_t byte = bar == 0 && offset + i < WINDOW_BYTES ? bytes[offset + i] : 0xff;
        value |= byte << (8 * i);
    }
    return value;
}

/* A guest writes. Bits of the value above its size mean nothing. */
void bar_write(uint32_t bar, uint32_t offset, uint32_t size, uint64_t value) {
    uint8_t *bytes = (uint8_t *)registers;
    uint32_t touched = 0; /* a bit for each register */
    if (bar != 0)
        return;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t at = offset + i;
        uint32_t which = at / WIDTH_BYTES;
        if (which != SCRATCH && which != INTERRUPT)
            continue;
        bytes[at] = (uint8_t)(value >> (8 * i));
        touched |= 1u << which;
    }
    registers[WRITES] += touched != 0;
    if (touched & 1u << INTERRUPT)
        registers[INTERRUPT] = (uint32_t)irq_raise(VECTOR);
}
