// SPDX-License-Identifier: MIT
/*
 * Deadlines and interruption. Ctrl-C only sets a flag: every wait looks at it, so a half-done create is undone by
 * the same path as any other failure.
 */
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "gbctl.h"

static volatile sig_atomic_t signal_seen;

static void on_signal(int number) {
    signal_seen = number;
}

void signals_catch(void) {
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal; /* without SA_RESTART: poll() returns at once */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL); /* a file that may not grow: write() says EFBIG, and we say which file */
}

bool signals_seen(void) {
    return signal_seen != 0;
}

void signals_forget(void) {
    signal_seen = 0;
}

uint64_t clock_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* For poll(): rounded up, so that a deadline is never missed by spinning through its last millisecond. */
int clock_left_ms(uint64_t deadline_ns) {
    uint64_t now = clock_ns();
    uint64_t left;

    if (now >= deadline_ns)
        return 0;
    left = (deadline_ns - now + 999999) / 1000000;
    return left > INT_MAX ? INT_MAX : (int)left;
}
