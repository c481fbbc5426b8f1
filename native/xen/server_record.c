/* SPDX-License-Identifier: MIT */
/* The table, its seals and its handles: generation above, index in the low byte. */
#include "server_record.h"

#include "panic.h"
#include "shim.h"
#include "survivor.h"

#define SLOTS_PER_PAGE (PAGE_BYTES / sizeof(struct ioreq))
#define GENERATION_MAX 0x7fffffu

_Static_assert(VCPUS_MAX == SLOTS_PER_PAGE, "one page has a slot for each vCPU");

static struct server servers[SHIM_SERVERS_MAX] SURVIVES;
static struct server copies[SHIM_SERVERS_MAX] SURVIVES;  /* as of the last seal */
static uint32_t sums[SHIM_SERVERS_MAX] SURVIVES;         /* of the copies */
static struct ioreq pages[SHIM_SERVERS_MAX][SLOTS_PER_PAGE] SURVIVES __attribute__((aligned(PAGE_BYTES)));
static struct server_claim claims[SHIM_SERVERS_MAX];

struct server *server_at(uint32_t index) {
    return &servers[index];
}

struct ioreq *server_page(uint32_t index) {
    return pages[index];
}

uint32_t server_index(const struct server *server) {
    return (uint32_t)(server - servers);
}

struct server_claim *server_claim(const struct server *server) {
    return &claims[server_index(server)];
}

/* --- handles ------------------------------------------------------------------------------------------------------ */

int32_t server_handle(const struct server *server) {
    return (int32_t)(server->generation << 8 | server_index(server));
}

struct server *server_of(uint32_t handle) {
    uint32_t index = handle & 0xff;
    if (index >= SHIM_SERVERS_MAX || servers[index].state == SERVER_FREE || servers[index].generation != handle >> 8)
        panic("the core uses a stale server handle", handle, 0);
    return &servers[index];
}

void server_next_generation(struct server *server) {
    server->generation = server->generation % GENERATION_MAX + 1;
}

/* --- seals -------------------------------------------------------------------------------------------------------- */

void server_seal(const struct server *server) {
    uint32_t index = server_index(server);
    copies[index] = *server;
    sums[index] = survivor_sum(&copies[index], sizeof(copies[index]));
}

void server_enter(struct server *server, enum server_state state) {
    server->state = state;
    server_seal(server);
}

static bool copy_is_whole(uint32_t index) {
    return sums[index] == survivor_sum(&copies[index], sizeof(copies[index]));
}

/* Never sealed, and never used: all zero. */
static bool is_blank(uint32_t index) {
    return sums[index] == 0 && servers[index].state == SERVER_FREE;
}

void server_recall(uint32_t index) {
    if (!is_blank(index) && !server_recall_quietly(index))
        panic("the record of an ioreq server is damaged, index", index, 0);
}

bool server_recall_quietly(uint32_t index) {
    if (is_blank(index) || !copy_is_whole(index))
        return false;
    servers[index] = copies[index];
    return true;
}
