/* SPDX-License-Identifier: MIT */
/*
 * A module's C (wasm2c's output, as it goes into a .gbx file) in an ordinary process, under a fuzzer or a sanitizer:
 * inputs are traces, before each everything is as after `attach`. The mediator is a model with the rules of
 * host/fuzz/driver. A fault of the module ends the input; whether it ends the process is the caller's affair.
 */
#ifndef GLOVEBOX_FUZZ_RIG_H
#define GLOVEBOX_FUZZ_RIG_H

#include "trace.h"

struct rig_outcome {
    uint32_t fault; /* FAULT_* of native/include/shim.h; FAULT_NONE */
    uint32_t operation;
    uint64_t fuel;
    uint64_t answers; /* a hash; the same as host/fuzz/driver's for the same input */
};

/* Attach with the manifest's default parameters; 0, or why no device stands. */
const char *rig_start(void);
/* Run from the state after attach. */
struct rig_outcome rig_run(const struct trace *trace);
/* Of the module's whole state after the last run: shim_instance_hash(). */
uint32_t rig_hash(void);
/* Bytes of the module's memory that a reset copies back; all of it unless somebody knows better. */
void rig_reset_bytes(uint64_t bytes);

#endif
