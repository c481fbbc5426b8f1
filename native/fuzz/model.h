/* SPDX-License-Identifier: MIT */
/*
 * The mediator as a model, with the rules of host/fuzz/driver: what a module's imports answer, which records of a
 * trace reach it, and one hash of all that can be seen from outside. It is of the small rig (rig.c), which has neither
 * guest memory nor workloads; shim/rig.c has the driver's own rules (host/fuzz/driver/mediator.ts).
 */
#ifndef GLOVEBOX_FUZZ_MODEL_H
#define GLOVEBOX_FUZZ_MODEL_H

#include <stdbool.h>

#include "trace.h"

/* What an import answers that only a broken module can ask for: the call ends there. */
#define MODEL_FATAL UINT32_MAX

/* One entry point with its budget; does not come back after a fault. */
typedef uint64_t model_call(uint32_t entry, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* The binary manifest; parameters are its defaults. */
void model_manifest(const uint8_t *manifest);
/* The trace's parameters where it has any, else the defaults. */
void model_params(const struct trace *trace);
uint32_t model_budget(uint32_t entry);
/* Nothing has been answered yet, the surroundings are at rest. */
void model_begin(void);
/* A record that no guest could have made is passed over. */
void model_record(const struct trace_record *one, model_call *call);
uint64_t model_answers(void);

/* The imports. */
uint64_t model_param(uint32_t key);
uint32_t model_irq(uint32_t vector);
uint32_t model_scanout(uint32_t scanout, uint32_t bar, uint64_t offset, uint32_t width, uint32_t height,
                       uint32_t stride, uint32_t format);
uint32_t model_flush(uint32_t scanout, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
void model_log(uint32_t len);

#endif
