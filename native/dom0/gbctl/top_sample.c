// SPDX-License-Identifier: MIT
/*
 * One sample of all vGPUs: what `stat` and `engine` answer (docs/CONTROL.md). Whoever goes while it is taken, a vGPU, a
 * guest or a whole driver domain, is not in it; that is no error.
 */
#include <stdlib.h>
#include <string.h>

#include "top.h"

/* Where each figure stands: in the reply of `stat` or in that of `engine`. */
static const struct {
    const char *key;
    bool of_engine;
} FIGURE[TOP_FIGURES] = {
    [TOP_NOW_NS] = {"now_ns", true},
    [TOP_BUSY_NS] = {"busy_ns", true},
    [TOP_ENGINE_NS] = {"engine_ns", true},
    [TOP_DONE] = {"done", true},
    [TOP_TRAPS] = {"traps", false},
    [TOP_REFUSED] = {"refused", false},
    [TOP_QUEUE] = {"queue", true},
    [TOP_WAIT_P50] = {"recent_wait_p50_us", true},
    [TOP_WAIT_P99] = {"recent_wait_p99_us", true},
    [TOP_FAULTS] = {"recent_faults", false},
    [TOP_QUARANTINED] = {"quarantined", false},
    [TOP_THROTTLE] = {"throttle", true},
    [TOP_RAM_PAGES] = {"ram_pages", false},
    [TOP_RAM_QUOTA] = {"quota_ram_pages", false},
    [TOP_BUFFERS] = {"buffers", false},
    [TOP_BUFFERS_QUOTA] = {"quota_buffers", false},
    [TOP_BYTES] = {"buffer_bytes", false},
    [TOP_BYTES_QUOTA] = {"quota_bytes", false},
    [TOP_WEIGHT] = {"weight", true},
    [TOP_CAP] = {"cap", true},
    [TOP_PERIOD_US] = {"period_us", true},
    [TOP_RUNTIME_US] = {"runtime_us", true},
    [TOP_QUANTUM_US] = {"exec_quantum_us", true},
};

static void copy_word(const struct words *words, const char *key, char *out, size_t size) {
    const char *value = words_get(words, key);

    snprintf(out, size, "%s", value ? value : "-");
}

/* A figure that is not there, or no number, is 0: an older domain does not know all of them. */
static void read_figures(struct top_vgpu *v, const struct words *words, bool of_engine) {
    for (uint32_t i = 0; i < TOP_FIGURES; i++) {
        if (FIGURE[i].of_engine == of_engine && !words_u64(words, FIGURE[i].key, UINT64_MAX, &v->figure[i]))
            v->figure[i] = 0;
    }
}

static int sample_vgpu(struct gb *gb, const struct driver *driver, struct top_vgpu *v) {
    static struct words words;
    int error = request(gb, driver, &words, "stat %u %u", v->guest, v->number);

    if (error)
        return error;
    copy_word(&words, "module", v->module, sizeof(v->module));
    copy_word(&words, "state", v->state, sizeof(v->state));
    read_figures(v, &words, false);
    error = request(gb, driver, &words, "engine %u %u", v->guest, v->number);
    if (error)
        return error;
    copy_word(&words, "policy", v->policy, sizeof(v->policy));
    copy_word(&words, "priority", v->priority, sizeof(v->priority));
    read_figures(v, &words, true);
    return GB_OK;
}

static int sample_guest(struct gb *gb, const struct driver *driver, uint32_t domid, struct top_sample *out) {
    struct vgpu v[VGPU_MAX];
    struct domain guest;
    uint32_t count = vgpu_list(gb, driver, domid, v, VGPU_MAX);

    domain_describe(gb, domid, &guest);
    for (uint32_t i = 0; i < count; i++) {
        struct top_vgpu *next = &out->vgpu[out->vgpus];
        int error;

        if (!strcmp(v[i].state, "refused"))
            continue;
        if (out->vgpus == TOP_VGPUS_MAX) {
            out->cut = true;
            return GB_OK;
        }
        memset(next, 0, sizeof(*next));
        next->driver = driver->domid;
        next->guest = domid;
        next->number = v[i].number;
        snprintf(next->guest_name, sizeof(next->guest_name), "%s", guest.name);
        error = sample_vgpu(gb, driver, next);
        if (!error)
            out->vgpus++;
        else if (error != GB_NOT_FOUND)
            return error;
    }
    return GB_OK;
}

static int by_number(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

/* Guests by their number, so that rows keep their places. */
static int sample_guests(struct gb *gb, const struct driver *driver, struct top_sample *out) {
    uint32_t domids[TOP_VGPUS_MAX] = {0}, count, known = 0;
    char **ids = store_list(gb, &count, "/local/domain/%u/data/glovebox/vgpu", driver->domid);
    int error = GB_OK;

    for (uint32_t i = 0; i < count && known < TOP_VGPUS_MAX; i++) {
        uint64_t domid;

        if (parse_u64(ids[i], UINT16_MAX, &domid))
            domids[known++] = (uint32_t)domid;
    }
    free(ids);
    qsort(domids, known, sizeof(domids[0]), by_number);
    for (uint32_t i = 0; i < known && !error; i++)
        error = sample_guest(gb, driver, domids[i], out);
    return error;
}

static int sample_driver(struct gb *gb, const struct driver *driver, struct top_sample *out) {
    static struct words words;
    struct top_driver *next = &out->driver[out->drivers];
    int error = request(gb, driver, &words, "stat");

    next->driver = *driver;
    next->first = out->vgpus;
    if (!error && !words_u64(&words, "restarts", UINT64_MAX, &next->restarts))
        next->restarts = 0;
    if (!error)
        error = sample_guests(gb, driver, out);
    next->count = out->vgpus - next->first;
    out->drivers += !error;
    return error;
}

static bool is_gone(struct gb *gb, const struct driver *driver) {
    return !store_exists(gb, "/local/domain/%u/data/glovebox/version", driver->domid);
}

static int sample_all(struct gb *gb, const struct driver *drivers, uint32_t count, struct top_sample *out) {
    int error = request_begin(gb);

    for (uint32_t i = 0; i < count && out->drivers < TOP_DRIVERS_MAX && !error; i++) {
        uint32_t before = out->vgpus;

        if (strcmp(drivers[i].state, "ready"))
            continue;
        error = sample_driver(gb, &drivers[i], out);
        if (!error || signals_seen() || !is_gone(gb, &drivers[i]))
            continue;
        out->vgpus = before;
        error = gb->opt.driver_domain ? GB_NOT_FOUND : GB_OK; /* of one that was asked for, it is told */
    }
    request_end(gb);
    return error;
}

int top_sample(struct gb *gb, struct top_sample *out) {
    struct driver *drivers = calloc(DRIVER_MAX, sizeof(*drivers));
    uint32_t count = 1;
    int error = drivers ? GB_OK : gb_fail(gb, GB_FAILED, "out of memory");

    out->drivers = out->vgpus = 0;
    out->cut = false;
    if (!error && gb->opt.driver_domain)
        error = driver_find(gb, gb->opt.driver_domain, drivers);
    else if (!error)
        count = driver_list(gb, drivers, DRIVER_MAX);
    if (!error)
        error = sample_all(gb, drivers, count, out);
    free(drivers);
    return error;
}
