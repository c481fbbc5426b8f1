/* SPDX-License-Identifier: MIT */
/*
 * test/modules/hostile-runtime's devices, all that there are: one misdeed for each, and life after a reset, which
 * forgets what the configuration space held.
 */
#include "kernel.h"

#define HOSTILE 0x6768fffeu
#define MISDEED 0x14 /* of BAR 0 */
#define RAM_BAR 2
#define SLOTS 32

static uint64_t registers[SLOTS], memory[SLOTS]; /* where its BARs are, 0: no such device */

const char *hostile_find(uint64_t *value) {
    for (unsigned slot = 1; slot < SLOTS; slot++) {
        registers[slot] = memory[slot] = 0;
        if (pci_read(slot, 0, 4) != HOSTILE)
            continue;
        registers[slot] = pci_bar(slot, 0);
        memory[slot] = pci_bar(slot, RAM_BAR);
        (*value)++;
    }
    return *value ? NULL : "no hostile device";
}

/* The misdeeds' numbers, device by device: how long the write took and what a read gives after it. */
const char *hostile_sin(const uint64_t *a, unsigned count, uint64_t *value) {
    for (unsigned slot = 1; slot < SLOTS && *value < count; slot++) {
        uint64_t start = time_ns(), took;

        if (!registers[slot])
            continue;
        mmio_write(registers[slot] + MISDEED, 4, a[*value]);
        took = duration(start);
        say("DEED %u took %u ns then 0x%x\n", a[*value], took, mmio_read(registers[slot], 4));
        (*value)++;
    }
    return *value == count ? NULL : "more misdeeds than devices";
}

/* After a reset by the operator: BARs and decoding as they were, and what a read gives. */
const char *hostile_again(uint64_t round, uint64_t *value) {
    for (unsigned slot = 1; slot < SLOTS; slot++) {
        if (!registers[slot])
            continue;
        pci_place(slot, 0, registers[slot]);
        pci_place(slot, RAM_BAR, memory[slot]);
        pci_command(slot, 7);
        say("AFTER %u device %u reads 0x%x\n", round, (*value)++, mmio_read(registers[slot], 4));
    }
    return NULL;
}
