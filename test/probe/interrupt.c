/* SPDX-License-Identifier: MIT */
/* The machine's interrupts and PCI devices (physdev_op): none was given to this domain. */
#include "probe.h"

#include <xen/physdev.h>

#define IO_APIC_ADDRESS 0xfec00000
#define SOME_IRQ 9
/* 00:01.0, which is the disk with Dom0's root in the lab's machine: any device that exists and is Dom0's will do. */
#define DISK_BUS 0
#define DISK_DEVFN (1 << 3)

static const char *physdev(uint32_t cmd, void *argument) {
    return errno_word(hypercall(__HYPERVISOR_physdev_op, cmd, (uint64_t)argument, 0, 0, 0));
}

static const char *map_gsi(domid_t domid) {
    struct physdev_map_pirq op = {.domid = domid, .type = MAP_PIRQ_TYPE_GSI, .index = SOME_IRQ, .pirq = SOME_IRQ};
    return physdev(PHYSDEVOP_map_pirq, &op);
}

static const char *map_msi(domid_t domid) {
    struct physdev_map_pirq op = {
        .domid = domid, .type = MAP_PIRQ_TYPE_MSI, .index = -1, .pirq = -1, .bus = DISK_BUS, .devfn = DISK_DEVFN};
    return physdev(PHYSDEVOP_map_pirq, &op);
}

static const char *unmap_pirq(domid_t domid) {
    struct physdev_unmap_pirq op = {.domid = domid, .pirq = SOME_IRQ};
    return physdev(PHYSDEVOP_unmap_pirq, &op);
}

static const char *apic_read(domid_t domid) {
    struct physdev_apic op = {.apic_physbase = IO_APIC_ADDRESS};
    (void)domid;
    return physdev(PHYSDEVOP_apic_read, &op);
}

static const char *apic_write(domid_t domid) {
    struct physdev_apic op = {.apic_physbase = IO_APIC_ADDRESS, .reg = 0x22, .value = 0x10000};
    (void)domid;
    return physdev(PHYSDEVOP_apic_write, &op);
}

static const char *alloc_vector(domid_t domid) {
    struct physdev_irq op = {.irq = SOME_IRQ};
    (void)domid;
    return physdev(PHYSDEVOP_alloc_irq_vector, &op);
}

static const char *setup_gsi(domid_t domid) {
    struct physdev_setup_gsi op = {.gsi = SOME_IRQ};
    (void)domid;
    return physdev(PHYSDEVOP_setup_gsi, &op);
}

static const char *device_add(domid_t domid) {
    struct physdev_manage_pci op = {.bus = DISK_BUS, .devfn = DISK_DEVFN};
    (void)domid;
    return physdev(PHYSDEVOP_manage_pci_add, &op);
}

static const char *device_remove(domid_t domid) {
    struct physdev_manage_pci op = {.bus = DISK_BUS, .devfn = DISK_DEVFN};
    (void)domid;
    return physdev(PHYSDEVOP_manage_pci_remove, &op);
}

static const char *prepare_msix(domid_t domid) {
    struct physdev_pci_device op = {.bus = DISK_BUS, .devfn = DISK_DEVFN};
    (void)domid;
    return physdev(PHYSDEVOP_prepare_msix, &op);
}

static const char *restore_msi(domid_t domid) {
    struct physdev_restore_msi op = {.bus = DISK_BUS, .devfn = DISK_DEVFN};
    (void)domid;
    return physdev(PHYSDEVOP_restore_msi, &op);
}

static const char *mmcfg_reserved(domid_t domid) {
    struct physdev_pci_mmcfg_reserved op = {.address = 0xb0000000, .end_bus = 255};
    (void)domid;
    return physdev(PHYSDEVOP_pci_mmcfg_reserved, &op);
}

static const char *debug_port(domid_t domid) {
    struct physdev_dbgp_op op = {.op = PHYSDEVOP_DBGP_RESET_PREPARE};
    (void)domid;
    return physdev(PHYSDEVOP_dbgp_op, &op);
}

static const struct probe rows[] = {
    {"PHYSDEVOP_map_pirq GSI", SELF, "take a physical interrupt", map_gsi},
    {"PHYSDEVOP_map_pirq GSI", TARGET, "give its guest a physical interrupt", map_gsi},
    {"PHYSDEVOP_map_pirq MSI of Dom0's disk", SELF, "take a device's interrupts", map_msi},
    {"PHYSDEVOP_map_pirq MSI of Dom0's disk", TARGET, "give its guest a device's interrupts", map_msi},
    {"PHYSDEVOP_unmap_pirq", OTHER, "take any guest's interrupts away", unmap_pirq},
    {"PHYSDEVOP_apic_read", NOBODY, "see where interrupts go", apic_read},
    {"PHYSDEVOP_apic_write", NOBODY, "send interrupts where it likes", apic_write},
    {"PHYSDEVOP_alloc_irq_vector", NOBODY, "use up interrupt vectors", alloc_vector},
    {"PHYSDEVOP_setup_gsi", NOBODY, "change how an interrupt is signalled", setup_gsi},
    {"PHYSDEVOP_manage_pci_add", NOBODY, "announce PCI devices", device_add},
    {"PHYSDEVOP_manage_pci_remove", NOBODY, "take PCI devices away", device_remove},
    {"PHYSDEVOP_prepare_msix", NOBODY, "change a device's interrupts", prepare_msix},
    {"PHYSDEVOP_restore_msi", NOBODY, "change a device's interrupts", restore_msi},
    {"PHYSDEVOP_pci_mmcfg_reserved", NOBODY, "move PCI configuration space", mmcfg_reserved},
    {"PHYSDEVOP_dbgp_op", NOBODY, "reset the debug port", debug_port},
};
const struct probe_table interrupt_probes = PROBE_TABLE(rows);
