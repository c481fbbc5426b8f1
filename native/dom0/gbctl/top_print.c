// SPDX-License-Identifier: MIT
/*
 * What happened between two samples: a block for each driver domain, a row for each vGPU. What cannot be known (its
 * first sample, figures that began anew in a restart or with a new device) is a dash, null in JSON; no rate is ever
 * negative.
 */
#include <stdarg.h>
#include <string.h>

#include "top.h"

static const struct top_vgpu *find_vgpu(const struct top_sample *sample, const struct top_vgpu *v) {
    for (uint32_t i = 0; sample && i < sample->vgpus; i++) {
        const struct top_vgpu *other = &sample->vgpu[i];

        if (other->driver == v->driver && other->guest == v->guest && other->number == v->number &&
            !strcmp(other->module, v->module))
            return other;
    }
    return NULL;
}

static const struct top_driver *find_driver(const struct top_sample *sample, uint32_t domid) {
    for (uint32_t i = 0; sample && i < sample->drivers; i++) {
        if (sample->driver[i].driver.domid == domid)
            return &sample->driver[i];
    }
    return NULL;
}

static bool grew(const struct top_vgpu *before, const struct top_vgpu *now) {
    for (uint32_t i = 0; i < TOP_GROWING; i++) {
        if (now->figure[i] < before->figure[i])
            return false;
    }
    return now->figure[TOP_NOW_NS] > before->figure[TOP_NOW_NS];
}

static void compare(struct top_row *row, const struct top_vgpu *before, const struct top_vgpu *now) {
    memset(row, 0, sizeof(*row));
    row->now = now;
    row->known = before && grew(before, now);
    if (!row->known)
        return;
    for (uint32_t i = 0; i < TOP_GROWING; i++)
        row->delta[i] = now->figure[i] - before->figure[i];
    row->span_ns = row->delta[TOP_NOW_NS];
    row->wanted = before->figure[TOP_QUEUE] || now->figure[TOP_QUEUE] || row->delta[TOP_DONE] ||
                  row->delta[TOP_ENGINE_NS];
}

static bool restarted(const struct top_sample *old, const struct top_driver *driver) {
    const struct top_driver *before = find_driver(old, driver->driver.domid);

    return before && before->restarts != driver->restarts;
}

/* The rows of one driver domain, which has one engine. */
static void make_rows(const struct top_sample *old, const struct top_sample *now, const struct top_driver *driver,
                      struct top_row *rows) {
    bool anew = restarted(old, driver);
    uint64_t given = 0;

    for (uint32_t i = 0; i < driver->count; i++) {
        const struct top_vgpu *v = &now->vgpu[driver->first + i];

        compare(&rows[i], anew ? NULL : find_vgpu(old, v), v);
        given += rows[i].delta[TOP_ENGINE_NS];
    }
    top_share(rows, driver->count);
    for (uint32_t i = 0; i < driver->count; i++)
        rows[i].got_ppm = given ? (uint64_t)((double)rows[i].delta[TOP_ENGINE_NS] / (double)given * 1e6 + 0.5) : 0;
}

static uint64_t per_second(const struct top_row *row, enum figure which) {
    return (uint64_t)((double)row->delta[which] * 1e9 / (double)row->span_ns + 0.5);
}

static uint64_t engine_ppm(const struct top_row *row, enum figure which) {
    return (uint64_t)((double)row->delta[which] * 1e6 / (double)row->span_ns + 0.5);
}

static const char *state_of(const struct top_vgpu *v) {
    if (v->figure[TOP_QUARANTINED])
        return "quarantined";
    return v->figure[TOP_THROTTLE] && !strcmp(v->state, "ready") ? "throttled" : v->state;
}

/* --- text: lines that end where the terminal does ---------------------------------------------------------------- */

struct line {
    uint32_t columns; /* 0: as long as it is */
    size_t used;
    char text[512];
};

static void put(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct line *line, const char *format, ...) {
    va_list args;
    int more;

    va_start(args, format);
    more = vsnprintf(line->text + line->used, sizeof(line->text) - line->used, format, args);
    va_end(args);
    line->used += more > 0 ? (size_t)more : 0;
    line->used = line->used < sizeof(line->text) ? line->used : sizeof(line->text) - 1;
}

