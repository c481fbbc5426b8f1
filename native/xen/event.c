/* SPDX-License-Identifier: MIT */
/*
 * Why no event is lost, in order:
 *  1. events stay masked, so Xen only sets bits: port, then word selector, then evtchn_upcall_pending;
 *  2. dispatch clears upcall_pending before it reads the selector, and the port's bit before it calls the handler, so
 *     whatever arrives later sets the bits again;
 *  3. SCHEDOP_block opens the mask and looks at upcall_pending in one step inside Xen: an event between our last
 *     look and the block ends the block at once.
 */
#include "event.h"

#include "hypercalls.h"
#include "panic.h"
#include "shim.h"
#include "shim_limits.h"
#include "survivor.h"
#include "time.h"

#define PORTS_PER_WORD 64u

struct port {
    event_handler *handler;
    uint32_t a, b;
};

static uint8_t shared_page[PAGE_BYTES] SURVIVES __attribute__((aligned(PAGE_BYTES)));
static struct shared_info *const shared = (struct shared_info *)shared_page;
static struct port ports[EVENT_PORTS_MAX];
static evtchn_port_t ports_end SURVIVES; /* behind the highest port that we ever bound */
static uint64_t busy_wait_ns;
static uint64_t events SURVIVES, blocks SURVIVES;

void event_init(const struct start_info *info) {
    uint64_t pte = (info->shared_info & PTE_FRAME_MASK) | PTE_READ_WRITE;
    if (hypercall_update_va_mapping(shared_page, pte, UVMF_INVLPG | UVMF_LOCAL))
        panic("cannot map the shared info page", info->shared_info, 0);
}

/* --- after a restart: the page is mapped, ports are bound, and nobody knows whose they are ----------------------- */

/* Closing one that is closed does nothing. Asking first (EVTCHNOP_status) is what FLASK refuses for closed ports. */
void event_close_strangers(evtchn_port_t console) {
    evtchn_port_t end = ports_end < EVENT_PORTS_MAX ? ports_end : EVENT_PORTS_MAX;
    for (evtchn_port_t port = 1; port < end; port++) {
        struct evtchn_close close = {.port = port};
        if (!ports[port].handler && port != console)
            (void)hypercall_event_channel_op(EVTCHNOP_close, &close);
    }
}

