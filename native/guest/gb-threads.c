// SPDX-License-Identifier: MIT
/*
 * gb-threads COUNT DEVICE...: four threads, each on a CPU of its own, use the same register-file devices
 * (test/modules) at once, COUNT operations each. An answer that is lost, doubled or given to another must show:
 *
 *   own registers     64 bytes a thread and device; what is read must be what this thread wrote last
 *   shared registers  hold who wrote and his how manyth write it was, twice; no half of one and half of another, no
 *                     value that was not written yet, none of a writer that is older than one already seen there
 *   WRITES, READS     in each device: exactly as many calls as all threads made
 *
 * It waits for a line before the threads start and before the counters are compared, so that the mediator's own
 * counters can be read around them. `THREADS ok ...` at the end, or `THREADS differ: ...`.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include "insn.h"
#include "pci.h"

#define THREADS 4
#define DEVICES 2
#define OWN_BYTES 64u
#define OWN_START 0x100u /* in BAR 0; BAR 2 shows the same from its start */
#define PORT_BYTES 8u    /* each thread's part of BAR 3, which shows BAR 0 from 0x40 */
#define PORT_START 0x40u
#define SHARED_START 0x200u
#define SHARED 4u
#define SCRATCH 0x04u
#define WRITES 0x0cu
#define READS 0x10u

enum { MMIO_READ, MMIO_WRITE, PIO_READ, PIO_WRITE, KINDS };
enum { MEMORY, PORTS, SMALL, SMALL_PORTS, BARS };

static struct pci_bar bar[DEVICES][BARS];
static uint32_t devices, count;
static atomic_uint issued[THREADS]; /* how many shared writes each thread has begun */
static pthread_barrier_t together;

struct worker {
    pthread_t thread;
    uint32_t number;
    uint64_t random;
    uint8_t own[DEVICES][OWN_BYTES], ports[DEVICES][PORT_BYTES];
    uint32_t seen[DEVICES][SHARED + 1][THREADS];
    uint64_t calls[DEVICES][KINDS];
    uint64_t foreign; /* shared values of others, newer than those seen before */
};
static struct worker workers[THREADS];

static void stop(const char *thing, const char *why) {
    printf("THREADS failed: %s: %s\n", thing, why);
    exit(2);
}

static void differ(const struct worker *w, const char *what, uint32_t at, uint64_t got, uint64_t want) {
    printf("THREADS differ: thread %u: %s 0x%x: got 0x%" PRIx64 " instead of 0x%" PRIx64 "\n", w->number, what, at, got,
           want);
    exit(1);
}

static uint64_t next(struct worker *w) { /* xorshift64*, Vigna 2016 */
    w->random ^= w->random >> 12;
    w->random ^= w->random << 25;
    w->random ^= w->random >> 27;
    return w->random * 0x2545f4914f6cdd1du;
}

/* --- own registers ------------------------------------------------------------------------------------------------ */

/* The same bytes by BAR 0 or by BAR 2. */
static volatile uint8_t *own_place(struct worker *w, uint32_t device, uint32_t offset) {
    offset += w->number * OWN_BYTES;
    return next(w) & 1 ? bar[device][MEMORY].memory + OWN_START + offset : bar[device][SMALL].memory + offset;
}

static void own_single(struct worker *w, uint32_t device) {
    uint32_t size = 1u << next(w) % 4, offset = (uint32_t)(next(w) % (OWN_BYTES - size + 1));
    uint64_t value = next(w) >> (64 - 8 * size), want = 0;

    if (next(w) & 1) {
        insn_store(own_place(w, device, offset), size, value);
        memcpy(w->own[device] + offset, &value, size);
        w->calls[device][MMIO_WRITE]++;
        return;
    }
    memcpy(&want, w->own[device] + offset, size);
    value = insn_load(own_place(w, device, offset), size);
    w->calls[device][MMIO_READ]++;
    if (value != want)
        differ(w, "own register", offset, value, want);
}

