// SPDX-License-Identifier: MIT
/*
 * The command line. What belongs to a --module stands behind it (wish.c). Every value is checked, so that nothing is
 * made before a typing mistake is found.
 */
#include <getopt.h>
#include <string.h>

#include "gbctl.h"

#define KERNEL_DEFAULT "/usr/lib/xen/boot/glovebox.elf"
#define MEMORY_DEFAULT_MIB 16 /* DESIGN section 12: the driver domain's memory */

enum {
    KEY_JSON = 256, KEY_MODULE, KEY_PARAM, KEY_SLOT, KEY_DRIVER, KEY_KERNEL, KEY_MODULES, KEY_MEMORY, KEY_WAIT,
    KEY_THRESHOLD,
    KEY_TRIAL, KEY_SUPERVISE, KEY_TIMEOUT, KEY_SECLABEL, KEY_CRC, KEY_CURSOR, KEY_NO_CURSOR, KEY_SCANOUT, KEY_FORCE,
    KEY_RAW, KEY_OUTPUT, KEY_HELP, KEY_OUTPUTS, KEY_INTERVAL, KEY_COUNT, KEY_ONCE,
    KEY_SCHEDULING, /* + WISH_*, up to SCHEDULING_WORDS of them */
};

static const struct option LONG[] = {
    {"json", no_argument, NULL, KEY_JSON},
    {"module", required_argument, NULL, KEY_MODULE},
    {"param", required_argument, NULL, KEY_PARAM},
    {"slot", required_argument, NULL, KEY_SLOT},
    {"outputs", required_argument, NULL, KEY_OUTPUTS},
    {"weight", required_argument, NULL, KEY_SCHEDULING + WISH_WEIGHT},
    {"cap", required_argument, NULL, KEY_SCHEDULING + WISH_CAP},
    {"priority", required_argument, NULL, KEY_SCHEDULING + WISH_PRIORITY},
    {"exec-quantum-us", required_argument, NULL, KEY_SCHEDULING + WISH_QUANTUM},
    {"preempt-timeout-us", required_argument, NULL, KEY_SCHEDULING + WISH_TIMEOUT},
    {"period-us", required_argument, NULL, KEY_SCHEDULING + WISH_PERIOD},
    {"runtime-us", required_argument, NULL, KEY_SCHEDULING + WISH_RUNTIME},
    {"driver-domain", required_argument, NULL, KEY_DRIVER},
    {"kernel", required_argument, NULL, KEY_KERNEL},
    {"modules", required_argument, NULL, KEY_MODULES},
    {"memory", required_argument, NULL, KEY_MEMORY},
    {"wait", required_argument, NULL, KEY_WAIT},
    {"seclabel", required_argument, NULL, KEY_SECLABEL},
    {"trial", required_argument, NULL, KEY_TRIAL},
    {"threshold", required_argument, NULL, KEY_THRESHOLD},
    {"supervise", no_argument, NULL, KEY_SUPERVISE},
    {"timeout", required_argument, NULL, KEY_TIMEOUT},
    {"crc", no_argument, NULL, KEY_CRC},
    {"cursor", no_argument, NULL, KEY_CURSOR},
    {"no-cursor", no_argument, NULL, KEY_NO_CURSOR},
    {"scanout", required_argument, NULL, KEY_SCANOUT},
    {"force", no_argument, NULL, KEY_FORCE},
    {"raw", no_argument, NULL, KEY_RAW},
    {"output", required_argument, NULL, KEY_OUTPUT},
    {"interval", required_argument, NULL, KEY_INTERVAL},
    {"count", required_argument, NULL, KEY_COUNT},
    {"once", no_argument, NULL, KEY_ONCE},
    {"help", no_argument, NULL, KEY_HELP},
    {NULL, 0, NULL, 0},
};

/* The OPT_* that a verb must have for the option to be allowed; 0 = always. */
static uint32_t option_group(int key) {
    if (key >= KEY_SCHEDULING)
        return OPT_MODULE;
    switch (key) {
    case KEY_MODULE:
    case KEY_PARAM:
    case KEY_SLOT:
    case KEY_OUTPUTS:
        return OPT_MODULE;
    case KEY_MEMORY: /* of the driver domain, or of a module */
        return OPT_START | OPT_MODULE;
    case KEY_DRIVER:
        return OPT_DRIVER;
    case KEY_KERNEL:
    case KEY_MODULES:
    case KEY_WAIT:
    case KEY_THRESHOLD:
        return OPT_START;
    case KEY_TRIAL:
        return OPT_TRIAL;
    case KEY_SECLABEL:
        return OPT_LABEL;
    case KEY_SUPERVISE:
        return OPT_SUPERVISE;
    case KEY_CRC:
    case KEY_CURSOR:
    case KEY_NO_CURSOR:
    case KEY_SCANOUT:
        return OPT_PICTURE;
    case KEY_FORCE:
        return OPT_FORCE;
    case KEY_RAW:
    case KEY_OUTPUT:
        return OPT_RAW;
    case KEY_INTERVAL:
    case KEY_COUNT:
    case KEY_ONCE:
        return OPT_TOP;
    case KEY_JSON:
        return OPT_JSON;
    default:
        return 0;
    }
}