static void end_line(struct line *line) {
    if (line->columns && line->used > line->columns)
        line->text[line->columns] = '\0';
    text_print(stdout, line->text);
    fputs(line->columns ? "\x1b[K\n" : "\n", stdout);
    line->used = 0;
}

static void put_percent(struct line *line, bool known, uint64_t ppm) {
    unsigned long long tenths = (ppm + 500) / 1000;

    if (known)
        put(line, " %5llu.%llu", tenths / 10, tenths % 10);
    else
        put(line, " %7s", "-");
}

static void put_rate(struct line *line, const struct top_row *row, enum figure which) {
    if (row->known)
        put(line, " %7llu", (unsigned long long)per_second(row, which));
    else
        put(line, " %7s", "-");
}

static void put_wait(struct line *line, uint64_t us) {
    if (!us)
        put(line, " %8s", "-");
    else if (us < 100000)
        put(line, " %6lluus", (unsigned long long)us);
    else
        put(line, " %6llums", (unsigned long long)(us / 1000));
}

/* 4 digits and a unit at most. */
static void put_size(struct line *line, uint64_t bytes) {
    static const char UNITS[] = " KMGTPE";
    uint32_t unit = 0;

    while (bytes >= 10000 && unit < sizeof(UNITS) - 2) {
        bytes >>= 10;
        unit++;
    }
    put(line, "%llu%.*s", (unsigned long long)bytes, unit ? 1 : 0, UNITS + unit);
}

static void put_of(struct line *line, uint64_t have, uint64_t quota) {
    struct line pair = {0};

    put_size(&pair, have);
    put(&pair, "/");
    put_size(&pair, quota);
    put(line, " %11s", pair.text);
}

static void print_row(const struct top_row *row, uint32_t columns) {
    const uint64_t *figure = row->now->figure;
    struct line line = {.columns = columns};
    char name[DOMAIN_NAME_MAX + 16];

    snprintf(name, sizeof(name), "%s/%u", row->now->guest_name, row->now->number);
    put(&line, "  %-16.16s %-14.14s %-11.11s", name, row->now->module, state_of(row->now));
    put_percent(&line, row->known, row->known ? engine_ppm(row, TOP_ENGINE_NS) : 0);
    put_percent(&line, row->due_known, row->due_ppm);
    put_percent(&line, row->known && row->wanted, row->got_ppm);
    put(&line, " %5llu", (unsigned long long)figure[TOP_QUEUE]);
    put_rate(&line, row, TOP_DONE);
    put_wait(&line, figure[TOP_WAIT_P50]);
    put_wait(&line, figure[TOP_WAIT_P99]);
    put_rate(&line, row, TOP_TRAPS);
    put(&line, " %6llu %7llu", (unsigned long long)figure[TOP_FAULTS], (unsigned long long)figure[TOP_REFUSED]);
    put_of(&line, figure[TOP_BUFFERS], figure[TOP_BUFFERS_QUOTA]);
    put_of(&line, figure[TOP_BYTES], figure[TOP_BYTES_QUOTA]);
    put_of(&line, figure[TOP_RAM_PAGES] * XEN_PAGE_BYTES, figure[TOP_RAM_QUOTA] * XEN_PAGE_BYTES);
    end_line(&line);
}

static const struct top_row *first_known(const struct top_row *rows, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].known)
            return &rows[i];
    }
    return NULL;
}

static void print_head(const struct top_driver *driver, const struct top_row *rows, bool anew, uint32_t columns) {
    const struct top_row *any = first_known(rows, driver->count);
    struct line line = {.columns = columns};

    put(&line, "%s (domain %u), policy %s, engine", driver->driver.name, driver->driver.domid,
        driver->count ? rows[0].now->policy : "-");
    put_percent(&line, any != NULL, any ? engine_ppm(any, TOP_BUSY_NS) : 0);
    put(&line, " %%, %u vGPUs", driver->count);
    if (anew)
        put(&line, "; it restarted in place (%llu times so far), figures begin anew",
            (unsigned long long)driver->restarts);
    end_line(&line);
    put(&line, "  %-16s %-14s %-11s %7s %7s %7s %5s %7s %8s %8s %7s %6s %7s %11s %11s %11s", "guest/vgpu", "module",
        "state", "engine%", "wanted%", "got%", "queue", "done/s", "wait p50", "p99", "traps/s", "faults", "refused",
        "buffers", "bytes", "ram");
    end_line(&line);
}

