/* SPDX-License-Identifier: MIT */
/* gb-threads: what a thread keeps of what it did, and the one step that it does over and over (threads_work.c). */
#ifndef GUEST_THREADS_H
#define GUEST_THREADS_H

#include <pthread.h>
#include <stdint.h>

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

extern struct pci_bar bar[DEVICES][BARS];
extern uint32_t devices;

struct worker {
    pthread_t thread;
    uint32_t number;
    uint64_t random;
    uint8_t own[DEVICES][OWN_BYTES], ports[DEVICES][PORT_BYTES];
    uint32_t seen[DEVICES][SHARED + 1][THREADS];
    uint64_t calls[DEVICES][KINDS];
    uint64_t foreign; /* shared values of others, newer than those seen before */
};

/* One random operation on one of the devices; a wrong answer ends the program. */
void worker_step(struct worker *w);

#endif
