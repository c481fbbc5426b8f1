// SPDX-License-Identifier: MIT
/*
 * What the options behind a --module wish for it: parameters, a slot, the scheduler's words, outputs, memory. Values
 * are checked as far as they can be before a driver domain is asked; wish_fit.c does the rest, once it is known what
 * the module has.
 */
#include <string.h>

#include "gbctl.h"

/* unikernel/core/sched/parameter.ts; priority is a word. */
static const struct {
    const char *word;
    uint64_t min, max;
} SCHEDULING[SCHEDULING_WORDS] = {
    [WISH_WEIGHT] = {"weight", 1, WEIGHT_MAX},
    [WISH_CAP] = {"cap", 1, CAP_MAX},
    [WISH_PRIORITY] = {"priority", 0, 2},
    [WISH_QUANTUM] = {"exec-quantum-us", QUANTUM_US_MIN, QUANTUM_US_MAX},
    [WISH_TIMEOUT] = {"preempt-timeout-us", TIMEOUT_US_MIN, TIMEOUT_US_MAX},
    [WISH_PERIOD] = {"period-us", 0, PERIOD_US_MAX},
    [WISH_RUNTIME] = {"runtime-us", 0, PERIOD_US_MAX},
};
static const char *const PRIORITIES[] = {"low", "normal", "high"};

static struct module_wish *last_module(struct gb *gb, const char *option) {
    if (gb->opt.module_count)
        return &gb->opt.module[gb->opt.module_count - 1];
    gb_fail(gb, GB_USAGE, "--%s must follow the --module that it belongs to", option);
    return NULL;
}

/* `16M` is 16 x 1024 x 1024: sizes are what parameters mostly are. */
static bool read_value(const char *text, uint64_t *out) {
    char digits[24];
    size_t length = strlen(text);
    uint32_t shift = 0;

    if (!length || length >= sizeof(digits))
        return false;
    memcpy(digits, text, length + 1);
    if (strchr("KMG", digits[length - 1])) {
        shift = digits[length - 1] == 'K' ? 10 : digits[length - 1] == 'M' ? 20 : 30;
        digits[length - 1] = '\0';
    }
    if (!parse_u64(digits, UINT64_MAX >> shift, out))
        return false;
    *out <<= shift;
    return true;
}

int wish_param(struct gb *gb, const char *text) {
    struct module_wish *wish = last_module(gb, "param");
    size_t length = strcspn(text, "=");
    uint64_t value;

    if (!wish)
        return GB_USAGE;
    if (!is_word(text, length, PARAM_NAME_MAX - 1) || text[length] != '=' || !read_value(text + length + 1, &value))
        return gb_fail(gb, GB_USAGE, "--param %s: must be NAME=NUMBER, the number decimal, maybe with K, M or G", text);
    if (wish->param_count == PARAM_MAX)
        return gb_fail(gb, GB_USAGE, "--param %s: a module has at most %d parameters", text, PARAM_MAX);
    snprintf(wish->param[wish->param_count].name, PARAM_NAME_MAX, "%.*s", (int)length, text);
    wish->param[wish->param_count++].value = value;
    return GB_OK;
}

int wish_slot(struct gb *gb, const char *text) {
    struct module_wish *wish = last_module(gb, "slot");

    return wish ? read_u32(gb, "--slot", text, 1, SLOT_MAX, &wish->slot) : GB_USAGE;
}

/* --- the scheduler's words --------------------------------------------------------------------------------------- */

const char *wish_scheduling_name(uint32_t which) {
    return SCHEDULING[which].word;
}

static bool read_priority(const char *text, uint64_t *out) {
    for (*out = 0; *out < sizeof(PRIORITIES) / sizeof(PRIORITIES[0]); ++*out) {
        if (!strcmp(text, PRIORITIES[*out]))
            return true;
    }
    return false;
}

