/* SPDX-License-Identifier: MIT */
#include "ioreq.h"

#include "shim.h"

uint64_t answer_ioreq(uint32_t tag, uint32_t vcpu, uint32_t flags, const struct ioreq *request) {
    return core_on_ioreq(tag, vcpu, request->type, flags, request->addr, request->data, request->count, request->size);
}
