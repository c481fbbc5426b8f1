// SPDX-License-Identifier: MIT
/*
 * The share of the engine that each vGPU should have had, by the policy's parameters, among those that wanted it: what
 * a fluid engine would give if each of them wanted it all the time (docs/SCHEDULING.md). In parts of what was given
 * out, so that it stands beside the share that each got.
 */
#include <string.h>

#include "top.h"

/* unikernel/core/sched/limits.ts: PRIORITY_RESERVE. */
#define RESERVE 20.0
#define LEVELS 3
/* THROTTLE_PERCENT there, of what is nearly all the others'. */
#define THROTTLED 0.02

/* A throttled one has the lowest priority, whatever its own is. */
static uint32_t level_of(const struct top_row *row) {
    if (row->now->figure[TOP_THROTTLE])
        return 0;
    return !strcmp(row->now->priority, "high") ? 2 : strcmp(row->now->priority, "low") != 0;
}

static double cap_of(const struct top_row *row) {
    uint64_t cap = row->now->figure[TOP_CAP], throttle = row->now->figure[TOP_THROTTLE];

    return (double)(throttle && throttle < cap ? throttle : cap) / 100.0;
}

/* Those of one priority share `part` by weight, nobody above its cap; answers what is left because all are capped. */
static double fill(const struct top_row *rows, uint32_t count, uint32_t level, double part, double *due) {
    for (uint32_t round = 0; round < count && part > 1e-9; round++) {
        double weights = 0, given = 0;

        for (uint32_t i = 0; i < count; i++)
            weights += rows[i].wanted && level_of(&rows[i]) == level && due[i] < cap_of(&rows[i])
                           ? (double)rows[i].now->figure[TOP_WEIGHT]
                           : 0;
        if (weights <= 0)
            return part;
        for (uint32_t i = 0; i < count; i++) {
            double more, room = cap_of(&rows[i]) - due[i];

            if (!rows[i].wanted || level_of(&rows[i]) != level || room <= 0)
                continue;
            more = part * (double)rows[i].now->figure[TOP_WEIGHT] / weights;
            more = more < room ? more : room;
            due[i] += more;
            given += more;
        }
        part -= given;
    }
    return part > 0 ? part : 0;
}

static bool has_level(const struct top_row *rows, uint32_t count, uint32_t level) {
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].wanted && level_of(&rows[i]) == level)
            return true;
    }
    return false;
}

/* The lowest priority that waits gets its part in RESERVE, the next one of the rest, the highest what is left. */
static void share_weighted(const struct top_row *rows, uint32_t count, double all, double *due) {
    double part[LEVELS] = {0}, left = all;
    int highest = -1;

    for (uint32_t level = 0; level < LEVELS; level++)
        highest = has_level(rows, count, level) ? (int)level : highest;
    for (int level = 0; level <= highest; level++) {
        if (!has_level(rows, count, (uint32_t)level))
            continue;
        part[level] = level == highest ? left : left / RESERVE;
        left -= part[level];
    }
    left = 0;
    for (int level = highest; level >= 0; level--)
        left = fill(rows, count, (uint32_t)level, part[level] + left, due);
    for (int level = highest; level >= 0; level--)
        left = fill(rows, count, (uint32_t)level, left, due);
}

static void share_equal(const struct top_row *rows, uint32_t count, double *due) {
    for (uint32_t i = 0; i < count; i++)
        due[i] = !rows[i].wanted ? 0 : rows[i].now->figure[TOP_THROTTLE] ? THROTTLED : 1;
}

static void share_fixed(const struct top_row *rows, uint32_t count, double *due) {
    for (uint32_t i = 0; i < count; i++)
        due[i] = rows[i].wanted ? (double)rows[i].now->figure[TOP_QUANTUM_US] : 0; /* in its own windows */
}

/* What was promised, and of what is left a share by weight. */
static void share_deadline(const struct top_row *rows, uint32_t count, double *due) {
    double left = 1;

    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *figure = rows[i].now->figure;

        if (rows[i].wanted && figure[TOP_PERIOD_US] && !figure[TOP_THROTTLE])
            due[i] = (double)figure[TOP_RUNTIME_US] / (double)figure[TOP_PERIOD_US];
        left -= due[i];
    }
    if (left > 0)
        share_weighted(rows, count, left, due);
}

static void share_all(const struct top_row *rows, uint32_t count, double *due) {
    share_weighted(rows, count, 1, due);
}

/* Best-effort promises nobody anything, and so does a policy that we do not know. */
static const struct {
    const char *policy;
    void (*share)(const struct top_row *rows, uint32_t count, double *due);
} POLICIES[] = {
    {"equal-share", share_equal},
    {"fixed-share", share_fixed},
    {"weighted", share_all},
    {"deadline", share_deadline},
};

void top_share(struct top_row *rows, uint32_t count) {
    double due[TOP_VGPUS_MAX] = {0}, sum = 0;

    for (size_t i = 0; count && i < sizeof(POLICIES) / sizeof(POLICIES[0]); i++) {
        if (!strcmp(rows[0].now->policy, POLICIES[i].policy))
            POLICIES[i].share(rows, count, due);
    }
    for (uint32_t i = 0; i < count; i++)
        sum += due[i];
    for (uint32_t i = 0; i < count; i++) {
        rows[i].due_known = rows[i].wanted && sum > 0;
        rows[i].due_ppm = rows[i].due_known ? (uint64_t)(due[i] / sum * 1e6 + 0.5) : 0;
    }
}
