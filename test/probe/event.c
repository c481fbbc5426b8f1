/* SPDX-License-Identifier: MIT */
/*
 * Event channels. Xen lets any domain *bind* a global virtual interrupt and then never raises it there, so that one
 * is shown late: bound first (late_prepare), and looked at after Dom0 has had what it announces.
 */
#include "probe.h"

#include "event.h"

#define PORTS_TRIED 256
#define PORTS_PER_WORD 64
#define SOME_IRQ 9

static evtchn_port_t domain_exception_port;

static long event_op(uint32_t cmd, void *argument) {
    return hypercall_event_channel_op(cmd, argument);
}

static void close(evtchn_port_t port) {
    struct evtchn_close op = {.port = port};
    (void)event_op(EVTCHNOP_close, &op);
}

bool port_is_pending(evtchn_port_t port) {
    const volatile struct shared_info *shared = event_shared_info();
    return shared->evtchn_pending[port / PORTS_PER_WORD] >> port % PORTS_PER_WORD & 1;
}

/* The loop would clear the bit of a port that is not masked. */
static void mask(evtchn_port_t port) {
    struct shared_info *shared = (struct shared_info *)event_shared_info();
    __atomic_fetch_or(&shared->evtchn_mask[port / PORTS_PER_WORD], 1ul << port % PORTS_PER_WORD, __ATOMIC_SEQ_CST);
}

static const char *bind(domid_t domid, evtchn_port_t remote) {
    struct evtchn_bind_interdomain op = {.remote_dom = domid, .remote_port = remote};
    long rc = event_op(EVTCHNOP_bind_interdomain, &op);
    if (rc == 0)
        close(op.local_port);
    return errno_word(rc);
}

/* All ports that there are: some end at third parties, some wait for them. */
static const char *bind_any(domid_t domid) {
    const char *refused = NULL;
    for (evtchn_port_t port = 1; port < PORTS_TRIED; port++)
        if (!(refused = bind(domid, port)))
            break;
    return refused;
}

static const char *alloc_unbound(domid_t domid) {
    struct evtchn_alloc_unbound op = {.dom = domid, .remote_dom = world.self};
    long rc = event_op(EVTCHNOP_alloc_unbound, &op);
    return rc ? errno_word(rc) : bind(domid, op.port);
}

/* Port 1 is the first that any domain has. */
static const char *status(domid_t domid) {
    struct evtchn_status op = {.dom = domid, .port = 1};
    return errno_word(event_op(EVTCHNOP_status, &op));
}

static const char *reset(domid_t domid) {
    struct evtchn_reset op = {.dom = domid};
    return errno_word(event_op(EVTCHNOP_reset, &op));
}

static const char *bind_pirq(domid_t domid) {
    struct evtchn_bind_pirq op = {.pirq = SOME_IRQ};
    (void)domid;
    return errno_word(event_op(EVTCHNOP_bind_pirq, &op));
}

/* Rings a port of our own, as a control that a ring is seen. */
static const char *ring_own(domid_t domid) {
    struct evtchn_alloc_unbound alloc = {.dom = domid, .remote_dom = domid};
    long rc = event_op(EVTCHNOP_alloc_unbound, &alloc);
    if (rc)
        return errno_word(rc);
    struct evtchn_bind_interdomain loop = {.remote_dom = domid, .remote_port = alloc.port};
    rc = event_op(EVTCHNOP_bind_interdomain, &loop);
    mask(alloc.port);
    struct evtchn_send send = {.port = loop.local_port};
    rc = rc ? rc : event_op(EVTCHNOP_send, &send);
    bool rang = port_is_pending(alloc.port);
    close(loop.local_port);
    close(alloc.port);
    return rc ? errno_word(rc) : rang ? NULL : "silence";
}

void late_prepare(void) {
    struct evtchn_bind_virq op = {.virq = VIRQ_DOM_EXC};
    if (event_op(EVTCHNOP_bind_virq, &op) == 0) {
        domain_exception_port = op.port;
        mask(op.port);
    }
}

static const char *domain_exception(domid_t domid) {
    (void)domid;
    return !domain_exception_port ? "not bound" : port_is_pending(domain_exception_port) ? NULL : "silence";
}

static const char *release_watch(domid_t domid) {
    (void)domid;
    uint32_t events = store_watch_events(); /* every watch fires once when it is set, whoever sets it */
    return events == 0 ? "not watched" : events > 1 ? NULL : "silence";
}

static const struct probe rows[] = {
    {"EVTCHNOP_bind_interdomain to any port", DOM0, "take events meant for others", bind_any},
    {"EVTCHNOP_bind_interdomain to any port", OTHER, "take events meant for others", bind_any},
    {"EVTCHNOP_alloc_unbound", DOM0, "open ports in Dom0", alloc_unbound},
    {"EVTCHNOP_alloc_unbound", OTHER, "open ports in any guest", alloc_unbound},
    {"EVTCHNOP_alloc_unbound", TARGET, "open and bind a port in its guest", alloc_unbound},
    {"EVTCHNOP_status", DOM0, "see whom Dom0 talks to", status},
    {"EVTCHNOP_status", OTHER, "see whom any guest talks to", status},
    {"EVTCHNOP_status", SELF, "look at its own ports", status},
    {"EVTCHNOP_reset", OTHER, "cut any guest off", reset},
    {"EVTCHNOP_reset", DOM0, "cut Dom0 off", reset},
    {"EVTCHNOP_bind_pirq", NOBODY, "take a physical interrupt", bind_pirq},
    {"EVTCHNOP_send", SELF, "ring its own port", ring_own},
};
const struct probe_table event_probes = PROBE_TABLE(rows);

/* After OTHER has been destroyed, which rings VIRQ_DOM_EXC and fires @releaseDomain. */
static const struct probe late_rows[] = {
    {"VIRQ_DOM_EXC", NOBODY, "learn of other domains' ends", domain_exception},
    {"XS_WATCH_EVENT of @releaseDomain", NOBODY, "learn of other domains' ends", release_watch},
};
const struct probe_table late_probes = PROBE_TABLE(late_rows);