bool is_word(const char *text, size_t length, size_t max) {
    if (!length || length > max)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", text[i]) || !text[i])
            return false;
    }
    return true;
}

int read_u32(struct gb *gb, const char *option, const char *text, uint32_t min, uint32_t max, uint32_t *out) {
    uint64_t value;

    if (!parse_u64(text, max, &value) || value < min)
        return gb_fail(gb, GB_USAGE, "%s %s: must be %u to %u", option, text, min, max);
    *out = (uint32_t)value;
    return GB_OK;
}

int module_title_check(struct gb *gb, const char *option, const char *title) {
    size_t name = strcspn(title, "@");

    if (!is_word(title, name, MODULE_NAME_MAX - 1))
        return gb_fail(gb, GB_USAGE, "%s \"%s\": a module's name has 1 to %d letters, digits, . _ -", option, title,
                       MODULE_NAME_MAX - 1);
    if (title[name] && !is_word(title + name + 1, strlen(title + name + 1), MODULE_VERSION_MAX - 1))
        return gb_fail(gb, GB_USAGE, "%s \"%s\": a version has 1 to %d letters, digits, . _ -", option, title,
                       MODULE_VERSION_MAX - 1);
    return GB_OK;
}

static int add_module(struct gb *gb, const char *name) {
    struct options *opt = &gb->opt;
    int error = module_title_check(gb, "--module", name);

    if (error)
        return error;
    if (opt->module_count == VGPU_MAX)
        return gb_fail(gb, GB_USAGE, "--module %s: a guest has at most %d vGPUs", name, VGPU_MAX);
    opt->module[opt->module_count++].name = name;
    return GB_OK;
}

static int set_wait(struct gb *gb, const char *text) {
    uint64_t us;
    bool good = !strcmp(text, "block") || (!strncmp(text, "busy:", 5) && parse_u64(text + 5, BUSY_MAX_US, &us));

    if (!good)
        return gb_fail(gb, GB_USAGE, "--wait %s: must be block, or busy:US with US from 0 to %d", text, BUSY_MAX_US);
    snprintf(gb->opt.wait, sizeof(gb->opt.wait), "wait=%s", text);
    return GB_OK;
}

/* NAME=N[:ACTION] becomes threshold=NAME:N[:ACTION] of the command line. */
static int add_threshold(struct gb *gb, const char *text) {
    char *words = gb->opt.thresholds;
    size_t used = strlen(words), name = strcspn(text, "=");
    int error = threshold_check(gb, "--threshold", text);

    if (error)
        return error;
    if (used + strlen(text) + 16 > sizeof(gb->opt.thresholds))
        return gb_fail(gb, GB_USAGE, "--threshold is given too often");
    snprintf(words + used, sizeof(gb->opt.thresholds) - used, " threshold=%.*s:%s", (int)name, text, text + name + 1);
    return GB_OK;
}

/* Before any --module it is the driver domain's, in MiB; behind one the device's own, in bytes. */
static int set_memory(struct gb *gb, const char *text) {
    uint64_t mib;

    if (gb->opt.module_count || !(gb->opt.verb->options & OPT_START))
        return wish_memory(gb, text);
    if (!parse_u64(text, DRIVER_MEMORY_MAX_MIB, &mib) || mib < DRIVER_MEMORY_MIN_MIB)
        return gb_fail(gb, GB_USAGE,
                       "--memory %s: must be %d to %d, the driver domain's MiB (a device's own memory stands behind "
                       "its --module)",
                       text, DRIVER_MEMORY_MIN_MIB, DRIVER_MEMORY_MAX_MIB);
    gb->opt.memory_mib = (uint32_t)mib;
    return GB_OK;
}