static void raise(evtchn_port_t port) {
    struct vcpu_info *vcpu = &shared->vcpu_info[0];
    __atomic_fetch_or(&shared->evtchn_pending[port / PORTS_PER_WORD], 1ul << port % PORTS_PER_WORD, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(&vcpu->evtchn_pending_sel, 1ul << port / PORTS_PER_WORD, __ATOMIC_SEQ_CST);
    __atomic_store_n(&vcpu->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
}

/* A pending bit that was taken and not served when we panicked is lost: look at everything once. */
void event_raise_all(void) {
    shared->vcpu_info[0].evtchn_upcall_mask = 1;
    for (evtchn_port_t port = 0; port < EVENT_PORTS_MAX; port++)
        if (ports[port].handler)
            raise(port);
}

const volatile struct shared_info *event_shared_info(void) {
    return shared;
}

uint64_t event_fault_address(void) {
    return shared->vcpu_info[0].arch.cr2;
}

/* Xen raises a port that is pending already no second time, so what became pending behind the mask is raised here. */
static void unmask(evtchn_port_t port) {
    uint32_t word = port / PORTS_PER_WORD;
    uint64_t bit = 1ul << port % PORTS_PER_WORD;
    __atomic_fetch_and(&shared->evtchn_mask[word], ~bit, __ATOMIC_SEQ_CST);
    if (!(__atomic_load_n(&shared->evtchn_pending[word], __ATOMIC_SEQ_CST) & bit))
        return;
    __atomic_fetch_or(&shared->vcpu_info[0].evtchn_pending_sel, 1ul << word, __ATOMIC_SEQ_CST);
    __atomic_store_n(&shared->vcpu_info[0].evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
}

void event_attach(evtchn_port_t port, event_handler *handler, uint32_t a, uint32_t b) {
    if (port >= EVENT_PORTS_MAX || ports[port].handler)
        panic("event port out of range or taken", port, 0);
    ports[port] = (struct port){.handler = handler, .a = a, .b = b};
    unmask(port);
}

static int32_t attach_new(evtchn_port_t port, event_handler *handler, uint32_t a, uint32_t b) {
    if (port >= ports_end)
        ports_end = port + 1;
    if (port < EVENT_PORTS_MAX) {
        event_attach(port, handler, a, b);
        return (int32_t)port;
    }
    event_unbind(port);
    return -XEN_ENOSPC;
}

int32_t event_bind_interdomain(domid_t domid, evtchn_port_t remote, event_handler *handler, uint32_t a, uint32_t b) {
    struct evtchn_bind_interdomain bind = {.remote_dom = domid, .remote_port = remote};
    int rc = hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &bind);
    return rc ? rc : attach_new(bind.local_port, handler, a, b);
}

int32_t event_bind_virq(uint32_t virq, event_handler *handler) {
    struct evtchn_bind_virq bind = {.virq = virq, .vcpu = 0};
    int rc = hypercall_event_channel_op(EVTCHNOP_bind_virq, &bind);
    return rc ? rc : attach_new(bind.port, handler, 0, 0);
}

void event_unbind(evtchn_port_t port) {
    struct evtchn_close close = {.port = port};
    if (port < EVENT_PORTS_MAX)
        ports[port].handler = NULL;
    if (hypercall_event_channel_op(EVTCHNOP_close, &close))
        panic("cannot close an event port of ours", port, 0);
}

void event_send(evtchn_port_t port) {
    struct evtchn_send send = {.port = port};
    if (hypercall_event_channel_op(EVTCHNOP_send, &send))
        panic("cannot send on an event port of ours", port, 0);
}

void event_forget(evtchn_port_t port) {
    struct evtchn_close close = {.port = port};
    if (port < EVENT_PORTS_MAX)
        ports[port].handler = NULL;
    (void)hypercall_event_channel_op(EVTCHNOP_close, &close);
}

static void dispatch_port(evtchn_port_t port) {
    const struct port *entry = &ports[port];
    events++;
    if (entry->handler)
        entry->handler(entry->a, entry->b);
    else /* nobody's, or just unbound: silence it */
        __atomic_fetch_or(&shared->evtchn_mask[port / PORTS_PER_WORD], 1ul << port % PORTS_PER_WORD, __ATOMIC_SEQ_CST);
}

static void dispatch_word(uint32_t word) {
    uint64_t pending = __atomic_load_n(&shared->evtchn_pending[word], __ATOMIC_ACQUIRE) & ~shared->evtchn_mask[word];
    __atomic_fetch_and(&shared->evtchn_pending[word], ~pending, __ATOMIC_SEQ_CST);
    for (; pending; pending &= pending - 1)
        dispatch_port(word * PORTS_PER_WORD + (uint32_t)__builtin_ctzl(pending));
}

void event_dispatch(void) {
    struct vcpu_info *vcpu = &shared->vcpu_info[0];
    if (!__atomic_load_n(&vcpu->evtchn_upcall_pending, __ATOMIC_ACQUIRE))
        return;
    __atomic_store_n(&vcpu->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
    uint64_t words = __atomic_exchange_n(&vcpu->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (; words; words &= words - 1)
        dispatch_word((uint32_t)__builtin_ctzl(words));
}

bool event_pending(void) {
    return __atomic_load_n(&shared->vcpu_info[0].evtchn_upcall_pending, __ATOMIC_ACQUIRE);
}

static bool is_selected(void) {
    return __atomic_load_n(&shared->vcpu_info[0].evtchn_pending_sel, __ATOMIC_SEQ_CST) != 0;
}

/*
 * While evtchn_upcall_pending is set Xen takes us for told and sends our pCPU no interrupt (vcpu_mark_events_pending);
 * we look at the word selector, which is set first. Before giving up the bit is cleared and the selector looked at
 * once more, so that whatever comes later wakes us as usual.
 */
static bool look_for(uint64_t ns) {
    uint8_t *told = &shared->vcpu_info[0].evtchn_upcall_pending;
    uint64_t start = shim_time_ns();
    __atomic_store_n(told, 1, __ATOMIC_SEQ_CST);
    do {
        if (is_selected())
            return true;
        machine_relax();
    } while (shim_time_ns() - start < ns);
    __atomic_store_n(told, 0, __ATOMIC_SEQ_CST);
    if (!is_selected())
        return false;
    __atomic_store_n(told, 1, __ATOMIC_SEQ_CST);
    return true;
}

void event_wait(void) {
    if (event_pending() || (busy_wait_ns && look_for(busy_wait_ns)))
        return;
    blocks++;
    hypercall_sched_op(SCHEDOP_block, NULL);
}

void shim_set_busy_wait(uint64_t busy_ns) {
    busy_wait_ns = busy_ns;
}

uint64_t event_count(void) {
    return events;
}

uint64_t event_block_count(void) {
    return blocks;
}
