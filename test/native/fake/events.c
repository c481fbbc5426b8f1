/* SPDX-License-Identifier: MIT */
/* Event channels of the driver domain, its timer, and the peers' ends that the scenarios pull. */
#include "fake.h"

#include "shim.h"

#define PORTS 96u
#define PEERS 64u

enum kind { PORT_FREE, PORT_FIXED, PORT_INTERDOMAIN, PORT_VIRQ };

static struct port {
    enum kind kind;
    domid_t domid;
    evtchn_port_t remote;
} ports[PORTS];

static struct peer {
    domid_t domid; /* 0 = free */
    bool bound;
} peers[PEERS];

static struct shared_info *shared;
static uint64_t deadline;
/* What Xen counts, and where it writes that: nowhere until it is told. */
static struct vcpu_runstate_info counted, *runstate;

evtchn_port_t fake_console_port(void) {
    return 2;
}

evtchn_port_t fake_store_port(void) {
    return 1;
}

void fake_events_init(struct shared_info *page) {
    shared = page;
    ports[fake_console_port()].kind = PORT_FIXED;
    ports[fake_store_port()].kind = PORT_FIXED;
    shared->vcpu_info[0].evtchn_upcall_mask = 1;
}

/* The three steps of Xen's 2-level ABI; each only when the one before changed something. */
void fake_raise(evtchn_port_t port) {
    uint64_t bit = 1ul << port % 64;
    if (shared->evtchn_pending[port / 64] & bit)
        return;
    shared->evtchn_pending[port / 64] |= bit;
    if (shared->evtchn_mask[port / 64] & bit)
        return;
    shared->vcpu_info[0].evtchn_pending_sel |= 1ul << port / 64;
    shared->vcpu_info[0].evtchn_upcall_pending = 1;
}

uint32_t fake_bound_ports(void) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < PORTS; i++)
        count += ports[i].kind == PORT_INTERDOMAIN || ports[i].kind == PORT_VIRQ;
    return count;
}

evtchn_port_t fake_remote_port_new(domid_t domid) {
    for (evtchn_port_t i = 1; i < PEERS; i++) {
        if (peers[i].domid)
            continue;
        peers[i].domid = domid;
        return i;
    }
    fake_fail("no more peers' ports", PEERS, 0);
}

void fake_remote_port_free(domid_t domid, evtchn_port_t remote) {
    if (peers[remote].domid != domid)
        fake_fail("a peer's port is not the peer's", remote, domid);
    peers[remote] = (struct peer){0};
}

static evtchn_port_t find_free(void) {
    for (evtchn_port_t i = 3; i < PORTS; i++)
        if (ports[i].kind == PORT_FREE)
            return i;
    fake_fail("no more ports", PORTS, 0);
}

static long bind_interdomain(struct evtchn_bind_interdomain *bind) {
    if (bind->remote_port >= PEERS || peers[bind->remote_port].domid != bind->remote_dom)
        return -XEN_EINVAL;
    if (peers[bind->remote_port].bound)
        return -XEN_EBUSY;
    peers[bind->remote_port].bound = true;
    bind->local_port = find_free();
    ports[bind->local_port] =
        (struct port){.kind = PORT_INTERDOMAIN, .domid = bind->remote_dom, .remote = bind->remote_port};
    fake_raise(bind->local_port);
    return 0;
}

static long bind_virq(struct evtchn_bind_virq *bind) {
    for (evtchn_port_t i = 0; i < PORTS; i++)
        if (ports[i].kind == PORT_VIRQ && ports[i].remote == bind->virq)
            return -XEN_EEXIST;
    bind->port = find_free();
    ports[bind->port] = (struct port){.kind = PORT_VIRQ, .remote = bind->virq};
    return 0;
}

static long close_port(evtchn_port_t port) {
    if (port >= PORTS || ports[port].kind == PORT_FREE)
        return -XEN_EINVAL;
    if (ports[port].kind == PORT_INTERDOMAIN)
        peers[ports[port].remote].bound = false;
    ports[port].kind = PORT_FREE;
    shared->evtchn_pending[port / 64] &= ~(1ul << port % 64);
    return 0;
}

long fake_event_channel_op(uint64_t cmd, void *argument) {
    switch (cmd) {
    case EVTCHNOP_bind_interdomain:
        return bind_interdomain(argument);
    case EVTCHNOP_bind_virq:
        return bind_virq(argument);
    case EVTCHNOP_close:
        return close_port(((struct evtchn_close *)argument)->port);
    case EVTCHNOP_send: {
        evtchn_port_t port = ((struct evtchn_send *)argument)->port;
        return port < PORTS && ports[port].kind != PORT_FREE ? 0 : -XEN_EINVAL;
    }
    }
    fake_fail("unexpected event_channel_op", cmd, 0);
}

void fake_raise_remote(domid_t domid, evtchn_port_t remote) {
    for (evtchn_port_t i = 0; i < PORTS; i++)
        if (ports[i].kind == PORT_INTERDOMAIN && ports[i].domid == domid && ports[i].remote == remote)
            fake_raise(i);
}

void fake_fire_timer(void) {
    for (evtchn_port_t i = 0; i < PORTS; i++)
        if (ports[i].kind == PORT_VIRQ && ports[i].remote == VIRQ_TIMER)
            fake_raise(i);
}

uint64_t fake_timer_deadline(void) {
    return deadline;
}

void fake_steal(uint64_t ns) {
    uint64_t now = shim_time_ns();

    counted.time[RUNSTATE_running] += now - counted.state_entry_time;
    counted.time[RUNSTATE_runnable] += ns;
    counted.state_entry_time = now + ns;
    if (runstate)
        *runstate = counted;
    fake_advance_clock(ns);
}

long fake_vcpu_op(uint64_t cmd, void *argument) {
    switch (cmd) {
    case VCPUOP_stop_periodic_timer:
        return 0;
    case VCPUOP_register_runstate_memory_area:
        runstate = ((struct vcpu_register_runstate_memory_area *)argument)->addr.v;
        *runstate = counted;
        return 0;
    case VCPUOP_stop_singleshot_timer:
        deadline = 0;
        return 0;
    case VCPUOP_set_singleshot_timer:
        deadline = ((struct vcpu_set_singleshot_timer *)argument)->timeout_abs_ns;
        return 0;
    }
    fake_fail("unexpected vcpu_op", cmd, 0);
}
