/* SPDX-License-Identifier: MIT */
/*
 * Virtio 1.2 over PCI, as little of it as works: no feature but VERSION_1, one queue, MSI-X for what is done. Offsets
 * in BAR 0 and the doorbell in BAR 2 are the device's under test (unikernel/sdk/virtio/transport.ts), not looked up.
 */
#include "virtio.h"

#define COMMON_DRIVER_SELECT 0x08
#define COMMON_DRIVER_FEATURES 0x0c
#define COMMON_STATUS 0x14
#define COMMON_QUEUE_SELECT 0x16
#define COMMON_QUEUE_SIZE 0x18
#define COMMON_QUEUE_VECTOR 0x1a
#define COMMON_QUEUE_ENABLE 0x1c
#define COMMON_QUEUE_DESCRIPTORS 0x20
#define COMMON_QUEUE_AVAILABLE 0x28
#define COMMON_QUEUE_USED 0x30

#define ACKNOWLEDGE_DRIVER 3u
#define FEATURES_OK 8u
#define DRIVER_OK 4u
#define VERSION_1_HIGH 1u /* feature bit 32 */
#define FLAG_NEXT 1u
#define FLAG_WRITE 2u
#define NO_NOTIFY 1u
#define COMMAND_BYTES 512u

#define MSIX_CAPABILITY 0x11
#define MSIX_ENABLE 0x8000u
#define MESSAGE 0xfee00000ull
#define VECTOR 0x52

struct virtio_ring virtio_ring __attribute__((aligned(4096)));
static uint32_t commands[SLOTS][COMMAND_BYTES / 4] __attribute__((aligned(4096)));
static uint32_t answers[SLOTS][COMMAND_BYTES / 4] __attribute__((aligned(4096)));
static unsigned device; /* its slot on the bus; 0: none */
static uint64_t registers;
static uint16_t bell;
static uint32_t done, seen;

unsigned virtio_find(uint32_t id) {
    device = 0;
    for (unsigned slot = 1; slot < 32 && !device; slot++) {
        if (pci_read(slot, 0, 4) == id)
            device = slot;
    }
    registers = device ? pci_bar(device, 0) : 0;
    bell = device ? (uint16_t)pci_bar(device, 2) : 0;
    return device;
}

uint8_t virtio_status(void) {
    return (uint8_t)mmio_read(registers + COMMON_STATUS, 1);
}

static void set_status(uint8_t status) {
    mmio_write(registers + COMMON_STATUS, 1, status);
}

static void put_address(unsigned offset, uint64_t gpa) {
    mmio_write(registers + offset, 4, (uint32_t)gpa);
    mmio_write(registers + offset + 4, 4, gpa >> 32);
}

const char *virtio_start_at(uint64_t descriptors, uint64_t available, uint64_t used) {
    if (!device)
        return "no virtio device";
    set_status(0);
    set_status(ACKNOWLEDGE_DRIVER);
    for (uint32_t half = 0; half < 2; half++) {
        mmio_write(registers + COMMON_DRIVER_SELECT, 4, half);
        mmio_write(registers + COMMON_DRIVER_FEATURES, 4, half ? VERSION_1_HIGH : 0);
    }
    set_status(ACKNOWLEDGE_DRIVER | FEATURES_OK);
    if (!(virtio_status() & FEATURES_OK))
        return "the device does not want these features";
    mmio_write(registers + COMMON_QUEUE_SELECT, 2, 0);
    mmio_write(registers + COMMON_QUEUE_SIZE, 2, RING_SIZE);
    mmio_write(registers + COMMON_QUEUE_VECTOR, 2, 0);
    put_address(COMMON_QUEUE_DESCRIPTORS, descriptors);
    put_address(COMMON_QUEUE_AVAILABLE, available);
    put_address(COMMON_QUEUE_USED, used);
    mmio_write(registers + COMMON_QUEUE_ENABLE, 2, 1);
    set_status(ACKNOWLEDGE_DRIVER | FEATURES_OK | DRIVER_OK);
    return NULL;
}

/* Entry 0 of the table in BAR 1. */
static void interrupts_on(void) {
    uint64_t table = pci_bar(device, 1);

    mmio_write(table, 4, (uint32_t)MESSAGE);
    mmio_write(table + 4, 4, MESSAGE >> 32);
    mmio_write(table + 8, 4, VECTOR);
    mmio_write(table + 12, 4, 0);
    pci_write(device, pci_capability(device, MSIX_CAPABILITY) + 2, 2, MSIX_ENABLE);
}

const char *virtio_start(void) {
    memset(&virtio_ring, 0, sizeof(virtio_ring));
    done = seen = 0;
    if (device)
        interrupts_on();
    return virtio_start_at((uint64_t)virtio_ring.descriptor, (uint64_t)&virtio_ring.available,
        (uint64_t)&virtio_ring.used);
}

void virtio_bell(void) {
    port_write(bell, 2, 0);
}

uint32_t *virtio_command(unsigned slot) {
    memset(commands[slot], 0, COMMAND_BYTES);
    memset(answers[slot], 0, COMMAND_BYTES);
    return commands[slot];
}

/* The slot must not be under way. */
void virtio_submit(unsigned slot, uint32_t bytes) {
    virtio_submit_from(slot, commands[slot], bytes);
}

/* A command that lies elsewhere than in its slot, because it is longer. */
void virtio_submit_from(unsigned slot, const uint32_t *command, uint32_t bytes) {
    unsigned head = 2 * slot;
    uint16_t index = virtio_ring.available.index;

    virtio_ring.descriptor[head].address = (uint64_t)command;
    virtio_ring.descriptor[head].bytes = bytes;
    virtio_ring.descriptor[head].flags = FLAG_NEXT;
    virtio_ring.descriptor[head].next = (uint16_t)(head + 1);
    virtio_ring.descriptor[head + 1].address = (uint64_t)answers[slot];
    virtio_ring.descriptor[head + 1].bytes = COMMAND_BYTES;
    virtio_ring.descriptor[head + 1].flags = FLAG_WRITE;
    virtio_ring.available.head[index % RING_SIZE] = (uint16_t)head;
    __atomic_store_n(&virtio_ring.available.index, (uint16_t)(index + 1), __ATOMIC_SEQ_CST);
    if (!(__atomic_load_n(&virtio_ring.used.flags, __ATOMIC_SEQ_CST) & NO_NOTIFY))
        virtio_bell();
}

/* The answer's type; 0: there was none. */
uint32_t virtio_answer(unsigned slot) {
    return answers[slot][0];
}

/* How many commands have been answered since virtio_start(). */
uint32_t virtio_done(void) {
    uint16_t index = __atomic_load_n(&virtio_ring.used.index, __ATOMIC_SEQ_CST);

    done += (uint16_t)(index - (uint16_t)seen);
    seen = index;
    return done;
}

/* Asleep until so many have been answered; false: not within that time. */
bool virtio_wait(uint32_t wanted, uint64_t us) {
    timer_start(us);
    while ((int32_t)(virtio_done() - wanted) < 0) {
        if (!interrupt_await())
            return (int32_t)(virtio_done() - wanted) >= 0;
    }
    return true;
}
