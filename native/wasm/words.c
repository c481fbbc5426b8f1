/* SPDX-License-Identifier: MIT */
#include "words.h"

static void put_byte(struct words *words, char byte) {
    if (words->length < sizeof(words->text))
        words->text[words->length++] = byte;
}

void words_put(struct words *words, const char *text) {
    while (*text)
        put_byte(words, *text++);
}

void words_quote(struct words *words, const uint8_t *bytes, uint32_t len) {
    for (uint32_t i = 0; i < len && bytes[i]; i++)
        put_byte(words, bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '?');
}

void words_number(struct words *words, uint64_t value) {
    char digits[20];
    uint32_t count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    while (count)
        put_byte(words, digits[--count]);
}

void words_hex(struct words *words, uint64_t value) {
    int shift = 60;
    words_put(words, "0x");
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put_byte(words, "0123456789abcdef"[value >> shift & 15]);
}

bool words_refuse(struct words *words, const char *what) {
    words_put(words, what);
    return false;
}

bool words_refuse_value(struct words *words, const char *what, uint64_t value, uint64_t limit) {
    words_put(words, what);
    words_put(words, " ");
    words_number(words, value);
    words_put(words, ", limit ");
    words_number(words, limit);
    return false;
}
