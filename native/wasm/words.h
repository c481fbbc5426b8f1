/* SPDX-License-Identifier: MIT */
/* A sentence about something that was refused: bounded, printable, cut where it is full. */
#ifndef GLOVEBOX_WORDS_H
#define GLOVEBOX_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim_limits.h"

struct words {
    uint32_t length;
    char text[REFUSAL_BYTES_MAX];
};

void words_put(struct words *words, const char *text);
/* At most `len` bytes that somebody else chose, up to a NUL: what is not printable becomes '?'. */
void words_quote(struct words *words, const uint8_t *bytes, uint32_t len);
void words_number(struct words *words, uint64_t value);
void words_hex(struct words *words, uint64_t value);

/* Adds "what" and answers false, so that a check can end with it; the second also "value, limit". */
bool words_refuse(struct words *words, const char *what);
bool words_refuse_value(struct words *words, const char *what, uint64_t value, uint64_t limit);

#endif
