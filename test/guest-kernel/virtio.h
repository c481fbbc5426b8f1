/* SPDX-License-Identifier: MIT */
/*
 * The first queue of a virtio device as this kernel drives it (virtio.c): each command has a slot, with a descriptor
 * for itself and one for its answer. And who wants to lays the ring out by hand.
 */
#ifndef GUEST_KERNEL_VIRTIO_H
#define GUEST_KERNEL_VIRTIO_H

#include "kernel.h"

#define RING_SIZE 256u
#define SLOTS (RING_SIZE / 2)

struct virtio_ring {
    struct {
        uint64_t address;
        uint32_t bytes;
        uint16_t flags, next;
    } descriptor[RING_SIZE];
    struct {
        uint16_t flags, index, head[RING_SIZE], event;
    } available;
    struct {
        uint16_t flags, index;
        struct {
            uint32_t head, bytes;
        } element[RING_SIZE];
        uint16_t event;
    } used __attribute__((aligned(16)));
};

extern struct virtio_ring virtio_ring;

unsigned virtio_find(uint32_t id);
const char *virtio_start(void);
const char *virtio_start_at(uint64_t descriptors, uint64_t available, uint64_t used);
uint8_t virtio_status(void);
void virtio_bell(void);
uint32_t *virtio_command(unsigned slot);
void virtio_submit(unsigned slot, uint32_t bytes);
void virtio_submit_from(unsigned slot, const uint32_t *command, uint32_t bytes);
uint32_t virtio_answer(unsigned slot);
uint32_t virtio_done(void);
bool virtio_wait(uint32_t done, uint64_t us);
#endif
