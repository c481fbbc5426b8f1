/* SPDX-License-Identifier: MIT */
/* The target of libFuzzer (and of AFL++'s driver for such targets): bytes are a trace file, or bare records. */
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void start(void) {
    const char *wrong = rig_start();
    const char *reset = getenv("RIG_RESET_BYTES");

    if (wrong) {
        fprintf(stderr, "rig: %s\n", wrong);
        exit(2);
    }
    if (reset)
        rig_reset_bytes(strtoull(reset, 0, 10));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    static int started;
    struct trace trace;

    if (!started++)
        start();
    if (trace_open(&trace, bytes, length))
        trace_bare(&trace, bytes, length);
    if (rig_run(&trace).fault && !getenv("RIG_FAULTS_PASS"))
        abort(); /* what a fuzzer takes for a find */
    return 0;
}
