/* SPDX-License-Identifier: MIT */
/* What makes a virtio GPU's engine work: transfers of a picture that it holds a copy of (engine.c). */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stdint.h>

struct picture {
    int card;
    uint32_t handle; /* of its buffer */
    uint32_t width, height;
};

struct flood {
    uint64_t times, took_us;
};

/* What `engine_pace` found: microseconds from asking to done, sorted; how many took longer than the period. */
struct pace {
    uint32_t count, late;
    uint64_t p50_us, p99_us, max_us;
};

uint64_t clock_us(void);
bool engine_settle(int card);
bool engine_flood(const struct picture *picture, uint64_t us, bool (*stopped)(void), struct flood *flood);
bool engine_pace(const struct picture *picture, uint32_t times, uint32_t period_us, uint32_t rows, struct pace *pace);
#endif
