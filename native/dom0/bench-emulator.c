// SPDX-License-Identifier: MIT
/*
 * bench-emulator DOMID: the peer of the bench's latency table. The least that a device model in Dom0 can be: one
 * process, an ioreq server, blocking on its event channel, and a device that answers every read with a constant.
 * It shows the guest the same identity and BARs as the bench's test device, so that the same program measures both.
 *
 * Give it a paused PVH guest; it prints "EMULATOR ready" and answers until SIGTERM.
 *
 *   CF8/CFC (Xen decodes) -> PCI 00:00.0 host bridge, 00:01.0 device: BAR 0 = 4 KiB of memory, BAR 1 = 16 ports
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xenctrl.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

#define VCPUS_MAX 128 /* one ioreq page holds as many (xen/hvm/ioreq.h, 32 bytes each) */
#define ANSWER 0x600db0a4u

/* Configuration registers of PCI Local Bus 3.0, 6.1. */
#define PCI_COMMAND 0x04
#define PCI_COMMAND_IO 1
#define PCI_COMMAND_MEMORY 2
#define PCI_BAR0 0x10
#define PCI_BAR1 0x14
#define BAR0_BYTES 4096u
#define BAR1_BYTES 16u
/* Where a guest without firmware finds the BARs; below the holes of libxl's PVH memory map. */
#define BAR0_START 0xf1000000u
#define BAR1_START 0xc000u

#define CF8_PORT 0xcf8

struct emulator {
    xendevicemodel_handle *model;
    xenevtchn_handle *events;
    xenforeignmemory_handle *foreign;
    xenforeignmemory_resource_handle *resource;
    domid_t guest;
    ioservid_t server;
    struct shared_iopage *page;
    unsigned int vcpus;
    evtchn_port_t port[VCPUS_MAX];
    uint32_t cf8;
    uint32_t command, bar[2];
    /* What Xen sends us now; end = 0: nothing. */
    struct {
        uint64_t start, end;
    } range[2];
};

static volatile sig_atomic_t ended;

static void on_signal(int number) {
    ended = number;
}

