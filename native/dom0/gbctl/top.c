// SPDX-License-Identifier: MIT
/*
 * top: samples all vGPUs again and again and shows what happened in between. On a terminal it draws over what it drew
 * before, elsewhere it writes a block each time. Ctrl-C ends it between two steps, and the terminal is as it was.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "top.h"

#define NS_PER_MS 1000000ull

/* Columns of the terminal; 0: it is none, or nobody watches. */
static uint32_t terminal_columns(const struct gb *gb) {
    struct winsize size;

    if (gb->opt.json || gb->opt.count == 1 || !isatty(STDOUT_FILENO))
        return 0;
    return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

/* False: interrupted. */
static bool wait_until(uint64_t time_ns) {
    while (!signals_seen()) {
        int left = clock_left_ms(time_ns);

        if (!left)
            return true;
        poll(NULL, 0, left);
    }
    return false;
}

static int sample(struct gb *gb, struct top_sample *out) {
    gb->deadline_ns = clock_ns() + gb->opt.timeout_s * 1000 * NS_PER_MS; /* of this sample alone */
    return top_sample(gb, out);
}

static void show(const struct gb *gb, const struct top_sample *old, const struct top_sample *now, uint32_t columns) {
    if (columns)
        fputs("\x1b[H", stdout);
    top_print(gb, old, now, columns);
    if (columns)
        fputs("\x1b[J", stdout);
    else if (!gb->opt.json && gb->opt.count != 1)
        putchar('\n');
    fflush(stdout);
}

/* samples[0] is taken; the two take turns. */
static int watch(struct gb *gb, struct top_sample *samples, uint32_t columns) {
    uint64_t next = clock_ns();

    for (uint32_t shown = 0; !gb->opt.count || shown < gb->opt.count; shown++) {
        struct top_sample *old = &samples[shown % 2], *now = &samples[(shown + 1) % 2];
        int error;

        next += gb->opt.interval_ms * NS_PER_MS;
        if (next < clock_ns())
            next = clock_ns(); /* a sample took longer than the interval: no hurry afterwards */
        if (!wait_until(next))
            return GB_OK;
        error = sample(gb, now);
        if (error)
            return signals_seen() ? GB_OK : error;
        show(gb, old, now, columns);
        if (ferror(stdout))
            return GB_OK; /* whoever read it has gone; main() says so */
    }
    return GB_OK;
}

int top_run(struct gb *gb) {
    struct top_sample *samples = calloc(2, sizeof(*samples));
    uint32_t columns = terminal_columns(gb);
    int error = samples ? sample(gb, &samples[0]) : gb_fail(gb, GB_FAILED, "out of memory");

    if (!error && !samples[0].drivers)
        error = gb_fail(gb, GB_NOT_FOUND, "no driver domain is ready");
    if (!error && columns)
        fputs("\x1b[?25l\x1b[2J", stdout); /* no cursor, an empty screen */
    if (!error)
        error = watch(gb, samples, columns);
    if (columns)
        fputs("\x1b[?25h", stdout);
    free(samples);
    return error;
}
