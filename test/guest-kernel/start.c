/* SPDX-License-Identifier: MIT */
/* The order of things: Xen, processor, console; the command line's commands, then the console's, until `end`. */
#include "kernel.h"

#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>

#define LINE_BYTES 256

void *memcpy(void *to, const void *from, size_t n) {
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return start;
}

void *memset(void *to, int value, size_t n) {
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

size_t strlen(const char *text) {
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

/* Commands of the command line stand between semicolons. */
static void run_command_line(const char *text) {
    char line[LINE_BYTES];
    while (*text) {
        size_t n = 0;
        for (; *text && *text != ';'; text++) {
            if (n < sizeof(line) - 1)
                line[n++] = *text;
        }
        text += *text == ';';
        line[n] = '\0';
        command_run(line);
    }
}

_Noreturn void kernel_start(const struct hvm_start_info *info) {
    char line[LINE_BYTES];
    xen_start();
    cpu_start();
    console_start();
    say("KERNEL up\n");
    if (info->cmdline_paddr)
        run_command_line((const char *)(uintptr_t)info->cmdline_paddr);
    for (;;) {
        console_line(line, sizeof(line));
        command_run(line);
    }
}
