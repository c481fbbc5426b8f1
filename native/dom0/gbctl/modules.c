// SPDX-License-Identifier: MIT
/*
 * Modules that a driver domain has: listed, unloaded. Several versions of one name may be there; NAME alone means the
 * one that was loaded last, which the domain itself decides.
 */
#include <stdlib.h>
#include <string.h>

#include "gbctl.h"

#define DATA "/local/domain/%u/data/glovebox"

static bool read_module(struct gb *gb, const struct driver *driver, const char *slot, struct module *out) {
    static struct words words;
    char text[STORE_VALUE_MAX + 1];
    uint64_t number;

    if (!parse_u64(slot, MODULES_MAX - 1, &number) ||
        !store_read(gb, text, sizeof(text), DATA "/module/%s", driver->domid, slot))
        return false;
    words_parse(&words, text);
    out->slot = (uint32_t)number;
    snprintf(out->text, sizeof(out->text), "%s", text);
    snprintf(out->name, sizeof(out->name), "%s", words_get(&words, "name") ? words_get(&words, "name") : "");
    snprintf(out->version, sizeof(out->version), "%s",
             words_get(&words, "version") ? words_get(&words, "version") : "");
    return true;
}

static int by_slot(const void *a, const void *b) {
    return (int)((const struct module *)a)->slot - (int)((const struct module *)b)->slot;
}

uint32_t module_list(struct gb *gb, const struct driver *driver, struct module *out, uint32_t max) {
    uint32_t count, found = 0;
    char **slots = store_list(gb, &count, DATA "/module", driver->domid);

    for (uint32_t i = 0; i < count && found < max; i++)
        found += read_module(gb, driver, slots[i], &out[found]);
    free(slots);
    qsort(out, found, sizeof(*out), by_slot);
    return found;
}

static bool is_called(const struct module *module, const char *wish) {
    size_t length = strcspn(wish, "@");

    return strlen(module->name) == length && !memcmp(module->name, wish, length) &&
           (!wish[length] || !strcmp(module->version, wish + length + 1));
}

static uint64_t serial_of(const struct module *module) {
    static struct words node;
    uint64_t serial = 0;

    words_parse(&node, module->text);
    words_u64(&node, "serial", UINT64_MAX, &serial);
    return serial;
}

/* Of several versions the one that was loaded last, as the domain itself would take it; NULL: there is none. */
static const struct module *choose(const struct module *list, uint32_t count, const char *wish) {
    const struct module *best = NULL;

    for (uint32_t i = 0; i < count; i++) {
        if (is_called(&list[i], wish) && (!best || serial_of(&list[i]) > serial_of(best)))
            best = &list[i];
    }
    return best;
}

static int unknown(struct gb *gb, const struct driver *driver, const struct module *list, uint32_t count,
                   const char *name) {
    char known[256] = "";

    for (uint32_t i = 0; i < count; i++) {
        size_t used = strlen(known);

        snprintf(known + used, sizeof(known) - used, "%s%s@%s", used ? ", " : "", list[i].name, list[i].version);
    }
    return gb_fail(gb, GB_NOT_FOUND, "unknown module \"%s\": driver domain %u (%s) has %s", name, driver->domid,
                   driver->name, known[0] ? known : "none");
}

/* What is wrong with a wish is told before anything is made. */
int modules_check(struct gb *gb, const struct driver *driver) {
    static struct module list[MODULES_MAX];
    uint32_t count = module_list(gb, driver, list, MODULES_MAX);
    int error = GB_OK;

    for (uint32_t i = 0; i < gb->opt.module_count && !error; i++) {
        const struct module *module = choose(list, count, gb->opt.module[i].name);

        error = module ? wish_fit(gb, &gb->opt.module[i], module)
                       : unknown(gb, driver, list, count, gb->opt.module[i].name);
    }
    return error;
}

/* --- modules ----------------------------------------------------------------------------------------------------- */

static const char *word_or(const struct words *words, const char *key, const char *missing) {
    const char *value = words_get(words, key);

    return value ? value : missing;
}

