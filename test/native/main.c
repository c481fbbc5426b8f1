/* SPDX-License-Identifier: MIT */
/*
 * Runs the scenarios, each in a process of its own. Then the whole life once for every hypercall that it makes, with
 * that one failing in several ways: it must end with nothing held, or in a panic where Xen cannot fail unless we are
 * wrong.
 *
 *   shim_test            everything; one line each, exit code 1 when one fails
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

static uint32_t passed, failed;

static int in_child(void (*run)(void), uint64_t fail_nth, long answer, char *output, size_t output_bytes) {
    int pipes[2], status;
    size_t got = 0;
    ssize_t count;
    fflush(stdout);
    if (pipe(pipes))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], 1);
        dup2(pipes[1], 2);
        fake_fail_nth(fail_nth, answer);
        run();
        printf("HYPERCALLS %llu (%s)\n", (unsigned long long)fake_hypercalls(), fake_failed_name());
        fflush(stdout);
        _exit(0);
    }
    close(pipes[1]);
    while (got < output_bytes - 1 && (count = read(pipes[0], output + got, output_bytes - 1 - got)) > 0)
        got += (size_t)count;
    output[got] = 0;
    close(pipes[0]);
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static void verdict(bool good, const char *name, const char *output) {
    good ? passed++ : failed++;
    printf("%s %s\n%s", good ? "ok  " : "FAIL", name, good ? "" : output);
}

static void run_list(const struct scenario *list) {
    static char output[65536];
    for (; list->name; list++) {
        int code = in_child(list->run, 0, 0, output, sizeof(output));
        bool good = list->panics ? code == FAKE_PANIC_EXIT && strstr(output, "glovebox: panic: ") : code == 0;
        verdict(good, list->name, output);
    }
}

/*
 * What Xen refuses only to a caller that is wrong: giving our own pages back to us, flushing, closing and raising
 * ports of ours, our own timer, and everything at boot. There a panic is the right answer.
 */
static const char *const may_panic[] = {
    "cannot flush a window",
    "cannot restore a window",
    "cannot close an event port of ours",
    "cannot send on an event port of ours",
    "cannot set the timer",
    "cannot map the shared info page",
    "cannot stop the periodic timer",
    "cannot bind VIRQ_TIMER",
    "no grant table",
    "cannot map the grant table",
};

static bool is_allowed_panic(const char *output) {
    for (size_t i = 0; i < sizeof(may_panic) / sizeof(*may_panic); i++)
        if (strstr(output, may_panic[i]))
            return true;
    return false;
}

static void run_failures(long answer, const char *name) {
    static char output[65536];
    unsigned long long total = 0;
    uint32_t clean = 0, panics = 0;
    bool good = in_child(scenario_whole_life, 0, 0, output, sizeof(output)) == 0 &&
                sscanf(output, "HYPERCALLS %llu", &total) == 1 && total > 50;
    for (uint64_t nth = 1; nth <= total && good; nth++) {
        int code = in_child(scenario_whole_life, nth, answer, output, sizeof(output));
        clean += code == 0;
        panics += code == FAKE_PANIC_EXIT;
        good = code == 0 || (code == FAKE_PANIC_EXIT && is_allowed_panic(output));
        if (!good)
            printf("with hypercall %llu failing, exit code %d:\n", (unsigned long long)nth, code);
    }
    verdict(good, name, output);
    printf("     %llu hypercalls: %u failures left nothing behind, %u ended in a panic that is due\n", total, clean,
           panics);
}

int main(void) {
    run_list(service_scenarios);
    run_list(guest_scenarios);
    run_list(xenstore_scenarios);
    run_list(module_scenarios);
    run_failures(-XEN_EINVAL, "every hypercall fails once: EINVAL");
    run_failures(-XEN_EPERM, "every hypercall fails once: EPERM");
    run_failures(-XEN_ENOMEM, "every hypercall fails once: ENOMEM");
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
