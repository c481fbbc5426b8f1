/* SPDX-License-Identifier: MIT */
/* The ranges that a server claims: written down before Xen is asked, so that a restart knows which may be there. */
#include "dm_op.h"
#include "server_range.h"
#include "server_record.h"
#include "shim.h"

static struct server_range *range_find(struct server *server, uint32_t type, uint64_t start, uint64_t end) {
    for (struct server_range *one = server->ranges; one < server->ranges + SERVER_RANGES_MAX; one++)
        if (one->state != RANGE_FREE && one->type == type && one->start == start && one->end == end)
            return one;
    return NULL;
}

static struct server_range *range_free(struct server *server) {
    for (struct server_range *one = server->ranges; one < server->ranges + SERVER_RANGES_MAX; one++)
        if (one->state == RANGE_FREE)
            return one;
    return NULL;
}

static void range_enter(struct server *server, struct server_range *range, enum range_state state) {
    range->state = state;
    server_seal(server);
}

static bool *range_claim(struct server *server, const struct server_range *range) {
    return &server_claim(server)->range_unclaimed[range - server->ranges];
}

static int32_t range_do(struct server *server, uint32_t op, const struct server_range *range) {
    return dm_op_io_range(server->domid, op, server->id, range->type, range->start, range->end);
}

int32_t shim_ioreq_range_map(uint32_t handle, uint32_t type, uint64_t start, uint64_t end) {
    struct server *server = server_of(handle);
    if (start > end) /* Xen once trusted it (XSA-238) */
        return -XEN_EINVAL;
    struct server_range *range = range_find(server, type, start, end);
    bool again = range && *range_claim(server, range);
    if (again) {
        *range_claim(server, range) = false;
        if (range->state == RANGE_MAPPED)
            return 0; /* Xen has it, from before the restart */
    } else if (!(range = range_free(server))) {
        return -XEN_ENOSPC;
    }
    *range = (struct server_range){.type = type, .start = start, .end = end};
    range_enter(server, range, RANGE_UNSURE);
    int32_t rc = range_do(server, XEN_DMOP_map_io_range_to_ioreq_server, range);
    if (again && rc == -XEN_EEXIST)
        rc = 0;
    range_enter(server, range, rc ? RANGE_FREE : RANGE_MAPPED);
    return rc;
}

int32_t shim_ioreq_range_unmap(uint32_t handle, uint32_t type, uint64_t start, uint64_t end) {
    struct server *server = server_of(handle);
    struct server_range *range = range_find(server, type, start, end);
    if (start > end)
        return -XEN_EINVAL;
    if (!range)
        return -XEN_ENOENT;
    range_enter(server, range, RANGE_UNSURE);
    int32_t rc = range_do(server, XEN_DMOP_unmap_io_range_from_ioreq_server, range);
    range_enter(server, range, rc && rc != -XEN_ENOENT && rc != -XEN_ESRCH ? RANGE_MAPPED : RANGE_FREE);
    return rc;
}

void server_keep_ranges(struct server *server) {
    for (struct server_range *range = server->ranges; range < server->ranges + SERVER_RANGES_MAX; range++)
        *range_claim(server, range) = range->state != RANGE_FREE;
}

void server_drop_ranges(struct server *server) {
    for (struct server_range *range = server->ranges; range < server->ranges + SERVER_RANGES_MAX; range++) {
        if (!*range_claim(server, range))
            continue;
        *range_claim(server, range) = false;
        (void)range_do(server, XEN_DMOP_unmap_io_range_from_ioreq_server, range);
        range_enter(server, range, RANGE_FREE);
    }
}
