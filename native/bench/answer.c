/* SPDX-License-Identifier: MIT */
/*
 * The bench's image only: plain accesses to a BAR are answered here, by a few registers in C, so that its figure is
 * that of the bare loop: same domain, same shim, no core and no module. All else (config space, CF8, rep, invalidate)
 * is the core's.
 */
#include "ioreq.h"

#include "shim.h"

#define REGISTERS 64u

/* PCI configuration mechanism 1 (PCI 3.0, 3.2.2.3.2): the address and data ports are not a BAR. */
#define CONFIG_FIRST_PORT 0xcf8u
#define CONFIG_LAST_PORT 0xcffu

static uint64_t registers[REGISTERS];

static bool is_bar_access(uint32_t flags, const struct ioreq *request) {
    if (request->count != 1 || flags & IOREQ_FLAG_DATA_IS_PTR)
        return false;
    if (request->type == IOREQ_TYPE_PIO)
        return request->addr < CONFIG_FIRST_PORT || request->addr > CONFIG_LAST_PORT;
    return request->type == IOREQ_TYPE_COPY;
}

uint64_t answer_ioreq(uint32_t tag, uint32_t vcpu, uint32_t flags, const struct ioreq *request) {
    if (!is_bar_access(flags, request))
        return core_on_ioreq(tag, vcpu, request->type, flags, request->addr, request->data, request->count,
                             request->size);
    uint64_t *reg = &registers[request->addr / 4 % REGISTERS];
    if (!(flags & IOREQ_FLAG_READ))
        *reg = request->data;
    return *reg;
}