static void own_string(struct worker *w, uint32_t device) {
    uint8_t buffer[OWN_BYTES];
    uint32_t items = 1 + (uint32_t)(next(w) % (OWN_BYTES / 4));

    if (next(w) & 1) {
        for (uint32_t i = 0; i < items * 4; i++)
            buffer[i] = w->own[device][i] = (uint8_t)next(w);
        insn_movs(own_place(w, device, 0), buffer, items, 4, false);
        w->calls[device][MMIO_WRITE] += items;
        return;
    }
    insn_movs(buffer, own_place(w, device, 0), items, 4, false);
    w->calls[device][MMIO_READ] += items;
    for (uint32_t i = 0; i < items * 4; i++) {
        if (buffer[i] != w->own[device][i])
            differ(w, "own register, by rep movs", i, buffer[i], w->own[device][i]);
    }
}

static void own_port(struct worker *w, uint32_t device) {
    uint32_t size = 1u << next(w) % 3, offset = (uint32_t)(next(w) % (PORT_BYTES - size + 1)), value, want = 0;
    uint16_t port = (uint16_t)(bar[device][SMALL_PORTS].start + w->number * PORT_BYTES + offset);

    if (next(w) & 1) {
        value = (uint32_t)next(w);
        insn_out(port, size, value);
        memcpy(w->ports[device] + offset, &value, size);
        w->calls[device][PIO_WRITE]++;
        return;
    }
    memcpy(&want, w->ports[device] + offset, size);
    value = insn_in(port, size);
    w->calls[device][PIO_READ]++;
    if (value != want)
        differ(w, "own port", offset, value, want);
}

/* --- shared registers --------------------------------------------------------------------------------------------- */

/* 0 is nobody's: the value at the start. */
static uint32_t tag(struct worker *w) {
    uint32_t turn = atomic_fetch_add(&issued[w->number], 1) + 1;

    return (w->number + 1) << 24 | turn;
}

static void check_tag(struct worker *w, uint32_t device, uint32_t where, uint32_t value) {
    uint32_t writer = (value >> 24) - 1, turn = value & 0xffffff;
    uint32_t *seen = w->seen[device][where];

    if (value == 0)
        return;
    if (writer >= THREADS || turn > atomic_load(&issued[writer]))
        differ(w, "shared register never written so", where, value, 0);
    if (turn < seen[writer])
        differ(w, "shared register went back", where, turn, seen[writer]);
    w->foreign += writer != w->number && turn > seen[writer];
    seen[writer] = turn;
}

static void shared_memory(struct worker *w, uint32_t device) {
    uint32_t where = (uint32_t)(next(w) % SHARED);
    volatile uint8_t *place = bar[device][MEMORY].memory + SHARED_START + 8 * where;
    uint64_t value;

    if (next(w) & 1) {
        value = tag(w);
        insn_store(place, 8, value << 32 | value);
        w->calls[device][MMIO_WRITE]++;
        return;
    }
    value = insn_load(place, 8);
    w->calls[device][MMIO_READ]++;
    if (value >> 32 != (uint32_t)value)
        differ(w, "shared register in halves", where, value, value >> 32);
    check_tag(w, device, where, (uint32_t)value);
}

static void shared_port(struct worker *w, uint32_t device) {
    uint16_t port = (uint16_t)(bar[device][PORTS].start + SCRATCH);

    if (next(w) & 1) {
        insn_out(port, 4, tag(w));
        w->calls[device][PIO_WRITE]++;
        return;
    }
    check_tag(w, device, SHARED, insn_in(port, 4));
    w->calls[device][PIO_READ]++;
}

/* --- threads -------------------------------------------------------------------------------------------------------- */

typedef void (*operation_fn)(struct worker *w, uint32_t device);
static const operation_fn operations[] = {own_single, own_single, own_string, own_port, shared_memory, shared_port};

static void pin(uint32_t cpu) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        stop("CPUs", "there are fewer than four");
}

