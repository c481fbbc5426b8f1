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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include "insn.h"
#include "threads.h"

struct pci_bar bar[DEVICES][BARS];
uint32_t devices;
static uint32_t count;
static pthread_barrier_t together;
static struct worker workers[THREADS];

static void stop(const char *thing, const char *why) {
    printf("THREADS failed: %s: %s\n", thing, why);
    exit(2);
}

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
    for (uint32_t i = 0; i < count; i++)
        worker_step(w);
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

static const char *const kind_name[KINDS] = {"mmio_reads", "mmio_writes", "pio_reads", "pio_writes"};

static void compare(uint32_t device, uint32_t writes_before, uint32_t reads_before) {
    uint32_t writes = counter(device, WRITES) - writes_before;
    uint32_t reads = counter(device, READS) - reads_before - 1; /* the look at WRITES */
    uint64_t writes_made = sum(device, MMIO_WRITE) + sum(device, PIO_WRITE);
    uint64_t reads_made = sum(device, MMIO_READ) + sum(device, PIO_READ);

    printf("THREADS device %u:", device);
    for (int kind = 0; kind < KINDS; kind++)
        printf(" %s=%" PRIu64, kind_name[kind], sum(device, kind));
    puts("");
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
