// SPDX-License-Identifier: MIT
/*
 * Errors, progress, and untrusted text. A driver domain can put any byte into its nodes: only printable ASCII goes
 * to a terminal as it is, everything else as \xNN, so no escape sequence reaches the operator.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "gbctl.h"

int gb_fail(struct gb *gb, int code, const char *format, ...) {
    va_list args;

    va_start(args, format);
    vsnprintf(gb->error, sizeof(gb->error), format, args);
    va_end(args);
    return code;
}

int gb_because(struct gb *gb, int code, const char *format, ...) {
    char reason[sizeof(gb->error)];
    va_list args;
    size_t used;

    memcpy(reason, gb->error, sizeof(reason));
    va_start(args, format);
    vsnprintf(gb->error, sizeof(gb->error), format, args);
    va_end(args);
    used = strlen(gb->error);
    snprintf(gb->error + used, sizeof(gb->error) - used, ": %s", reason);
    return code;
}

void text_print(FILE *to, const char *text) {
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at >= 0x20 && *at < 0x7f)
            fputc(*at, to);
        else
            fprintf(to, "\\x%02x", *at);
    }
}

void progress(const char *format, ...) {
    va_list args;

    if (!isatty(STDERR_FILENO))
        return;
    va_start(args, format);
    fputs("gbctl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}
