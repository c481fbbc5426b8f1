/* SPDX-License-Identifier: MIT */
/*
 * ioreq servers: one page of slots and one event channel per vCPU, for each guest.
 *
 *   FREE --> CREATING --create--> CREATED --enable--> ENABLED --> DRAINING --destroy--> DRAINED --> FREE
 *               |                    |                                ^
 *               +--refused--> FREE   +------------destroy-------------+
 *
 * CREATING: Xen may have a server whose number we do not know. DRAINED: nothing of ours is left but the number; a
 * destroy that Xen refused can be asked for again.
 *
 * Records outlive a restart, sealed and with a copy: an ENABLED server is taken on as it is, ports, page, ranges and
 * waiting requests; any other is brought to its end. Each range is written down before Xen is asked for it.
 */
#ifndef GLOVEBOX_SERVER_H
#define GLOVEBOX_SERVER_H

#include "abi.h"
#include "shim_limits.h"

enum server_state { SERVER_FREE, SERVER_CREATING, SERVER_CREATED, SERVER_ENABLED, SERVER_DRAINING, SERVER_DRAINED };

enum range_state { RANGE_FREE, RANGE_UNSURE, RANGE_MAPPED };

struct server_range {
    uint32_t state; /* enum range_state */
    uint32_t type;
    uint64_t start, end;
};

struct server {
    enum server_state state;
    uint32_t generation;
    uint32_t tag;
    uint32_t nr_vcpus;
    uint32_t bound; /* ports [0, bound) are bound */
    domid_t domid;
    ioservid_t id;
    evtchn_port_t ports[VCPUS_MAX];
    struct server_range ranges[SERVER_RANGES_MAX];
};

struct server *server_at(uint32_t index);
/* Where the server's page of slots is mapped. */
struct ioreq *server_page(uint32_t index);

/* Is that the answer to a destroy after which Xen has it no more? A dead guest takes its servers along. */
bool server_is_gone(int rc);

/* --- a restart, in this order (restart.c, boot.c) --- */
/* The request that was being answered gets all ones; the others wait for us. */
void server_answer_interrupted(void);
/* ENABLED servers get their handlers, the others are brought to their end. */
void server_restart(void);
/* Gives back the servers and ranges that the core did not take on. */
void server_drop_unclaimed(void);
/* No restart: all ones to whoever waits, every server back to Xen. False when there was none. Fails nowhere. */
bool server_give_all_back(void);

#endif
