/* SPDX-License-Identifier: MIT */
/* The trap path: from an event channel to an answer. */
#ifndef GLOVEBOX_IOREQ_H
#define GLOVEBOX_IOREQ_H

#include "abi.h"

/* Event handler of server `index`'s vCPU. */
void ioreq_service(uint32_t index, uint32_t vcpu);

/* The one decision that has two images: who answers a request, which is as core_on_ioreq() gets it. xen/answer.c asks
 * the core; bench/answer.c answers by itself. */
uint64_t answer_ioreq(uint32_t tag, uint32_t vcpu, uint32_t flags, const struct ioreq *request);

#endif
