// SPDX-License-Identifier: MIT
/*
 * gb-interrupt DEVICE BAR OFFSET: writes 1 to a register that makes the device raise an interrupt, and says whether it
 * came. No driver is needed: the device's MSI is aimed at the vector by which Linux' processors wake each other.
 * Its handler does nothing but count, and a guest with one vCPU never uses it, so /proc/interrupts tells.
 * Prints `INTERRUPT before=N after=N`, and the status is 0 when exactly one came.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pci.h"

/* PCI 3.0, 6.2 and 6.8.1. */
#define COMMAND 0x04
#define COMMAND_MASTER 0x4
#define CAPABILITIES 0x34
#define CAPABILITY_MSI 0x05
#define CAPABILITIES_MAX 48 /* of 4 bytes each, in the 192 bytes behind the header */
#define MSI_CONTROL 2
#define MSI_ADDRESS 4
#define MSI_ENABLE 0x1
#define MSI_64BIT 0x80

#define MSI_TO_PROCESSOR_0 0xfee00000u
#define RESCHEDULE_VECTOR 0xfdu /* Linux 6.1, arch/x86/include/asm/irq_vectors.h */
#define WAIT_US 1000
#define WAITS_MAX 2000

static char device[64];

static uint32_t get(uint32_t offset, uint32_t size) {
    uint32_t value = 0;
    const char *error = pci_config(device, false, offset, size, &value);

    if (error) {
        printf("INTERRUPT failed: configuration space at 0x%x: %s\n", offset, error);
        exit(1);
    }
    return value;
}

static void put(uint32_t offset, uint32_t size, uint32_t value) {
    const char *error = pci_config(device, true, offset, size, &value);

    if (error) {
        printf("INTERRUPT failed: configuration space at 0x%x: %s\n", offset, error);
        exit(1);
    }
}

/* 0: the device has none. */
static uint32_t find_msi(void) {
    uint32_t at = get(CAPABILITIES, 1);

    for (int i = 0; at && i < CAPABILITIES_MAX; i++) {
        if (get(at, 1) == CAPABILITY_MSI)
            return at;
        at = get(at + 1, 1);
    }
    return 0;
}

static void aim(uint32_t msi) {
    bool wide = get(msi + MSI_CONTROL, 2) & MSI_64BIT;

    put(msi + MSI_ADDRESS, 4, MSI_TO_PROCESSOR_0);
    if (wide)
        put(msi + MSI_ADDRESS + 4, 4, 0);
    put(msi + MSI_ADDRESS + (wide ? 8 : 4), 2, RESCHEDULE_VECTOR);
    put(COMMAND, 2, get(COMMAND, 2) | COMMAND_MASTER);
    put(msi + MSI_CONTROL, 2, get(msi + MSI_CONTROL, 2) | MSI_ENABLE);
}

/* The first processor's count on the line "RES:"; -1: no such line. */
static long counted(void) {
    char line[256];
    long count = -1;
    FILE *file = fopen("/proc/interrupts", "re");

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, " RES: %ld", &count) == 1)
            break;
    if (file)
        fclose(file);
    return count;
}

static int raise_one(struct pci_bar *bar, uint64_t offset) {
    long before = counted(), after = before;

    if (before < 0) {
        printf("INTERRUPT failed: /proc/interrupts has no line RES\n");
        return 1;
    }
    bar_write(bar, offset, 4, 1);
    for (int i = 0; i < WAITS_MAX && after == before; i++) {
        usleep(WAIT_US);
        after = counted();
    }
    printf("INTERRUPT before=%ld after=%ld\n", before, after);
    return after == before + 1 ? 0 : 1;
}

int main(int argc, char **argv) {
    struct pci_bar bar = {0};
    const char *error;
    uint64_t offset;
    uint32_t msi;
    int status;

    if (argc != 4) {
        printf("INTERRUPT failed: usage: gb-interrupt DEVICE BAR OFFSET\n");
        return 1;
    }
    offset = strtoull(argv[3], NULL, 0);
    error = pci_find(argv[1], device, sizeof(device));
    if (!error)
        error = pci_enable(device);
    if (!error)
        error = pci_open_bar(device, (uint32_t)strtoul(argv[2], NULL, 0), &bar);
    if (!error && (bar.size < 4 || offset > bar.size - 4))
        error = "the register ends beyond the BAR";
    msi = error ? 0 : find_msi();
    if (!error && !msi)
        error = "the device has no MSI";
    if (error) {
        printf("INTERRUPT failed: %s\n", error);
        return 1;
    }
    aim(msi);
    status = raise_one(&bar, offset);
    put(msi + MSI_CONTROL, 2, get(msi + MSI_CONTROL, 2) & ~(uint32_t)MSI_ENABLE);
    return status;
}
