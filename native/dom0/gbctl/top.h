/* SPDX-License-Identifier: MIT */
/*
 * gbctl top, in four files: top.c asks again and again, top_sample.c takes one sample of all vGPUs, top_share.c says
 * what share each should have, top_print.c shows what happened between two samples.
 */
#ifndef GBCTL_TOP_H
#define GBCTL_TOP_H

#include "gbctl.h"

/* Figures of a vGPU; all but the last few only grow, until they begin anew. */
enum figure {
    TOP_NOW_NS, TOP_BUSY_NS, TOP_ENGINE_NS, TOP_DONE, TOP_TRAPS, TOP_REFUSED,
    TOP_GROWING, /* those before it */
    TOP_QUEUE = TOP_GROWING, TOP_WAIT_P50, TOP_WAIT_P99, TOP_FAULTS, TOP_QUARANTINED, TOP_THROTTLE,
    TOP_RAM_PAGES, TOP_RAM_QUOTA,
    TOP_BUFFERS, TOP_BUFFERS_QUOTA, TOP_BYTES, TOP_BYTES_QUOTA,
    TOP_WEIGHT, TOP_CAP, TOP_PERIOD_US, TOP_RUNTIME_US, TOP_QUANTUM_US,
    TOP_FIGURES
};

struct top_vgpu {
    uint32_t driver, guest, number; /* domids, and its number within the guest */
    char guest_name[DOMAIN_NAME_MAX + 1];
    char module[MODULE_NAME_MAX + 1];
    char state[16];
    char policy[16];
    char priority[8];
    uint64_t figure[TOP_FIGURES];
};

struct top_driver {
    struct driver driver;
    uint64_t restarts;
    uint32_t first, count; /* of its vGPUs */
};

struct top_sample {
    uint32_t drivers, vgpus;
    bool cut; /* there are more vGPUs than TOP_VGPUS_MAX */
    struct top_driver driver[TOP_DRIVERS_MAX];
    struct top_vgpu vgpu[TOP_VGPUS_MAX];
};

int top_sample(struct gb *gb, struct top_sample *out);

/* What one vGPU did between two samples. */
struct top_row {
    const struct top_vgpu *now;
    bool known;  /* it was there before, and its figures did not begin anew: what follows means something */
    bool wanted; /* the engine, at some time in between */
    uint64_t span_ns;
    uint64_t delta[TOP_GROWING];
    uint64_t due_ppm, got_ppm; /* of the engine time that was given out */
    bool due_known;            /* the policy promises a share */
};

/* Fills due_ppm of one engine's rows. */
void top_share(struct top_row *rows, uint32_t count);

/* old may be NULL: then nothing is known but what there is now. */
void top_print(const struct gb *gb, const struct top_sample *old, const struct top_sample *now, uint32_t columns);

#endif