int wish_scheduling(struct gb *gb, uint32_t which, const char *text) {
    const char *word = SCHEDULING[which].word;
    struct module_wish *wish = last_module(gb, word);
    uint64_t value;

    if (!wish)
        return GB_USAGE;
    if (wish->scheduling[which].given)
        return gb_fail(gb, GB_USAGE, "--%s %s: given twice for --module %s", word, text, wish->name);
    if (which == WISH_PRIORITY) {
        if (!read_priority(text, &value))
            return gb_fail(gb, GB_USAGE, "--%s %s: must be low, normal or high", word, text);
    } else if (!parse_u64(text, SCHEDULING[which].max, &value) || value < SCHEDULING[which].min) {
        return gb_fail(gb, GB_USAGE, "--%s %s: must be %llu to %llu", word, text,
                       (unsigned long long)SCHEDULING[which].min, (unsigned long long)SCHEDULING[which].max);
    }
    wish->scheduling[which].given = true;
    wish->scheduling[which].value = value;
    return GB_OK;
}

size_t wish_put_scheduling(const struct module_wish *wish, char *out, size_t size) {
    size_t used = 0;

    for (uint32_t i = 0; i < SCHEDULING_WORDS && used < size; i++) {
        unsigned long long value = wish->scheduling[i].value;

        if (!wish->scheduling[i].given)
            continue;
        if (i == WISH_PRIORITY)
            used += (size_t)snprintf(out + used, size - used, " priority=%s", PRIORITIES[value]);
        else
            used += (size_t)snprintf(out + used, size - used, " %s=%llu", SCHEDULING[i].word, value);
    }
    return used;
}

/* A deadline is both numbers or none. Whether the engine has room for it, the driver domain says. */
static int check_deadline(struct gb *gb, const struct module_wish *wish) {
    unsigned long long period = wish->scheduling[WISH_PERIOD].value, runtime = wish->scheduling[WISH_RUNTIME].value;

    if (!period && !runtime)
        return GB_OK;
    if (!period)
        return gb_fail(gb, GB_USAGE, "--runtime-us %llu: needs --period-us", runtime);
    if (!runtime)
        return gb_fail(gb, GB_USAGE, "--period-us %llu: needs --runtime-us", period);
    if (period < PERIOD_US_MIN)
        return gb_fail(gb, GB_USAGE, "--period-us %llu: must be 0, or %d to %d", period, PERIOD_US_MIN, PERIOD_US_MAX);
    if (runtime > period)
        return gb_fail(gb, GB_USAGE, "--runtime-us %llu: above --period-us %llu", runtime, period);
    return GB_OK;
}

int wishes_check(struct gb *gb) {
    int error = GB_OK;

    for (uint32_t i = 0; i < gb->opt.module_count && !error; i++)
        error = check_deadline(gb, &gb->opt.module[i]);
    return error;
}

bool wish_is_bare(const struct module_wish *wish) {
    char words[2];

    return !wish->param_count && !wish->slot && !wish->output_count && !wish->memory_given &&
           !wish_put_scheduling(wish, words, sizeof(words));
}

/* --- outputs and memory ------------------------------------------------------------------------------------------ */

/* WIDTHxHEIGHT,... All are counted; of more than a module can have, only the count matters. */
int wish_outputs(struct gb *gb, const char *text) {
    struct module_wish *wish = last_module(gb, "outputs");
    const char *at = text;

    if (!wish)
        return GB_USAGE;
    if (wish->output_count)
        return gb_fail(gb, GB_USAGE, "--outputs %.60s: given twice for --module %s", text, wish->name);
    for (;; at++) {
        size_t length = strcspn(at, ",");
        uint64_t width, height;

        if (!parse_mode(at, length, &width, &height))
            return gb_fail(gb, GB_USAGE, "--outputs: \"%.*s\" must be WIDTHxHEIGHT, 1 to %d each, commas between",
                           length > 40 ? 40 : (int)length, at, PICTURE_SIDE_MAX);
        if (wish->output_count < SCANOUT_MAX) {
            wish->output[wish->output_count].width = width;
            wish->output[wish->output_count].height = height;
        }
        wish->output_count++;
        at += length;
        if (!*at)
            return GB_OK;
    }
}

int wish_memory(struct gb *gb, const char *text) {
    struct module_wish *wish = last_module(gb, "memory");

    if (!wish)
        return GB_USAGE;
    if (wish->memory_given)
        return gb_fail(gb, GB_USAGE, "--memory %s: given twice for --module %s", text, wish->name);
    if (!read_value(text, &wish->memory_bytes))
        return gb_fail(gb, GB_USAGE, "--memory %s: must be a decimal number of bytes, maybe with K, M or G", text);
    wish->memory_given = true;
    return GB_OK;
}
