/* SPDX-License-Identifier: MIT */
/*
 * The table of ioreq servers and what of it outlives a restart: each record is sealed, with a copy, at each change of
 * state; the sealed copy is what is believed. For the files server*.c only.
 */
#ifndef GLOVEBOX_SERVER_RECORD_H
#define GLOVEBOX_SERVER_RECORD_H

#include "server.h"

/* What outlived a restart until the core has asked for it. Forgotten in a restart, as all that does not survive. */
struct server_claim {
    bool unclaimed;
    bool taken_on; /* and not enabled again by the core */
    bool range_unclaimed[SERVER_RANGES_MAX];
};

uint32_t server_index(const struct server *server);
struct server_claim *server_claim(const struct server *server);
/* The server of a handle; a stale one is the core's bug. */
struct server *server_of(uint32_t handle);
int32_t server_handle(const struct server *server);
void server_next_generation(struct server *server);

/* A panic between a change and its seal goes back to the last seal. */
void server_seal(const struct server *server);
void server_enter(struct server *server, enum server_state state);
/* Back to the last seal; a damaged one is a panic. */
void server_recall(uint32_t index);
/* The same without a panic: false where there is nothing to go back to, or it is damaged. */
bool server_recall_quietly(uint32_t index);

#endif