/* --- JSON -------------------------------------------------------------------------------------------------------- */

static void json_maybe(struct json *j, const char *key, bool known, uint64_t value) {
    if (known)
        json_number(j, key, value);
    else
        json_null(j, key);
}

static void json_row(struct json *j, const struct top_row *row) {
    const uint64_t *figure = row->now->figure;

    json_open(j, NULL, '{');
    json_string(j, "guest", row->now->guest_name);
    json_number(j, "domid", row->now->guest);
    json_number(j, "vgpu", row->now->number);
    json_string(j, "module", row->now->module);
    json_string(j, "state", state_of(row->now));
    json_maybe(j, "engine_ppm", row->known, row->known ? engine_ppm(row, TOP_ENGINE_NS) : 0);
    json_maybe(j, "wanted_ppm", row->due_known, row->due_ppm);
    json_maybe(j, "got_ppm", row->known && row->wanted, row->got_ppm);
    json_number(j, "queue", figure[TOP_QUEUE]);
    json_maybe(j, "done_per_s", row->known, row->known ? per_second(row, TOP_DONE) : 0);
    json_maybe(j, "wait_p50_us", figure[TOP_WAIT_P50] != 0, figure[TOP_WAIT_P50]);
    json_maybe(j, "wait_p99_us", figure[TOP_WAIT_P99] != 0, figure[TOP_WAIT_P99]);
    json_maybe(j, "traps_per_s", row->known, row->known ? per_second(row, TOP_TRAPS) : 0);
    json_number(j, "faults", figure[TOP_FAULTS]);
    json_number(j, "refused", figure[TOP_REFUSED]);
    json_number(j, "buffers", figure[TOP_BUFFERS]);
    json_number(j, "buffers_quota", figure[TOP_BUFFERS_QUOTA]);
    json_number(j, "bytes", figure[TOP_BYTES]);
    json_number(j, "bytes_quota", figure[TOP_BYTES_QUOTA]);
    json_number(j, "ram_pages", figure[TOP_RAM_PAGES]);
    json_number(j, "ram_pages_quota", figure[TOP_RAM_QUOTA]);
    json_close(j, '}');
}

static void json_driver(struct json *j, const struct top_driver *driver, const struct top_row *rows, bool anew) {
    const struct top_row *any = first_known(rows, driver->count);

    json_open(j, NULL, '{');
    json_string(j, "driver_domain", driver->driver.name);
    json_number(j, "domid", driver->driver.domid);
    json_string(j, "policy", driver->count ? rows[0].now->policy : "-");
    json_number(j, "restarts", driver->restarts);
    json_bool(j, "restarted", anew);
    json_maybe(j, "interval_ns", any != NULL, any ? any->span_ns : 0);
    json_maybe(j, "engine_ppm", any != NULL, any ? engine_ppm(any, TOP_BUSY_NS) : 0);
    json_open(j, "vgpus", '[');
    for (uint32_t i = 0; i < driver->count; i++)
        json_row(j, &rows[i]);
    json_close(j, ']');
    json_close(j, '}');
}

/* One document a line. */
void top_print(const struct gb *gb, const struct top_sample *old, const struct top_sample *now, uint32_t columns) {
    static struct top_row rows[TOP_VGPUS_MAX];
    struct json j = {.to = stdout};

    if (gb->opt.json)
        json_open(&j, NULL, '[');
    for (uint32_t i = 0; i < now->drivers; i++) {
        const struct top_driver *driver = &now->driver[i];
        bool anew = restarted(old, driver);

        make_rows(old, now, driver, rows);
        if (gb->opt.json) {
            json_driver(&j, driver, rows, anew);
            continue;
        }
        print_head(driver, rows, anew, columns);
        for (uint32_t k = 0; k < driver->count; k++)
            print_row(&rows[k], columns);
    }
    if (gb->opt.json) {
        json_close(&j, ']');
        json_end(&j);
        return;
    }
    if (!now->drivers)
        printf("no driver domain is ready%s\n", columns ? "\x1b[K" : "");
    if (now->cut)
        printf("more than %d vGPUs: name one driver domain with --driver-domain%s\n", TOP_VGPUS_MAX,
               columns ? "\x1b[K" : "");
}
