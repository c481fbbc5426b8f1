/* SPDX-License-Identifier: MIT */
/* Interrupts into a guest. Xen checks the numbers again; we keep what it documents from being truncated on the way. */
#include "dm_op.h"
#include "guest.h"
#include "shim.h"

#define DEVICE_MAX 31u
#define INTX_MAX 3u

int32_t shim_inject_msi(uint32_t domid, uint64_t address, uint32_t data) {
    if (!guest_domid_valid(domid))
        return -XEN_EINVAL;
    return dm_op_inject_msi((domid_t)domid, address, data);
}

int32_t shim_set_pci_intx_level(uint32_t domid, uint32_t device, uint32_t intx, uint32_t level) {
    if (!guest_domid_valid(domid) || device > DEVICE_MAX || intx > INTX_MAX || level > 1)
        return -XEN_EINVAL;
    return dm_op_set_pci_intx_level((domid_t)domid, (uint8_t)device, (uint8_t)intx, (uint8_t)level);
}
