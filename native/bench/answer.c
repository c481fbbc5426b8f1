/* SPDX-License-Identifier: MIT */
/*
 * The bench's image only: plain accesses to a BAR are answered here, by the same device in C, so that its figure is
 * the floor: same domain, same shim, same registers, no core and no module. All else (config space, CF8, rep,
 * invalidate) is the core's.
 */
#include "ioreq.h"

#include "plain_device.h"
#include "shim.h"

#define BAR_MEMORY 0u
#define BAR_PORTS 1u
#define MEMORY_BYTES 4096u /* both BARs lie at multiples of their size */
#define PORTS_BYTES 16u

/* PCI configuration mechanism 1 (PCI 3.0, 3.2.2.3.2): the address and data ports are not a BAR. */
#define CONFIG_FIRST_PORT 0xcf8u
#define CONFIG_LAST_PORT 0xcffu

static bool is_bar_access(uint32_t flags, const struct ioreq *request) {
    if (request->count != 1 || flags & IOREQ_FLAG_DATA_IS_PTR)
        return false;
    if (request->type == IOREQ_TYPE_PIO)
        return request->addr < CONFIG_FIRST_PORT || request->addr > CONFIG_LAST_PORT;
    return request->type == IOREQ_TYPE_COPY;
}

uint64_t answer_ioreq(uint32_t tag, uint32_t vcpu, uint32_t flags, const struct ioreq *request) {
    static bool begun;
    if (!is_bar_access(flags, request))
        return core_on_ioreq(tag, vcpu, request->type, flags, request->addr, request->data, request->count,
                             request->size);
    if (!begun)
        plain_device_reset();
    begun = true;
    bool is_ports = request->type == IOREQ_TYPE_PIO;
    uint32_t offset = (uint32_t)(request->addr % (is_ports ? PORTS_BYTES : MEMORY_BYTES));
    uint32_t bar = is_ports ? BAR_PORTS : BAR_MEMORY;
    if (flags & IOREQ_FLAG_READ)
        return plain_device_read(bar, offset, request->size);
    plain_device_write(bar, offset, request->size, request->data);
    return 0;
}
