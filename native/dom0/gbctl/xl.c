// SPDX-License-Identifier: MIT
/*
 * Running xl: domains are made and destroyed by the toolstack itself, so that consoles, locks and its own records
 * are right. What it says goes into a file without a name (xl leaves a daemon behind that would keep a pipe open),
 * and into the error when xl fails.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gbctl.h"

/*
 * An xl that is ended while it makes a domain leaves one without a name, which nobody finds again. So it is given this
 * long to come to its end by itself when our own time is up; what it made is then known and can be destroyed.
 */
#ifndef XL_GRACE_MS
#define XL_GRACE_MS 60000
#endif
/* It ends on SIGTERM at once; this long until SIGKILL. */
#define TERM_GRACE_MS 2000
#define CHATTER "got a tsc mode string:"

static int spawn_xl(const char *const argv[], int output, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    /* A group of its own: Ctrl-C is ours to handle, xl must not die between two steps. */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    error = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* False when it does not. */
static bool ends_late(struct pollfd *fd) {
    uint64_t deadline_ns = clock_ns() + XL_GRACE_MS * UINT64_C(1000000);
    int done;

    do
        done = poll(fd, 1, clock_left_ms(deadline_ns));
    while (done < 0 && errno == EINTR);
    return done > 0;
}

/* 0 when it ended in time. The child is reaped in any case. */
static int wait_child(struct gb *gb, pid_t pid, int *status) {
    struct pollfd fd = {.fd = pidfd_open(pid, 0), .events = POLLIN};
    int answer = 0;
    int done = 0;

    while (fd.fd >= 0 && done <= 0 && !answer) {
        done = poll(&fd, 1, clock_left_ms(gb->deadline_ns));
        if (done == 0)
            answer = GB_TIMED_OUT;
        else if (done < 0 && errno != EINTR)
            answer = GB_FAILED;
    }
    if (answer && !(answer == GB_TIMED_OUT && ends_late(&fd))) {
        kill(pid, SIGTERM);
        if (poll(&fd, 1, TERM_GRACE_MS) <= 0)
            kill(pid, SIGKILL);
    }
    if (fd.fd >= 0)
        close(fd.fd);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    return answer;
}

/* The first lines of what it said (libxl names the cause first), on one line. */
static void read_words(int output, char *out, size_t size) {
    ssize_t got = pread(output, out, size - 1, 0);
    char *end;

    out[got > 0 ? got : 0] = '\0';
    /* xl says this of every configuration with a tsc_mode; it is no fault. */
    if (!strncmp(out, CHATTER, strlen(CHATTER)) && (end = strchr(out, '\n')))
        memmove(out, end + 1, strlen(end + 1) + 1);
    for (char *at = out; *at; at++) {
        if (*at == '\n')
            *at = at[1] ? ';' : '\0';
    }
}

int xl_run(struct gb *gb, const char *const argv[]) {
    char said[400];
    int output = memfd_create("xl", MFD_CLOEXEC);
    int status = 0;
    pid_t pid;
    int error;

    if (output < 0)
        return gb_fail(gb, GB_FAILED, "memfd_create: %s", strerror(errno));
    error = spawn_xl(argv, output, &pid);
    if (error) {
        close(output);
        return gb_fail(gb, GB_FAILED, "cannot run %s: %s (Debian package xen-utils)", argv[0], strerror(error));
    }
    error = wait_child(gb, pid, &status);
    read_words(output, said, sizeof(said));
    close(output);
    if (error == GB_TIMED_OUT)
        return gb_fail(gb, error, "%s %s did not end within %u s%s%s", argv[0], argv[1], gb->opt.timeout_s,
                       said[0] ? ": " : "", said);
    if (error)
        return gb_fail(gb, error, "%s %s: cannot wait for it", argv[0], argv[1]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return GB_OK;
    return gb_fail(gb, GB_FAILED, "%s %s failed (%s %d)%s%s", argv[0], argv[1],
                   WIFEXITED(status) ? "exit code" : "signal",
                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), said[0] ? ": " : "", said);
}
