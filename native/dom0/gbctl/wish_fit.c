// SPDX-License-Identifier: MIT
/*
 * --outputs and --memory become parameters of the module, by what its node says that it has. A module's parameters are
 * its own, so nothing is known of them here but their names; ranges are looked at before anything is made.
 */
#include <string.h>

#include "gbctl.h"

struct range {
    uint64_t min, max;
};

struct fitting {
    struct gb *gb;
    struct module_wish *wish;
    const char *title;  /* name@version */
    const char *params; /* name:default:min:max,... */
};

/* One number of a row, up to `end`; *at moves behind it. */
static bool read_number(const char **at, const char *ends, uint64_t *out) {
    size_t length = strcspn(*at, ends);
    char digits[24];

    if (length >= sizeof(digits))
        return false;
    memcpy(digits, *at, length);
    digits[length] = '\0';
    *at += length;
    *at += **at == ':';
    return parse_u64(digits, UINT64_MAX, out);
}

/* False when the module has no such parameter, or its row makes no sense. */
static bool find(const struct fitting *f, const char *name, struct range *out) {
    size_t length = strlen(name);
    uint64_t unused;

    for (const char *at = f->params; *at; at += *at == ',') {
        if (!strncmp(at, name, length) && at[length] == ':') {
            at += length + 1;
            return read_number(&at, ":,", &unused) && read_number(&at, ":,", &out->min) &&
                   read_number(&at, ":,", &out->max);
        }
        at += strcspn(at, ",");
    }
    return false;
}

/* A parameter that --param gives, too, would be given twice. */
static int add(struct fitting *f, const char *option, const char *name, uint64_t value) {
    struct module_wish *wish = f->wish;

    for (uint32_t i = 0; i < wish->param_count; i++) {
        if (!strcmp(wish->param[i].name, name))
            return gb_fail(f->gb, GB_USAGE, "--%s and --param %s=%llu: both say the same of module %s", option, name,
                           (unsigned long long)wish->param[i].value, f->title);
    }
    if (wish->fitted_count == PARAM_MAX)
        return gb_fail(f->gb, GB_USAGE, "--%s: a module has at most %d parameters", option, PARAM_MAX);
    snprintf(wish->fitted[wish->fitted_count].name, PARAM_NAME_MAX, "%s", name);
    wish->fitted[wish->fitted_count++].value = value;
    return GB_OK;
}

/* --- outputs ----------------------------------------------------------------------------------------------------- */

static int count_outputs(struct fitting *f) {
    struct range range = {1, 1};
    uint32_t count = f->wish->output_count;
    bool many = find(f, "outputs", &range);

    if (!many && count > 1)
        return gb_fail(f->gb, GB_USAGE, "--outputs: %u outputs, but module %s has one only (no parameter outputs)",
                       count, f->title);
    if (count < range.min || count > range.max)
        return gb_fail(f->gb, GB_USAGE, "--outputs: %u outputs, but module %s has %llu to %llu", count, f->title,
                       (unsigned long long)range.min, (unsigned long long)range.max);
    return many ? add(f, "outputs", "outputs", count) : GB_OK;
}

static int fit_side(struct fitting *f, const char *side, uint32_t output, uint64_t value) {
    char name[PARAM_NAME_MAX];
    struct range range;

    snprintf(name, sizeof(name), output ? "%s%u" : "%s", side, output);
    if (!find(f, name, &range) && !output)
        return gb_fail(f->gb, GB_USAGE, "--outputs: module %s has no parameter %s", f->title, name);
    if (!find(f, name, &range))
        return gb_fail(f->gb, GB_USAGE,
                       "--outputs: module %s has no parameter %s: name the first %u outputs only, and size the others "
                       "with --param outputs=N and \"gbctl output\"",
                       f->title, name, output);
    if (value < range.min || value > range.max)
        return gb_fail(f->gb, GB_USAGE, "--outputs: %s %llu of output %u: module %s takes %llu to %llu", side,
                       (unsigned long long)value, output, f->title, (unsigned long long)range.min,
                       (unsigned long long)range.max);
    return add(f, "outputs", name, value);
}

static int fit_outputs(struct fitting *f) {
    const struct module_wish *wish = f->wish;
    int error = wish->output_count ? count_outputs(f) : GB_OK;

    for (uint32_t i = 0; i < wish->output_count && i < SCANOUT_MAX && !error; i++) {
        error = fit_side(f, "width", i, wish->output[i].width);
        if (!error)
            error = fit_side(f, "height", i, wish->output[i].height);
    }
    return error;
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

/* memory_bytes, or else the parameter that sizes the module's RAM. */
static int fit_memory(struct fitting *f, const char *ram_param) {
    const char *name = "memory_bytes";
    unsigned long long value = f->wish->memory_bytes;
    struct range range;

    if (!find(f, name, &range))
        name = ram_param;
    if (!name || strlen(name) >= PARAM_NAME_MAX || !find(f, name, &range))
        return gb_fail(f->gb, GB_USAGE,
                       "--memory %llu: module %s has no memory to size (no parameter memory_bytes, no RAM)", value,
                       f->title);
    if (value < range.min || value > range.max)
        return gb_fail(f->gb, GB_USAGE, "--memory %llu: %s of module %s must be %llu to %llu bytes", value, name,
                       f->title, (unsigned long long)range.min, (unsigned long long)range.max);
    return add(f, "memory", name, value);
}

int wish_fit(struct gb *gb, struct module_wish *wish, const struct module *module) {
    static struct words node;
    char title[MODULE_NAME_MAX + MODULE_VERSION_MAX + 2];
    struct fitting f = {.gb = gb, .wish = wish, .title = title};
    int error;

    snprintf(title, sizeof(title), "%s@%s", module->name, module->version);
    words_parse(&node, module->text);
    f.params = words_get(&node, "params") ? words_get(&node, "params") : "";
    wish->fitted_count = 0; /* a supervised guest comes here for each of its lives */
    error = fit_outputs(&f);
    return error || !wish->memory_given ? error : fit_memory(&f, words_get(&node, "ram_param"));
}
