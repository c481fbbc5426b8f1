// SPDX-License-Identifier: MIT
/*
 * await-line [-n COUNT] FILE PATTERN SECONDS: until COUNT lines of FILE, 1 when it is not said, match the extended
 * regular expression; the last one of these is printed. For scripts that wait for what a guest's log will say: in an
 * emulated machine a loop around grep takes a third of the processor from the guest, and this sleeps until somebody
 * writes (inotify). FILE need not exist yet, and may be replaced by another one of that name, which is read from its
 * beginning and counted anew. A line counts when it has ended; carriage returns at its end are left out.
 *
 * Exit codes: 0; 1 the time is over; 2 wrong words or no folder of that name, told on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 4096 /* the rest of a longer one is not looked at */
#define USAGE "usage: await-line [-n COUNT] FILE PATTERN SECONDS\n"

static const char *path;
static regex_t pattern;
static uint32_t wanted = 1;

static struct {
    int file; /* -1: it is not there */
    ino_t inode;
    off_t read;
    uint32_t found;
    char line[LINE_BYTES];
    size_t length;
} at = {.file = -1};

static int64_t now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether it is the line that was waited for. */
static bool ends_here(void) {
    while (at.length && at.line[at.length - 1] == '\r')
        at.length--;
    at.line[at.length] = '\0';
    at.length = 0;
    return !regexec(&pattern, at.line, 0, NULL, 0) && ++at.found == wanted;
}

/* The file of that name, which may be another one than the last time, or a shorter one. */
static void look(void) {
    struct stat seen;

    if (stat(path, &seen))
        return;
    if (at.file >= 0 && seen.st_ino == at.inode && seen.st_size >= at.read)
        return;
    if (at.file >= 0)
        close(at.file);
    at.file = open(path, O_RDONLY | O_CLOEXEC);
    at.inode = seen.st_ino;
    at.read = 0;
    at.found = 0;
    at.length = 0;
}

static bool read_on(void) {
    char bytes[LINE_BYTES];
    ssize_t got;

    look();
    while (at.file >= 0 && (got = read(at.file, bytes, sizeof(bytes))) > 0) {
        at.read += got;
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] == '\n') {
                if (ends_here())
                    return true;
            } else if (at.length < LINE_BYTES - 1) {
                at.line[at.length++] = bytes[i];
            }
        }
    }
    return false;
}

/* Asleep until something happens in the folder; false: the time is over. */
static bool wait_in(int folder, int64_t end_ms) {
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    struct pollfd ready = {.fd = folder, .events = POLLIN};
    int64_t left = end_ms - now_ms();

    if (left <= 0 || poll(&ready, 1, (int)left) == 0)
        return false;
    (void)!read(folder, events, sizeof(events)); /* what it was does not matter */
    return true;
}

static int watch_folder(void) {
    char *copy = strdup(path);
    int folder = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (!copy || folder < 0 || inotify_add_watch(folder, dirname(copy), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
        fprintf(stderr, "await-line: cannot watch the folder of %s: %s\n", path, strerror(errno));
        exit(2);
    }
    free(copy);
    return folder;
}

static long number(const char *text, long most) {
    char *end;
    long value = strtol(text, &end, 10);

    if (*end || end == text || value < 0 || value > most) {
        fprintf(stderr, "await-line: \"%s\" is no number from 0 to %ld\n", text, most);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv) {
    int folder;
    int64_t end_ms;

    if (argc > 2 && !strcmp(argv[1], "-n")) {
        wanted = (uint32_t)number(argv[2], INT32_MAX);
        argc -= 2;
        argv += 2;
    }
    if (argc != 4 || !wanted || regcomp(&pattern, argv[2], REG_EXTENDED | REG_NOSUB)) {
        fputs(USAGE, stderr);
        return 2;
    }
    path = argv[1];
    end_ms = now_ms() + number(argv[3], INT32_MAX / 1000) * 1000;
    folder = watch_folder(); /* before the first look: nothing is missed */
    while (!read_on()) {
        if (!wait_in(folder, end_ms))
            return 1;
    }
    puts(at.line);
    return 0;
}
