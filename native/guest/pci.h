/* SPDX-License-Identifier: MIT */
#ifndef GUEST_PCI_H
#define GUEST_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_BARS 6

/* One BAR as sysfs shows it; memory is mapped, ports are allowed to this process. */
struct pci_bar {
    bool is_io;
    uint64_t start, size;
    volatile uint8_t *memory; /* NULL for I/O */
};

/*
 * Each answers a static sentence, or NULL when it went well. `text` is VVVV:DDDD (the first such device) or an address
 * as sysfs writes it; `name` becomes the device's folder in /sys/bus/pci/devices.
 */
const char *pci_find(const char *text, char *name, size_t size);
const char *pci_enable(const char *name);
const char *pci_open_bar(const char *name, uint32_t index, struct pci_bar *bar);
/* 1, 2 or 4 bytes of configuration space. */
const char *pci_config(const char *name, bool write, uint32_t offset, uint32_t size, uint32_t *value);

/* Accesses of exactly that size, each one instruction; memory also takes 8. */
uint64_t bar_read(const struct pci_bar *bar, uint64_t offset, uint32_t size);
void bar_write(const struct pci_bar *bar, uint64_t offset, uint32_t size, uint64_t value);

#endif