static void stop(const char *what) {
    fprintf(stderr, "bench-emulator: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- configuration space: registers as 32-bit words -------------------------------------------------------------- */

static uint32_t bridge_word(uint32_t word) {
    switch (word) {
    case 0x00:
        return 0x1237u << 16 | 0x8086; /* 440FX, the host bridge that every guest kernel knows */
    case 0x08:
        return 0x0600u << 16; /* class: host bridge (PCI Code and ID Assignment 1.11, base class 6) */
    default:
        return 0;
    }
}

/* The ids of test/modules/register-file. */
static uint32_t device_word(const struct emulator *e, uint32_t word) {
    switch (word) {
    case 0x00:
        return 0x6762u << 16 | 0xfffe;
    case PCI_COMMAND:
        return e->command;
    case 0x08:
        return 0xff000001u;
    case PCI_BAR0:
        return e->bar[0];
    case PCI_BAR1:
        return e->bar[1] | 1; /* bit 0: an I/O BAR */
    case 0x2c:
        return 0x0001u << 16 | 0xfffe;
    default:
        return 0;
    }
}

static void move_range(struct emulator *e, int which, bool is_memory, uint64_t start, uint64_t bytes) {
    uint64_t end = start ? start + bytes - 1 : 0;

    if (e->range[which].start == start && e->range[which].end == end)
        return;
    if (e->range[which].end)
        xendevicemodel_unmap_io_range_from_ioreq_server(e->model, e->guest, e->server, is_memory, e->range[which].start,
                                                        e->range[which].end);
    e->range[which].start = e->range[which].end = 0;
    if (!end)
        return;
    if (xendevicemodel_map_io_range_to_ioreq_server(e->model, e->guest, e->server, is_memory, start, end))
        stop("claiming a BAR's range");
    e->range[which].start = start;
    e->range[which].end = end;
}

static void write_device_word(struct emulator *e, uint32_t word, uint32_t value) {
    if (word == PCI_COMMAND)
        e->command = value & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    else if (word == PCI_BAR0)
        e->bar[0] = value & ~(BAR0_BYTES - 1);
    else if (word == PCI_BAR1)
        e->bar[1] = value & ~(BAR1_BYTES - 1) & 0xffff;
    move_range(e, 0, true, e->command & PCI_COMMAND_MEMORY ? e->bar[0] : 0, BAR0_BYTES);
    move_range(e, 1, false, e->command & PCI_COMMAND_IO ? e->bar[1] : 0, BAR1_BYTES);
}

static uint32_t size_mask(uint32_t size) {
    return size >= 4 ? UINT32_MAX : (1u << (8 * size)) - 1;
}

/* addr: bits 39:35 device, 31:0 register (xen/arch/x86/hvm: hvm_pci_decode_addr). */
static uint64_t config_access(struct emulator *e, const struct ioreq *r) {
    uint32_t device = r->addr >> 35 & 0x1f, at = r->addr & 0xff, word = at & ~3u, shift = 8 * (at & 3);
    uint32_t mask = size_mask(r->size) << shift;
    uint32_t old = device ? device_word(e, word) : bridge_word(word);

    if (r->dir == IOREQ_READ)
        return (old & mask) >> shift;
    if (device)
        write_device_word(e, word, (old & ~mask) | ((uint32_t)r->data << shift & mask));
    return 0;
}

static uint64_t port_access(struct emulator *e, const struct ioreq *r) {
    bool is_cf8 = r->addr >= CF8_PORT && r->addr < CF8_PORT + 4;

    if (!is_cf8)
        return ANSWER & size_mask(r->size);
    if (r->dir == IOREQ_READ)
        return e->cf8 >> (8 * (r->addr - CF8_PORT)) & size_mask(r->size);
    if (r->size == 4)
        e->cf8 = (uint32_t)r->data;
    return 0;
}

/* --- the ioreq protocol: state only moves forward (xen/common/ioreq.c, wait_for_io) ------------------------------ */

static uint64_t answer(struct emulator *e, const struct ioreq *r) {
    switch (r->type) {
    case IOREQ_TYPE_PIO:
        return port_access(e, r);
    case IOREQ_TYPE_COPY:
        return r->size == 8 ? (uint64_t)ANSWER << 32 | ANSWER : ANSWER & size_mask(r->size);
    case IOREQ_TYPE_PCI_CONFIG:
        return config_access(e, r);
    default: /* INVALIDATE, TIMEOFFSET: nothing to do but to complete */
        return r->data;
    }
}

static void handle(struct emulator *e, unsigned int vcpu) {
    volatile struct ioreq *shared = &e->page->vcpu_ioreq[vcpu];
    struct ioreq copy;

    if (shared->state != STATE_IOREQ_READY)
        return;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    copy = *(struct ioreq *)shared;
    shared->state = STATE_IOREQ_INPROCESS;
    copy.data = answer(e, &copy);
    if (!copy.data_is_ptr && copy.dir == IOREQ_READ)
        shared->data = copy.data;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    shared->state = STATE_IORESP_READY;
    xenevtchn_notify(e->events, e->port[vcpu]);
}

static void loop(struct emulator *e) {
    struct pollfd fd = {.fd = xenevtchn_fd(e->events), .events = POLLIN};

    while (!ended) {
        xenevtchn_port_or_error_t port;

        if (poll(&fd, 1, -1) <= 0)
            continue;
        port = xenevtchn_pending(e->events);
        if (port < 0)
            continue;
        xenevtchn_unmask(e->events, (evtchn_port_t)port);
        for (unsigned int i = 0; i < e->vcpus; i++) {
            if (e->port[i] == (evtchn_port_t)port)
                handle(e, i);
        }
    }
}

/* --- start and end ----------------------------------------------------------------------------------------------- */

static void open_all(struct emulator *e) {
    void *page = NULL;

    e->model = xendevicemodel_open(NULL, 0);
    e->events = xenevtchn_open(NULL, 0);
    e->foreign = xenforeignmemory_open(NULL, 0);
    if (!e->model || !e->events || !e->foreign)
        stop("opening Xen's interfaces (root in Dom0?)");
    if (xendevicemodel_create_ioreq_server(e->model, e->guest, HVM_IOREQSRV_BUFIOREQ_OFF, &e->server))
        stop("creating an ioreq server");
    e->resource = xenforeignmemory_map_resource(e->foreign, e->guest, XENMEM_resource_ioreq_server, e->server,
                                                XENMEM_resource_ioreq_server_frame_ioreq(0), 1, &page,
                                                PROT_READ | PROT_WRITE, 0);
    if (!e->resource)
        stop("mapping the ioreq page");
    e->page = page;
    if (xendevicemodel_nr_vcpus(e->model, e->guest, &e->vcpus) || e->vcpus > VCPUS_MAX)
        stop("counting vCPUs");
}

static void claim(struct emulator *e) {
    for (uint8_t device = 0; device < 2; device++) {
        if (xendevicemodel_map_pcidev_to_ioreq_server(e->model, e->guest, e->server, 0, 0, device, 0))
            stop("claiming a PCI address");
    }
    if (xendevicemodel_map_io_range_to_ioreq_server(e->model, e->guest, e->server, 0, CF8_PORT, CF8_PORT + 3))
        stop("claiming port 0xcf8");
    /* vp_eport is valid only from here on (ioreq_server_update_evtchn). */
    if (xendevicemodel_set_ioreq_server_state(e->model, e->guest, e->server, 1))
        stop("enabling the ioreq server");
    for (unsigned int i = 0; i < e->vcpus; i++) {
        evtchn_port_t remote = e->page->vcpu_ioreq[i].vp_eport;
        xenevtchn_port_or_error_t port = xenevtchn_bind_interdomain(e->events, e->guest, remote);

        if (port < 0)
            stop("binding a vCPU's event channel");
        e->port[i] = (evtchn_port_t)port;
    }
}

int main(int argc, char **argv) {
    static struct emulator e = {.bar = {BAR0_START, BAR1_START}};
    struct sigaction action = {.sa_handler = on_signal};
    char *rest;
    unsigned long domid;

    if (argc != 2 || (domid = strtoul(argv[1], &rest, 10), *rest) || !domid || domid >= DOMID_FIRST_RESERVED) {
        fputs("usage: bench-emulator DOMID   (of a paused PVH guest)\n", stderr);
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    e.guest = (domid_t)domid;
    open_all(&e);
    claim(&e);
    puts("EMULATOR ready");
    fflush(stdout);
    loop(&e);
    xendevicemodel_destroy_ioreq_server(e.model, e.guest, e.server);
    xenforeignmemory_unmap_resource(e.foreign, e.resource);
    return 0;
}
