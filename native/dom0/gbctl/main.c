// SPDX-License-Identifier: MIT
/* gbctl: find the verb, read the options, open what it needs, run it, say what went wrong. */
#include <string.h>

#include "gbctl.h"

#define NS_PER_S 1000000000ull

static int report(const struct gb *gb, int code) {
    struct json j = {.to = stdout};

    if (!code)
        return code;
    fputs("gbctl: ", stderr);
    text_print(stderr, gb->error[0] ? gb->error : "failed");
    fputc('\n', stderr);
    if (gb->opt.json && !gb->reported) {
        json_open(&j, NULL, '{');
        json_string(&j, "error", gb->error);
        json_number(&j, "code", (uint64_t)code);
        json_close(&j, '}');
        json_end(&j);
    }
    return code;
}

static int run(struct gb *gb, int argc, char **argv) {
    int error;

    gb->opt.verb = verb_find(argv[1]);
    if (!gb->opt.verb)
        return gb_fail(gb, GB_USAGE, "unknown verb \"%s\" (\"gbctl --help\" lists them)", argv[1]);
    error = options_parse(gb, argc - 1, argv + 1);
    if (error)
        return error;
    if (gb->opt.help) {
        help_print_verb(gb->opt.verb);
        return GB_OK;
    }
    gb->deadline_ns = clock_ns() + gb->opt.timeout_s * NS_PER_S;
    error = connect_all(gb, gb->opt.verb->needs);
    if (!error)
        error = gb->opt.verb->run(gb);
    disconnect_all(gb);
    if (!error && (fflush(stdout) || ferror(stdout)))
        return gb_fail(gb, GB_FAILED, "cannot write to standard output");
    return error;
}

int main(int argc, char **argv) {
    static struct gb gb = {.lock_fd = -1};

    if (argc < 2) {
        help_print(stderr);
        return GB_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help_print(stdout);
        return GB_OK;
    }
    signals_catch();
    return report(&gb, run(&gb, argc, argv));
}
