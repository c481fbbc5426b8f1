// SPDX-License-Identifier: MIT
/*
 * xl_run() by itself, with whatever program of that name comes first in PATH: `xl_main MILLISECONDS` runs "xl create"
 * with so much time and tells what it answered.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "gbctl.h"

int gb_fail(struct gb *gb, int code, const char *format, ...) {
    va_list arguments;

    (void)gb;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    return code;
}

int main(int argc, char **argv) {
    static struct gb gb;
    const char *const words[] = {"xl", "create", "-q", "demo.cfg", NULL};

    if (argc != 2)
        return 2;
    gb.opt.timeout_s = 1;
    gb.deadline_ns = clock_ns() + strtoull(argv[1], NULL, 10) * UINT64_C(1000000);
    return xl_run(&gb, words);
}
