// SPDX-License-Identifier: MIT
/*
 * A writer of one JSON document. It knows only where commas go; the callers open and close in pairs. Bytes beyond
 * printable ASCII leave as \u00NN, so the output is valid whatever a driver domain wrote.
 */
#include <string.h>

#include "gbctl.h"

static void write_text(FILE *to, const char *text) {
    fputc('"', to);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at == '"' || *at == '\\')
            fprintf(to, "\\%c", *at);
        else if (*at >= 0x20 && *at < 0x7f)
            fputc(*at, to);
        else
            fprintf(to, "\\u%04x", *at);
    }
    fputc('"', to);
}

static void lead(struct json *j, const char *key) {
    if (j->comma)
        fputc(',', j->to);
    j->comma = true;
    if (key) {
        write_text(j->to, key);
        fputc(':', j->to);
    }
}

void json_open(struct json *j, const char *key, char bracket) {
    lead(j, key);
    fputc(bracket, j->to);
    j->comma = false;
}

void json_close(struct json *j, char bracket) {
    fputc(bracket, j->to);
    j->comma = true;
}

void json_string(struct json *j, const char *key, const char *text) {
    lead(j, key);
    write_text(j->to, text);
}

void json_number(struct json *j, const char *key, uint64_t value) {
    lead(j, key);
    fprintf(j->to, "%llu", (unsigned long long)value);
}

void json_signed(struct json *j, const char *key, int32_t value) {
    lead(j, key);
    fprintf(j->to, "%d", value);
}

void json_bool(struct json *j, const char *key, bool value) {
    lead(j, key);
    fputs(value ? "true" : "false", j->to);
}

void json_null(struct json *j, const char *key) {
    lead(j, key);
    fputs("null", j->to);
}

void json_value(struct json *j, const char *key, const char *text) {
    uint64_t number;

    /* Beyond 2^53 a JSON reader may round; such a value stays a string. Leading zeros are no JSON number. */
    if (parse_u64(text, (1ull << 53) - 1, &number) && (text[0] != '0' || !text[1]))
        json_number(j, key, number);
    else
        json_string(j, key, text);
}

void json_end(struct json *j) {
    fputc('\n', j->to);
    fflush(j->to);
}