static void *work(void *arg) {
    struct worker *w = arg;

    pin(w->number);
    if (iopl(3))
        stop("iopl", "the kernel does not allow port access");
    pthread_barrier_wait(&together);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t choice = next(w);

        operations[choice % (sizeof(operations) / sizeof(operations[0]))](w, (uint32_t)(choice >> 32) % devices);
    }
    return NULL;
}

static void open_device(const char *name) {
    const char *error = pci_enable(name);

    for (uint32_t i = 0; !error && i < BARS; i++)
        error = pci_open_bar(name, i, &bar[devices][i]);
    if (error)
        stop(name, error);
    /* A BAR smaller than a page is mapped with its page. */
    bar[devices][SMALL].memory += bar[devices][SMALL].start % 4096;
    for (uint32_t i = 0; i < THREADS * OWN_BYTES; i += 8)
        insn_store(bar[devices][MEMORY].memory + OWN_START + i, 8, 0);
    for (uint32_t i = 0; i < THREADS * PORT_BYTES; i += 8)
        insn_store(bar[devices][MEMORY].memory + PORT_START + i, 8, 0);
    for (uint32_t i = 0; i < SHARED; i++)
        insn_store(bar[devices][MEMORY].memory + SHARED_START + 8 * i, 8, 0);
    insn_store(bar[devices][MEMORY].memory + SCRATCH, 4, 0);
    devices++;
}

static uint32_t counter(uint32_t device, uint32_t offset) {
    return (uint32_t)insn_load(bar[device][MEMORY].memory + offset, 4);
}

static void wait_line(void) {
    char line[80];

    while (fgets(line, sizeof(line), stdin) && !strchr(line, '\n'))
        ;
}

static uint64_t sum(uint32_t device, int kind) {
    uint64_t calls = 0;

    for (uint32_t i = 0; i < THREADS; i++)
        calls += workers[i].calls[device][kind];
    return calls;
}

static void compare(uint32_t device, uint32_t writes_before, uint32_t reads_before) {
    uint32_t writes = counter(device, WRITES) - writes_before;
    uint32_t reads = counter(device, READS) - reads_before - 1; /* the look at WRITES */
    uint64_t writes_made = sum(device, MMIO_WRITE) + sum(device, PIO_WRITE);
    uint64_t reads_made = sum(device, MMIO_READ) + sum(device, PIO_READ);

    printf("THREADS device %u: mmio_reads=%" PRIu64 " mmio_writes=%" PRIu64 " pio_reads=%" PRIu64 " pio_writes=%" PRIu64
           "\n", device, sum(device, MMIO_READ), sum(device, MMIO_WRITE), sum(device, PIO_READ), sum(device, PIO_WRITE));
    if (writes == writes_made && reads == reads_made)
        return;
    printf("THREADS differ: device %u saw %u writes and %u reads instead of %" PRIu64 " and %" PRIu64 "\n", device,
           writes, reads, writes_made, reads_made);
    exit(1);
}

static void run(void) {
    pthread_barrier_init(&together, NULL, THREADS);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i].number = i;
        workers[i].random = 0x9e3779b97f4a7c15u * (i + 1);
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            stop("threads", "cannot make one");
    }
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
}

int main(int argc, char **argv) {
    uint32_t writes[DEVICES], reads[DEVICES];
    uint64_t foreign = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 3 || argc > 2 + DEVICES)
        stop("arguments", "COUNT DEVICE [DEVICE]");
    count = (uint32_t)strtoul(argv[1], NULL, 0);
    for (int i = 2; i < argc; i++)
        open_device(argv[i]);
    for (uint32_t i = 0; i < devices; i++) {
        writes[i] = counter(i, WRITES);
        reads[i] = counter(i, READS) + 1; /* this look, too */
    }
    puts("THREADS ready");
    wait_line();
    run();
    puts("THREADS done");
    wait_line();
    for (uint32_t i = 0; i < devices; i++)
        compare(i, writes[i], reads[i]);
    for (uint32_t i = 0; i < THREADS; i++)
        foreign += workers[i].foreign;
    printf("THREADS ok %d x %u, %" PRIu64 " values of others seen\n", THREADS, count, foreign);
    return 0;
}