static void print_line(const struct driver *driver, const struct words *words, const char *params) {
    char title[MODULE_NAME_MAX + MODULE_VERSION_MAX + 2];

    snprintf(title, sizeof(title), "%s@%s", word_or(words, "name", "?"), word_or(words, "version", "?"));
    printf("%-24s  ", driver->name);
    text_print(stdout, title);
    printf("%*s", (int)(28 - strlen(title) > 0 && strlen(title) < 28 ? 28 - strlen(title) : 1), "");
    printf("%-16.16s  abi ", word_or(words, "blake2b", "-"));
    text_print(stdout, word_or(words, "abi", "?"));
    fputs("  ", stdout);
    text_print(stdout, word_or(words, "from", "?"));
    fputs("  instances ", stdout);
    text_print(stdout, word_or(words, "instances", "?"));
    fputs("  ", stdout);
    text_print(stdout, params);
    putchar('\n');
}

/* The domain's answer has the counts; while it does not answer, its node is what there is. */
static void print_module(struct gb *gb, struct json *j, const struct driver *driver, const struct module *module) {
    static struct words node, answer;
    const struct words *words = &answer;
    const char *params;

    words_parse(&node, module->text);
    params = word_or(&node, "params", "");
    if (strcmp(driver->state, "ready") || request(gb, driver, &answer, "module %u", module->slot))
        words = &node;
    if (!gb->opt.json) {
        print_line(driver, words, params);
        return;
    }
    json_open(j, NULL, '{');
    json_string(j, "driver_domain", driver->name);
    for (uint32_t i = 0; i < words->count; i++) {
        if (!strcmp(words->word[i].key, "blake2b") || !strcmp(words->word[i].key, "wasm_sha256") ||
            !strcmp(words->word[i].key, "version"))
            json_string(j, words->word[i].key, words->word[i].value); /* may look like numbers */
        else
            json_value(j, words->word[i].key, words->word[i].value);
    }
    json_string(j, "params", params);
    json_close(j, '}');
}

static void print_refused(struct gb *gb, struct json *j, const struct driver *driver) {
    uint32_t count;
    char **names = store_list(gb, &count, DATA "/refused", driver->domid);

    for (uint32_t i = 0; i < count; i++) {
        char text[512];

        if (!store_read(gb, text, sizeof(text), DATA "/refused/%s", driver->domid, names[i]))
            continue;
        if (gb->opt.json) {
            json_open(j, NULL, '{');
            json_string(j, "driver_domain", driver->name);
            json_string(j, "refused", text);
            json_close(j, '}');
            continue;
        }
        printf("%-24s  refused: ", driver->name);
        text_print(stdout, text);
        putchar('\n');
    }
    free(names);
}

static int list_all(struct gb *gb, struct json *j, const struct driver *drivers, uint32_t count) {
    static struct module list[MODULES_MAX];
    int error = request_begin(gb);

    for (uint32_t i = 0; i < count && !error; i++) {
        uint32_t found = module_list(gb, &drivers[i], list, MODULES_MAX);

        for (uint32_t k = 0; k < found; k++)
            print_module(gb, j, &drivers[i], &list[k]);
        print_refused(gb, j, &drivers[i]);
    }
    request_end(gb);
    return error;
}

int modules_run(struct gb *gb) {
    struct driver *drivers = calloc(DRIVER_MAX, sizeof(*drivers));
    struct json j = {.to = stdout};
    uint32_t count = 0;
    int error = drivers ? GB_OK : gb_fail(gb, GB_FAILED, "out of memory");

    if (!error && gb->opt.driver_domain)
        error = driver_find(gb, gb->opt.driver_domain, &drivers[count++]);
    else if (!error)
        count = driver_list(gb, drivers, DRIVER_MAX);
    if (!error && gb->opt.json)
        json_open(&j, NULL, '[');
    if (!error)
        error = list_all(gb, &j, drivers, count);
    if (!error && gb->opt.json) {
        json_close(&j, ']');
        json_end(&j);
    }
    free(drivers);
    return error;
}

/* --- unload ------------------------------------------------------------------------------------------------------ */

int unload_run(struct gb *gb) {
    static struct words words;
    struct driver driver;
    const char *title = gb->opt.operand[0];
    int error = module_title_check(gb, "unload", title);

    if (!error && !strchr(title, '@'))
        error = gb_fail(gb, GB_USAGE, "unload %s: needs NAME@VERSION", title);
    if (!error)
        error = driver_only(gb, &driver);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = request(gb, &driver, &words, "unload %s", title);
    request_end(gb);
    return error;
}
