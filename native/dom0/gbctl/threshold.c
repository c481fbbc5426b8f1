// SPDX-License-Identifier: MIT
/*
 * threshold: how often what may happen within the window and what follows, changed while guests run; and what each
 * guest's book says now.
 */
#include <stdlib.h>
#include <string.h>

#include "gbctl.h"

/* The command line's --threshold NAME=N[:ACTION], as a word of the driver domain's command line. The domain knows the
 * names' ranges; here what could break that line, and mistakes of typing. */
static const char *const NAMES[] = {"faults", "interrupt_storms", "resets", "refused", "doorbell_storms",
                                    "engine_timeouts", "window_ms", "storm_ms"};
static const char *const ACTIONS[] = {"warn", "throttle", "quarantine"};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool is_one_of(const char *text, size_t length, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == length && !strncmp(text, list[i], length))
            return true;
    }
    return false;
}

int threshold_check(struct gb *gb, const char *option, const char *text) {
    size_t name = strcspn(text, "=");
    const char *value = text + name + (text[name] == '=');
    size_t digits = strcspn(value, ":");
    char number[16];
    uint64_t unused;

    snprintf(number, sizeof(number), "%.*s", (int)(digits < 15 ? digits : 15), value);
    if (text[name] == '=' && is_one_of(text, name, NAMES, COUNT(NAMES)) && parse_u64(number, THRESHOLD_MAX, &unused) &&
        (!value[digits] || is_one_of(value + digits + 1, strlen(value + digits + 1), ACTIONS, COUNT(ACTIONS))))
        return GB_OK;
    return gb_fail(gb, GB_USAGE,
                   "%s %.60s: must be faults, interrupt_storms, resets, refused, doorbell_storms or engine_timeouts, = "
                   "and a number from 0 to %d, maybe :warn, :throttle or :quarantine; or window_ms or storm_ms, = and "
                   "a number",
                   option, text, THRESHOLD_MAX);
}

static int join(struct gb *gb, char *line, size_t size) {
    size_t used = 0;
    int error = GB_OK;

    line[0] = '\0';
    for (uint32_t i = 0; i < gb->opt.operand_count && !error; i++) {
        error = threshold_check(gb, "threshold", gb->opt.operand[i]);
        if (!error)
            used += (size_t)snprintf(line + used, size - used, " %s", gb->opt.operand[i]);
        if (used >= size)
            return gb_fail(gb, GB_USAGE, "too many words for one request, from \"%s\" on", gb->opt.operand[i]);
    }
    return error;
}

/* --- books ------------------------------------------------------------------------------------------------------- */

struct book {
    struct domain guest;
    struct words words;
};

/* Books of the guests that have vGPUs; who goes meanwhile is left out. */
static int read_books(struct gb *gb, const struct driver *driver, struct book *books, uint32_t max, uint32_t *count) {
    uint32_t found;
    char **ids = store_list(gb, &found, "/local/domain/%u/data/glovebox/vgpu", driver->domid);
    int error = GB_OK;

    *count = 0;
    for (uint32_t i = 0; i < found && *count < max && !error; i++) {
        struct book *book = &books[*count];
        uint64_t domid;

        if (!parse_u64(ids[i], UINT16_MAX, &domid))
            continue;
        domain_describe(gb, (uint32_t)domid, &book->guest);
        error = request(gb, driver, &book->words, "book %u", (uint32_t)domid);
        *count += !error;
    }
    free(ids);
    return error;
}

static const char *word_of(const struct book *book, const char *key) {
    const char *value = words_get(&book->words, key);

    return value ? value : "-";
}

static void print_text(const struct words *table, const struct book *books, uint32_t count) {
    printf("%-18s %-20s", "threshold", "limit:action");
    for (uint32_t i = 0; i < count; i++)
        printf("  %s", books[i].guest.name);
    putchar('\n');
    for (uint32_t i = 0; i < table->count; i++) {
        const struct word *row = &table->word[i];

        text_print(stdout, row->key);
        printf("%*s", (int)(strlen(row->key) < 18 ? 19 - strlen(row->key) : 1), "");
        text_print(stdout, row->value);
        printf("%*s", (int)(strlen(row->value) < 20 ? 20 - strlen(row->value) : 0), "");
        for (uint32_t k = 0; k < count && strchr(row->value, ':'); k++) {
            fputs("  ", stdout);
            text_print(stdout, word_of(&books[k], row->key));
            printf("%*s", (int)strlen(books[k].guest.name) - (int)strlen(word_of(&books[k], row->key)), "");
        }
        putchar('\n');
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!strcmp(word_of(&books[i], "state"), "none"))
            continue;
        printf("guest %u (%s): ", books[i].guest.domid, books[i].guest.name);
        text_print(stdout, word_of(&books[i], "state"));
        fputs(": ", stdout);
        text_print(stdout, word_of(&books[i], "why"));
        putchar('\n');
    }
}

static void print_json(const struct words *table, const struct book *books, uint32_t count) {
    struct json j = {.to = stdout};

    json_open(&j, NULL, '{');
    json_open(&j, "thresholds", '{');
    for (uint32_t i = 0; i < table->count; i++)
        json_value(&j, table->word[i].key, table->word[i].value);
    json_close(&j, '}');
    json_open(&j, "guests", '[');
    for (uint32_t i = 0; i < count; i++) {
        json_open(&j, NULL, '{');
        json_string(&j, "name", books[i].guest.name);
        json_number(&j, "domid", books[i].guest.domid);
        for (uint32_t k = 0; k < books[i].words.count; k++)
            json_value(&j, books[i].words.word[k].key, books[i].words.word[k].value);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

int threshold_run(struct gb *gb) {
    static struct words table;
    struct book *books = calloc(GUESTS_MAX, sizeof(*books));
    struct driver driver;
    char line[SET_WORDS_BYTES];
    uint32_t count = 0;
    int error = books ? join(gb, line, sizeof(line)) : gb_fail(gb, GB_FAILED, "out of memory");

    if (!error)
        error = driver_only(gb, &driver);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = request(gb, &driver, &table, "threshold%s", line);
    if (!error)
        error = read_books(gb, &driver, books, GUESTS_MAX, &count);
    request_end(gb);
    if (!error && gb->opt.json)
        print_json(&table, books, count);
    else if (!error)
        print_text(&table, books, count);
    free(books);
    return error;
}
