/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int child_run(void (*run)(void), uint64_t fail_nth, long answer, char *output, size_t output_bytes) {
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

/*
 * What Xen refuses only to a caller that is wrong: giving our own pages back to us, flushing, closing and raising
 * ports of ours, our own timer, and everything at boot. There a panic is the right answer.
 */
static const char *const may_panic[] = {
    "cannot flush a window",
    "cannot restore a window",
    "cannot clear the aperture",
    "cannot flush the aperture",
    "cannot close an event port of ours",
    "cannot send on an event port of ours",
    "cannot set the timer",
    "cannot map the shared info page",
    "cannot stop the periodic timer",
    "cannot register the runstate area",
    "cannot bind VIRQ_TIMER",
    "no grant table",
    "cannot map the grant table",
    "cannot make pages of a module writable again",
};

bool child_panic_is_due(const char *output) {
    for (size_t i = 0; i < sizeof(may_panic) / sizeof(*may_panic); i++)
        if (strstr(output, may_panic[i]))
            return true;
    return false;
}
