/* SPDX-License-Identifier: MIT */
/*
 * gbctl's readers of what a driver domain wrote (native/dom0/gbctl: words.c, request.c, json.c, text.c): replies and
 * nodes, and that nothing of them reaches a terminal or a JSON reader but printable ASCII.
 */
#include "request.c"

#include "parser.h"

/* --- what request.c asks of others: never asked here --- */

int lock_take(struct gb *gb) {
    (void)gb;
    abort();
}

void lock_give(struct gb *gb) {
    (void)gb;
    abort();
}

bool store_read(struct gb *gb, char *out, size_t size, const char *format, ...) {
    (void)gb, (void)out, (void)size, (void)format;
    abort();
}

int store_write(struct gb *gb, const char *value, const char *format, ...) {
    (void)gb, (void)value, (void)format;
    abort();
}

int store_wait(struct gb *gb, const char *path, int (*check)(struct gb *gb, void *arg), void *arg) {
    (void)gb, (void)path, (void)check, (void)arg;
    abort();
}

int domain_life(struct gb *gb, uint32_t domid, struct domain_life *out) {
    (void)gb, (void)domid, (void)out;
    abort();
}

/* --- the target --- */

static void want_inside(const struct words *words, const char *text) {
    WANT(!*text || (text >= words->text && text < words->text + sizeof(words->text)));
}

static void look(const struct words *words, struct json *json) {
    WANT(words->count <= WORDS_MAX);
    for (uint32_t i = 0; i < words->count; i++) {
        const struct word *word = &words->word[i];
        uint64_t number;

        want_inside(words, word->key);
        want_inside(words, word->value);
        WANT(!strpbrk(word->key, " ="));
        if (words_u64(words, word->key, 1000, &number))
            WANT(number <= 1000);
        json_value(json, word->key, word->value);
        text_print(json->to, word->value);
    }
}

static void want_printable(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        WANT((text[i] >= 0x20 && text[i] < 0x7f) || text[i] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static struct gb gb;
    static struct words words;
    static struct driver driver = {.domid = 3, .name = "glovebox"};
    char *text, *printed = 0;
    size_t printed_bytes = 0;
    struct json json = {.to = open_memstream(&printed, &printed_bytes)};

    if (length > STORE_VALUE_MAX)
        length = STORE_VALUE_MAX;
    text = malloc(length + 1);
    WANT(text && json.to);
    memcpy(text, bytes, length);
    text[length] = 0;
    words_parse(&words, text);
    json_open(&json, 0, '{');
    look(&words, &json);
    if (read_answer(&gb, &driver, "stat", text, &words) == GB_OK)
        look(&words, &json);
    else
        text_print(json.to, gb.error);
    (void)head_number(text);
    json_close(&json, '}');
    json_end(&json);
    fclose(json.to);
    want_printable(printed, printed_bytes);
    free(printed);
    free(text);
    return 0;
}
