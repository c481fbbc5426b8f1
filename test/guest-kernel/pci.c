/* SPDX-License-Identifier: MIT */
/* Configuration space by ports 0xcf8 and 0xcfc, bus 0; and a plain layout of all BARs for those who want one. */
#include "kernel.h"

#define ADDRESS 0xcf8
#define DATA 0xcfc
#define COMMAND 4
#define BAR0 0x10
#define BARS 6
#define MSI 0x40 /* where the mediator puts the capability: found at `cap` below all the same */

#define MEMORY_FIRST 0xe0000000ull
#define PORT_FIRST 0x1000ull

static void address(unsigned slot, unsigned offset) {
    port_write(ADDRESS, 4, 0x80000000u | slot << 11 | (offset & 0xfc));
}

uint32_t pci_read(unsigned slot, unsigned offset, unsigned size) {
    address(slot, offset);
    return port_read((uint16_t)(DATA + (offset & 3)), size);
}

void pci_write(unsigned slot, unsigned offset, unsigned size, uint32_t value) {
    address(slot, offset);
    port_write((uint16_t)(DATA + (offset & 3)), size, value);
}

bool pci_present(unsigned slot) {
    return (uint16_t)pci_read(slot, 0, 2) != 0xffff;
}

void pci_command(unsigned slot, uint16_t value) {
    pci_write(slot, COMMAND, 2, value);
}

static bool is_64(unsigned slot, unsigned bar) {
    return (pci_read(slot, BAR0 + 4 * bar, 4) & 7) == 4;
}

void pci_place(unsigned slot, unsigned bar, uint64_t where) {
    bool wide = is_64(slot, bar);
    pci_write(slot, BAR0 + 4 * bar, 4, (uint32_t)where);
    if (wide)
        pci_write(slot, BAR0 + 4 * bar + 4, 4, (uint32_t)(where >> 32));
}

uint64_t pci_bar(unsigned slot, unsigned bar) {
    uint32_t low = pci_read(slot, BAR0 + 4 * bar, 4);
    if (low & 1)
        return low & ~3u;
    return (low & ~15u) | (is_64(slot, bar) ? (uint64_t)pci_read(slot, BAR0 + 4 * bar + 4, 4) << 32 : 0);
}

/* 0: there is none. Decoding should be off. */
uint64_t pci_bar_size(unsigned slot, unsigned bar) {
    uint32_t was = pci_read(slot, BAR0 + 4 * bar, 4), mask;
    pci_write(slot, BAR0 + 4 * bar, 4, 0xffffffff);
    mask = pci_read(slot, BAR0 + 4 * bar, 4);
    pci_write(slot, BAR0 + 4 * bar, 4, was);
    if (mask & 1)
        return (uint16_t)(~(mask & ~3u) + 1);
    return (mask & ~15u) ? ~(mask & ~15u) + 1u : 0;
}

void pci_set_up(void) {
    uint64_t memory = MEMORY_FIRST, port = PORT_FIRST;
    for (unsigned slot = 1; slot < 32; slot++) {
        if (!pci_present(slot))
            continue;
        pci_command(slot, 0);
        for (unsigned bar = 0; bar < BARS; bar++) {
            uint64_t size = pci_bar_size(slot, bar);
            bool io = pci_read(slot, BAR0 + 4 * bar, 4) & 1;
            uint64_t *next = io ? &port : &memory;
            if (!size)
                continue;
            *next = (*next + size - 1) & ~(size - 1);
            pci_place(slot, bar, *next);
            *next += io ? size : size < 0x10000 ? 0x10000 : size;
        }
        pci_command(slot, 7);
        say("PCI slot %u id %x bars %x %x %x %x\n", (uint64_t)slot, (uint64_t)pci_read(slot, 0, 4), pci_bar(slot, 0),
            pci_bar(slot, 1), pci_bar(slot, 2), pci_bar(slot, 4));
    }
}

unsigned pci_capability(unsigned slot, uint8_t id) {
    unsigned at = pci_read(slot, 0x34, 1) & 0xfc;
    for (unsigned hops = 0; at && hops < 48; hops++, at = pci_read(slot, at + 1, 1) & 0xfc) {
        if ((uint8_t)pci_read(slot, at, 1) == id)
            return at;
    }
    return MSI;
}

void pci_msi(unsigned slot, uint64_t message, uint16_t data, bool enable) {
    unsigned at = pci_capability(slot, 5);
    pci_write(slot, at + 2, 2, 0);
    pci_write(slot, at + 4, 4, (uint32_t)message);
    pci_write(slot, at + 8, 4, (uint32_t)(message >> 32));
    pci_write(slot, at + 12, 2, data);
    pci_write(slot, at + 2, 2, enable ? 1 : 0);
}
