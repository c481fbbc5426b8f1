// SPDX-License-Identifier: MIT
/*
 * `key=value` words with one space between, as specifications, module nodes and replies carry them. A value in
 * double quotes may hold spaces. A word without `=` gets an empty value. What does not fit WORDS_MAX is dropped: the
 * honest side never sends so many.
 */
#include <string.h>

#include "gbctl.h"

bool parse_u64(const char *text, uint64_t max, uint64_t *out) {
    uint64_t value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        uint64_t digit = (uint64_t)(*text - '0');

        if (*text < '0' || *text > '9' || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

bool parse_mode(const char *text, size_t length, uint64_t *width, uint64_t *height) {
    char copy[16];
    char *cross;

    if (length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    cross = strchr(copy, 'x');
    if (!cross)
        return false;
    *cross = '\0';
    return parse_u64(copy, PICTURE_SIDE_MAX, width) && parse_u64(cross + 1, PICTURE_SIDE_MAX, height) && *width &&
           *height;
}

void words_parse(struct words *w, const char *text) {
    char *at;

    w->count = 0;
    snprintf(w->text, sizeof(w->text), "%s", text);
    at = w->text;
    while (w->count < WORDS_MAX) {
        struct word *word = &w->word[w->count];
        char *equals;

        at += strspn(at, " ");
        if (!*at)
            return;
        word->key = at;
        at += strcspn(at, " =");
        equals = *at == '=' ? at++ : NULL;
        word->value = equals ? at : "";
        if (equals && *at == '"') {
            word->value = ++at;
            at += strcspn(at, "\"");
        } else {
            at += strcspn(at, " ");
        }
        if (*at)
            *at++ = '\0';
        if (equals)
            *equals = '\0';
        w->count++;
    }
}

const char *words_get(const struct words *w, const char *key) {
    for (uint32_t i = 0; i < w->count; i++) {
        if (!strcmp(w->word[i].key, key))
            return w->word[i].value;
    }
    return NULL;
}

bool words_u64(const struct words *w, const char *key, uint64_t max, uint64_t *out) {
    const char *value = words_get(w, key);

    return value && parse_u64(value, max, out);
}

bool words_s32(const struct words *w, const char *key, int32_t *out) {
    const char *text = words_get(w, key);
    bool negative = text && *text == '-';
    uint64_t value;

    if (!text || !parse_u64(text + negative, negative ? 1ull << 31 : INT32_MAX, &value))
        return false;
    *out = (int32_t)(negative ? -(int64_t)value : (int64_t)value);
    return true;
}
