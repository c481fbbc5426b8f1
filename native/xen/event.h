/* SPDX-License-Identifier: MIT */
/*
 * Event channels, 2-level ABI. The upcall does nothing; event_dispatch() takes what is pending, each port at most once,
 * so that a noisy peer gets one turn a round like everybody else.
 */
#ifndef GLOVEBOX_EVENT_H
#define GLOVEBOX_EVENT_H

#include "abi.h"

typedef void event_handler(uint32_t a, uint32_t b);

/* Maps the shared info page; before anything that needs time or events. */
void event_init(const struct start_info *info);
const volatile struct shared_info *event_shared_info(void);
/* After a restart, when every port of ours has its handler: the others are closed, but for the console's. */
void event_close_strangers(evtchn_port_t console);
/* Makes every port with a handler pending. */
void event_raise_all(void);
/* Xen's copy of CR2. */
uint64_t event_fault_address(void);

/* A port that Xen or the toolstack made; handler(a, b) runs from event_dispatch(). */
void event_attach(evtchn_port_t port, event_handler *handler, uint32_t a, uint32_t b);
/* New ports: the port, or -errno. */
int32_t event_bind_interdomain(domid_t domid, evtchn_port_t remote, event_handler *handler, uint32_t a, uint32_t b);
int32_t event_bind_virq(uint32_t virq, event_handler *handler);
/* Closes the port and forgets its handler. */
void event_unbind(evtchn_port_t port);
/* The same for a port that may not be ours any more. */
void event_forget(evtchn_port_t port);
void event_send(evtchn_port_t port);

/* Runs the handlers of what is pending now. */
void event_dispatch(void);
bool event_pending(void);
/* Returns when something is pending: looks for busy_wait_ns, then blocks. */
void event_wait(void);

uint64_t event_count(void);
uint64_t event_block_count(void);

#endif
