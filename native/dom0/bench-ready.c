// SPDX-License-Identifier: MIT
/*
 * bench-ready DOMID: how long a paused driver domain takes from its unpause until Dom0 sees its state "ready" in
 * xenstore, in nanoseconds of CLOCK_MONOTONIC. xenstored's part and the watch's way are inside: an upper bound.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xenctrl.h>
#include <xenstore.h>

static uint64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int fail(const char *what) {
    fprintf(stderr, "bench-ready: %s\n", what);
    return 1;
}

static int is_ready(struct xs_handle *store, const char *path) {
    unsigned int length;
    char *state = xs_read(store, XBT_NULL, path, &length);
    int ready = state && !strcmp(state, "ready");

    free(state);
    return ready;
}

static int wait_ready(struct xs_handle *store, const char *path) {
    unsigned int count;

    while (!is_ready(store, path)) {
        char **event = xs_read_watch(store, &count);

        if (!event)
            return fail("xenstored went away");
        free(event);
    }
    return 0;
}

int main(int argc, char **argv) {
    char path[64], *end = "x";
    unsigned long domid = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
    xc_interface *xc;
    struct xs_handle *store;
    uint64_t start;

    if (*end || !domid || domid >= 0x7ff0) /* DOMID_FIRST_RESERVED, xen/xen.h */
        return fail("wanted: the number of a paused driver domain, 1 to 32751");
    xc = xc_interface_open(NULL, NULL, 0);
    store = xs_open(0);
    if (!xc || !store)
        return fail("cannot reach Xen or xenstored: is this Dom0, as root?");
    snprintf(path, sizeof(path), "/local/domain/%lu/data/glovebox/state", domid);
    if (!xs_watch(store, path, "state"))
        return fail("cannot watch the domain's state");
    start = now_ns();
    if (xc_domain_unpause(xc, (uint32_t)domid))
        return fail("cannot unpause that domain");
    if (wait_ready(store, path))
        return 1;
    printf("{\"unpause_to_ready_ns\":%llu}\n", (unsigned long long)(now_ns() - start));
    xs_close(store);
    xc_interface_close(xc);
    return 0;
}
