/* SPDX-License-Identifier: MIT */
/*
 * What the rig's core has beside a core's exports (native/include/shim.h): host/fuzz/driver/mediator.ts, by way of
 * wasm2c. A record is asked of rig_record, then rig_call says which entry point is to be called, until none is.
 */
#ifndef GLOVEBOX_FUZZ_MEDIATOR_H
#define GLOVEBOX_FUZZ_MEDIATOR_H

#include <stdint.h>

#define RIG_NONE UINT32_MAX

/* Offsets into the core's memory: the binary manifest, and TRACE_PARAMS_MAX values of 64 bits. */
uint32_t core_rig_manifest(void);
uint32_t core_rig_params(void);
uint32_t core_rig_budget(uint32_t entry);
/* A vGPU that is new; given: the parameters were put there, else they are the manifest's. */
void core_rig_begin(uint32_t given);
/* It is attached. */
void core_rig_ready(void);
void core_rig_record(uint32_t kind, uint32_t bar, uint32_t size, uint32_t count, uint64_t addr, uint64_t data);
uint32_t core_rig_call(void);
uint64_t core_rig_argument(uint32_t index);
void core_rig_answered(uint64_t value);
uint64_t core_rig_answers(void);

#endif
