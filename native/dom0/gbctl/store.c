// SPDX-License-Identifier: MIT
/*
 * xenstore: bounded reads, writes with reasons, and the one wait of gbctl. Values are copied out with a limit and
 * end at the first NUL, whatever a domain wrote.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "gbctl.h"

static bool make_path(char path[STORE_PATH_MAX], const char *format, va_list args) {
    int length = vsnprintf(path, STORE_PATH_MAX, format, args);

    return length > 0 && length < STORE_PATH_MAX;
}

bool store_read(struct gb *gb, char *out, size_t size, const char *format, ...) {
    char path[STORE_PATH_MAX];
    unsigned int length = 0;
    char *value;
    va_list args;
    bool fits;

    out[0] = '\0';
    va_start(args, format);
    fits = make_path(path, format, args);
    va_end(args);
    value = fits ? xs_read(gb->xs, XBT_NULL, path, &length) : NULL;
    if (!value)
        return false;
    if (length >= size)
        length = (unsigned int)size - 1;
    memcpy(out, value, length);
    out[length] = '\0';
    free(value);
    return true;
}

bool store_exists(struct gb *gb, const char *format, ...) {
    char path[STORE_PATH_MAX];
    unsigned int length;
    void *value;
    va_list args;
    bool fits;

    va_start(args, format);
    fits = make_path(path, format, args);
    va_end(args);
    value = fits ? xs_read(gb->xs, XBT_NULL, path, &length) : NULL;
    free(value);
    return value != NULL;
}

int store_write(struct gb *gb, const char *value, const char *format, ...) {
    char path[STORE_PATH_MAX];
    va_list args;
    bool fits;

    va_start(args, format);
    fits = make_path(path, format, args);
    va_end(args);
    if (!fits)
        return gb_fail(gb, GB_FAILED, "xenstore path longer than %d bytes", STORE_PATH_MAX);
    if (!xs_write(gb->xs, XBT_NULL, path, value, (unsigned int)strlen(value)))
        return gb_fail(gb, GB_FAILED, "cannot write xenstore node %s: %s", path, strerror(errno));
    return GB_OK;
}

bool store_remove(struct gb *gb, const char *format, ...) {
    char path[STORE_PATH_MAX];
    va_list args;
    bool fits;

    va_start(args, format);
    fits = make_path(path, format, args);
    va_end(args);
    return fits && xs_rm(gb->xs, XBT_NULL, path);
}

char **store_list(struct gb *gb, uint32_t *count, const char *format, ...) {
    char path[STORE_PATH_MAX];
    unsigned int found = 0;
    char **names;
    va_list args;
    bool fits;

    va_start(args, format);
    fits = make_path(path, format, args);
    va_end(args);
    names = fits ? xs_directory(gb->xs, XBT_NULL, path, &found) : NULL;
    *count = names ? found : 0;
    return names;
}

static void drain(struct gb *gb) {
    char **event;

    while ((event = xs_check_watch(gb->xs)))
        free(event);
}

static int wait_loop(struct gb *gb, int (*check)(struct gb *gb, void *arg), void *arg) {
    struct pollfd fd = {.fd = xs_fileno(gb->xs), .events = POLLIN};

    for (;;) {
        int left = clock_left_ms(gb->deadline_ns);
        int answer;

        if (signals_seen())
            return gb_fail(gb, GB_FAILED, "interrupted");
        answer = check(gb, arg);
        if (answer != STORE_WAIT)
            return answer;
        if (!left)
            return gb_fail(gb, GB_TIMED_OUT, "no answer within %u s", gb->opt.timeout_s);
        if (poll(&fd, 1, left) > 0 && (fd.revents & (POLLHUP | POLLERR | POLLNVAL)))
            return gb_fail(gb, GB_FAILED, "xenstored hung up");
        drain(gb);
    }
}

int store_wait(struct gb *gb, const char *path, int (*check)(struct gb *gb, void *arg), void *arg) {
    int answer;

    if (!xs_watch(gb->xs, path, "node") || !xs_watch(gb->xs, "@releaseDomain", "domains")) {
        answer = gb_fail(gb, GB_FAILED, "cannot watch %s: %s", path, strerror(errno));
    } else {
        answer = wait_loop(gb, check, arg);
    }
    xs_unwatch(gb->xs, path, "node");
    xs_unwatch(gb->xs, "@releaseDomain", "domains");
    drain(gb);
    return answer;
}