static int take(struct gb *gb, int key, const char *value) {
    struct options *opt = &gb->opt;

    if (key >= KEY_SCHEDULING)
        return wish_scheduling(gb, (uint32_t)(key - KEY_SCHEDULING), value);
    switch (key) {
    case KEY_JSON:
        opt->json = true;
        return GB_OK;
    case KEY_MODULE:
        return add_module(gb, value);
    case KEY_PARAM:
        return wish_param(gb, value);
    case KEY_SLOT:
        return wish_slot(gb, value);
    case KEY_OUTPUTS:
        return wish_outputs(gb, value);
    case KEY_DRIVER:
        opt->driver_domain = value;
        return GB_OK;
    case KEY_KERNEL:
        opt->kernel = value;
        return GB_OK;
    case KEY_MODULES:
        opt->modules = value;
        return GB_OK;
    case KEY_MEMORY:
        return set_memory(gb, value);
    case KEY_WAIT:
        return set_wait(gb, value);
    case KEY_SECLABEL:
        opt->seclabel = value;
        return label_check(gb, "--seclabel", value);
    case KEY_THRESHOLD:
        return add_threshold(gb, value);
    case KEY_TRIAL:
        return read_u32(gb, "--trial", value, 0, TRIAL_MAX_MS, &opt->trial_ms);
    case KEY_SUPERVISE:
        opt->supervise = true;
        return GB_OK;
    case KEY_TIMEOUT:
        return read_u32(gb, "--timeout", value, 1, TIMEOUT_MAX_S, &opt->timeout_s);
    case KEY_INTERVAL:
        return read_u32(gb, "--interval", value, INTERVAL_MIN_MS, INTERVAL_MAX_MS, &opt->interval_ms);
    case KEY_COUNT:
        return read_u32(gb, "--count", value, 1, COUNT_MAX, &opt->count);
    case KEY_ONCE:
        opt->count = 1;
        return GB_OK;
    case KEY_CRC:
        opt->crc = true;
        return GB_OK;
    case KEY_CURSOR:
        opt->cursor = true;
        return GB_OK;
    case KEY_NO_CURSOR:
        opt->no_cursor = true;
        return GB_OK;
    case KEY_SCANOUT:
        return read_u32(gb, "--scanout", value, 0, SCANOUT_MAX - 1, &opt->scanout);
    case KEY_FORCE:
        opt->force = true;
        return GB_OK;
    case KEY_RAW:
        opt->raw = true;
        return GB_OK;
    case KEY_OUTPUT:
        opt->output = value;
        return GB_OK;
    default:
        opt->help = true;
        return GB_OK;
    }
}

static const char *key_name(int key) {
    for (const struct option *o = LONG; o->name; o++) {
        if (o->val == key)
            return o->name;
    }
    return "?";
}

static int take_options(struct gb *gb, int argc, char **argv) {
    int key;

    opterr = 0;
    while ((key = getopt_long(argc, argv, ":o:", LONG, NULL)) != -1) {
        uint32_t group;
        int error;

        if (key == 'o')
            key = KEY_OUTPUT;
        group = option_group(key);
        if (key == '?')
            return gb_fail(gb, GB_USAGE, "unknown option %s (\"gbctl %s --help\")", argv[optind - 1],
                           gb->opt.verb->name);
        if (key == ':')
            return gb_fail(gb, GB_USAGE, "%s needs a value", argv[optind - 1]);
        if (group && !(gb->opt.verb->options & group))
            return gb_fail(gb, GB_USAGE, "%s knows no --%s", gb->opt.verb->name, key_name(key));
        error = take(gb, key, optarg);
        if (error)
            return error;
    }
    return GB_OK;
}

static int take_operands(struct gb *gb, int argc, char **argv) {
    const struct verb *verb = gb->opt.verb;

    for (int i = optind; i < argc; i++) {
        if (gb->opt.operand_count == verb->operand_max)
            return gb_fail(gb, GB_USAGE, "too many words, from \"%s\" on: gbctl %s %s", argv[i], verb->name,
                           verb->operands);
        gb->opt.operand[gb->opt.operand_count++] = argv[i];
    }
    if (!gb->opt.help && gb->opt.operand_count < verb->operand_min)
        return gb_fail(gb, GB_USAGE, "too few words: gbctl %s %s", verb->name, verb->operands);
    return GB_OK;
}

/* argv[0] is the verb. */
int options_parse(struct gb *gb, int argc, char **argv) {
    struct options *opt = &gb->opt;
    int error;

    opt->kernel = KERNEL_DEFAULT;
    opt->memory_mib = MEMORY_DEFAULT_MIB;
    opt->timeout_s = TIMEOUT_DEFAULT_S;
    snprintf(opt->wait, sizeof(opt->wait), "wait=block");
    opt->trial_ms = TRIAL_DEFAULT_MS;
    opt->interval_ms = INTERVAL_DEFAULT_MS;
    optind = 1;
    error = take_options(gb, argc, argv);
    if (!error)
        error = wishes_check(gb);
    return error ? error : take_operands(gb, argc, argv);
}
