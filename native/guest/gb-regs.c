// SPDX-License-Identifier: MIT
/*
 * gb-regs [-t] DEVICE BAR|config read|write OFFSET SIZE [VALUE]: one access of exactly that size, printed as
 * `REGS 0x...`. gb-regs - reads such lines from standard input, each answered by one line, for scripts that do many.
 * With -t first: after the value, how many nanoseconds an access to a BAR took.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pci.h"

#define WORDS_MAX 8

static const char *number(const char *text, uint64_t *out) {
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    return errno || end == text || *end ? "a number must be decimal or 0x..." : NULL;
}

static bool timed;
static uint64_t took_ns;

static uint64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const char *use_bar(const char *name, uint64_t index, bool write, uint64_t offset, uint64_t size,
                           uint64_t *value) {
    static char open_name[64];
    static struct pci_bar bars[PCI_BARS];
    const char *error = NULL;

    if (index >= PCI_BARS)
        return "a BAR's number is 0 to 5";
    /* Maps are kept: a script that works on another device opens anew. */
    if (strcmp(open_name, name)) {
        memset(bars, 0, sizeof(bars));
        snprintf(open_name, sizeof(open_name), "%s", name);
        error = pci_enable(name);
    }
    if (!error && !bars[index].size)
        error = pci_open_bar(name, (uint32_t)index, &bars[index]);
    if (error)
        return error;
    if (size > bars[index].size || offset > bars[index].size - size)
        return "the access ends beyond the BAR";
    if (bars[index].is_io && size == 8)
        return "ports have 1, 2 or 4 bytes";
    took_ns = now_ns();
    if (write)
        bar_write(&bars[index], offset, (uint32_t)size, *value);
    else
        *value = bar_read(&bars[index], offset, (uint32_t)size);
    took_ns = now_ns() - took_ns;
    return NULL;
}

static const char *use_config(const char *name, bool write, uint64_t offset, uint64_t size, uint64_t *value) {
    uint32_t small = (uint32_t)*value;
    const char *error;

    if (size == 8 || offset > 4096)
        return "configuration space takes 1, 2 or 4 bytes at 0 to 4095";
    error = pci_config(name, write, (uint32_t)offset, (uint32_t)size, &small);
    *value = small;
    return error;
}

static const char *access_once(int count, char **word, uint64_t *value) {
    uint64_t offset, size, index = 0;
    bool write, config;
    char name[64];
    const char *error;

    if (count < 5 || count > 6)
        return "usage: gb-regs [-t] DEVICE BAR|config read|write OFFSET SIZE [VALUE]";
    write = !strcmp(word[2], "write");
    config = !strcmp(word[1], "config");
    *value = 0;
    if (write != (count == 6) || (!write && strcmp(word[2], "read")))
        return "say read, or write and a value";
    error = pci_find(word[0], name, sizeof(name));
    if (!error && !config)
        error = number(word[1], &index);
    if (!error)
        error = number(word[3], &offset);
    if (!error)
        error = number(word[4], &size);
    if (!error && write)
        error = number(word[5], value);
    if (!error && size != 1 && size != 2 && size != 4 && size != 8)
        error = "a size is 1, 2, 4 or 8";
    if (error)
        return error;
    return config ? use_config(name, write, offset, size, value) : use_bar(name, index, write, offset, size, value);
}

static int run(int count, char **word) {
    uint64_t value;
    const char *error = access_once(count, word, &value);

    if (error)
        printf("REGS failed: %s\n", error);
    else if (timed)
        printf("REGS 0x%llx %llu\n", (unsigned long long)value, (unsigned long long)took_ns);
    else
        printf("REGS 0x%llx\n", (unsigned long long)value);
    return error ? 1 : 0;
}

static int run_lines(void) {
    char line[256];
    int failed = 0;

    while (fgets(line, sizeof(line), stdin)) {
        char *word[WORDS_MAX], *rest = line, *found;
        int count = 0;

        while (count < WORDS_MAX && (found = strtok_r(rest, " \t\r\n", &rest)))
            word[count++] = found;
        if (count)
            failed |= run(count, word);
    }
    return failed;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    timed = argc > 1 && !strcmp(argv[1], "-t");
    argc -= timed;
    argv += timed;
    if (argc == 2 && !strcmp(argv[1], "-"))
        return run_lines();
    return run(argc - 1, argv + 1);
}
