/* SPDX-License-Identifier: MIT */
/*
 * Runs the scenarios, each in a process of its own. Then the whole life once for every hypercall that it makes, with
 * that one failing in several ways: it must end with nothing held, or in a panic where Xen cannot fail unless we are
 * wrong. The same with the hypercalls of a restart.
 *
 *   shim_test [BEGIN]    everything, or what is named so or begins so; one line each, exit code 1 when one fails
 */
#include <stdio.h>
#include <string.h>

#include "fake/child.h"
#include "scenario.h"

static uint32_t passed, failed;
static const char *wanted = "";

static bool is_wanted(const char *name) {
    return !strncmp(name, wanted, strlen(wanted));
}

static void verdict(bool good, const char *name, const char *output) {
    good ? passed++ : failed++;
    printf("%s %s\n%s", good ? "ok  " : "FAIL", name, good ? "" : output);
}

static void run_list(const struct scenario *list) {
    static char output[65536];
    for (; list->name; list++) {
        if (!is_wanted(list->name))
            continue;
        int code = child_run(list->run, 0, 0, output, sizeof(output));
        bool panicked = code == FAKE_PANIC_EXIT && strstr(output, "glovebox: panic: ");
        bool faulted = code > 0 && strstr(output, "SEGV");
        bool good = list->faults ? faulted : list->panics ? panicked : code == 0;
        verdict(good, list->name, output);
    }
}

/* A life with fewer than `least` hypercalls is none. */
static void run_failures(void (*life)(void), uint32_t least, long answer, const char *name) {
    static char output[65536];
    unsigned long long total = 0;
    uint32_t clean = 0, panics = 0;
    if (!is_wanted(name))
        return;
    bool good = child_run(life, 0, 0, output, sizeof(output)) == 0 &&
                sscanf(output, "HYPERCALLS %llu", &total) == 1 && total >= least;
    for (uint64_t nth = 1; nth <= total && good; nth++) {
        int code = child_run(life, nth, answer, output, sizeof(output));
        clean += code == 0;
        panics += code == FAKE_PANIC_EXIT;
        good = code == 0 || (code == FAKE_PANIC_EXIT && child_panic_is_due(output));
        if (!good)
            printf("with hypercall %llu failing, exit code %d:\n", (unsigned long long)nth, code);
    }
    verdict(good, name, output);
    printf("     %llu hypercalls: %u failures left nothing behind, %u ended in a panic that is due\n", total, clean,
           panics);
}

int main(int argc, char **argv) {
    if (argc > 1)
        wanted = argv[1];
    run_list(service_scenarios);
    run_list(guest_scenarios);
    run_list(page_scenarios);
    run_list(xenstore_scenarios);
    run_list(module_scenarios);
    run_list(restart_scenarios);
    run_failures(scenario_whole_life, 50, -XEN_EINVAL, "every hypercall fails once: EINVAL");
    run_failures(scenario_whole_life, 50, -XEN_EPERM, "every hypercall fails once: EPERM");
    run_failures(scenario_whole_life, 50, -XEN_ENOMEM, "every hypercall fails once: ENOMEM");
    run_failures(scenario_restart_life, 8, -XEN_EINVAL, "every hypercall of a restart fails once: EINVAL");
    run_failures(scenario_restart_life, 8, -XEN_ENOMEM, "every hypercall of a restart fails once: ENOMEM");
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
