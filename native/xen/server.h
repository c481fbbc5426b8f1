/* SPDX-License-Identifier: MIT */
/*
 * ioreq servers: one page of slots and one event channel per vCPU, for each guest.
 *
 *   FREE --create--> CREATED --enable--> ENABLED --destroy--> DRAINED --> FREE
 *                       |                                        ^
 *                       +----------------destroy-----------------+
 *
 * DRAINED: nothing of ours is left but the number; a destroy that Xen refused can be asked for again.
 */
#ifndef GLOVEBOX_SERVER_H
#define GLOVEBOX_SERVER_H

#include "abi.h"
#include "shim_limits.h"

enum server_state { SERVER_FREE, SERVER_CREATED, SERVER_ENABLED, SERVER_DRAINED };

struct server {
    enum server_state state;
    uint32_t generation;
    uint32_t tag;
    uint32_t nr_vcpus;
    uint32_t bound; /* ports [0, bound) are bound */
    domid_t domid;
    ioservid_t id;
    evtchn_port_t ports[VCPUS_MAX];
};

struct server *server_at(uint32_t index);
/* Where the server's page of slots is mapped. */
struct ioreq *server_page(uint32_t index);

#endif
