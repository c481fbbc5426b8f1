// SPDX-License-Identifier: MIT
/*
 * gb-forms SEED COUNT DEVICE...: every form of access to one or two register-file devices (test/modules), by sysfs
 * address, with BARs as the kernel placed them: a table of all forms, configuration space, then COUNT random
 * operations. `FORMS ok N` at the end, or `FORMS differ: ...` with the first operation whose outcome is not the
 * model's (forms.h). The module's parameter `seed` must be 77 for the first device and 78 for the second.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include "forms.h"
#include "insn.h"
#include "pci.h"

#define SEED_OF_FIRST 77
#define WINDOW_MAX (64u * PAGE_BYTES)

static struct forms forms;

void forms_die(const char *thing, const char *why) {
    printf("FORMS failed: %s: %s\n", thing, why);
    exit(2);
}

/* --- devices ------------------------------------------------------------------------------------------------------ */

static void add_region(struct forms *f, const char *name, uint32_t device, uint32_t bar) {
    struct region *r = &f->model.region[f->model.region_count++];
    struct pci_bar found;
    const char *error = pci_open_bar(name, bar, &found);

    if (error)
        forms_die(name, error);
    if (!found.is_io)
        munmap((void *)(uintptr_t)found.memory, found.size);
    *r = (struct region){.io = found.is_io, .device = device, .bar = bar, .start = found.start, .size = found.size};
    printf("FORMS layout: device %u BAR %u %s 0x%" PRIx64 " + 0x%" PRIx64 "\n", device, bar, r->io ? "ports" : "memory",
           r->start, r->size);
}

static void add_device(struct forms *f, const char *name) {
    uint32_t device = f->device_count++;
    unsigned slot;
    const char *error = pci_enable(name);

    if (error || sscanf(name, "0000:00:%x.0", &slot) != 1)
        forms_die(name, error ? error : "not an address like 0000:00:01.0");
    f->slot[device] = (uint8_t)slot;
    model_reset(&f->model, device, SEED_OF_FIRST + device);
    for (uint32_t bar = 0; bar <= TABLE_BAR; bar++)
        add_region(f, name, device, bar);
}

static void measure(struct forms *f) {
    f->window_start = f->port_start = UINT64_MAX;
    for (uint32_t i = 0; i < f->model.region_count; i++) {
        const struct region *r = &f->model.region[i];
        uint64_t *start = r->io ? &f->port_start : &f->window_start, *end = r->io ? &f->port_end : &f->window_end;

        *start = r->start < *start ? r->start : *start;
        *end = r->start + r->size > *end ? r->start + r->size : *end;
    }
    f->window_start &= ~(uint64_t)(PAGE_BYTES - 1);
    f->window_end = ((f->window_end + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1)) + PAGE_BYTES;
}

/* In one piece, so that accesses across BARs' ends can be made. */
static void map_window(struct forms *f) {
    int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
    size_t bytes = f->window_end - f->window_start;
    void *mapped;

    measure(f);
    bytes = f->window_end - f->window_start;
    if (bytes > WINDOW_MAX || f->port_end - f->port_start > PAGE_BYTES)
        forms_die("BARs", "they lie too far apart");
    mapped = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)f->window_start);
    if (mapped == MAP_FAILED)
        forms_die("/dev/mem", "cannot map the BARs");
    close(fd);
    f->window = mapped;
}

/* Neighbours are the point of half of the table. */
static void check_neighbours(const struct forms *f) {
    uint32_t touching[2][2] = {{0}}; /* [ports][inside a page] */

    for (uint32_t i = 0; i < f->model.region_count; i++) {
        const struct region *r = &f->model.region[i], *next = model_region(&f->model, r->io, r->start + r->size);

        if (next)
            touching[r->io][(r->start + r->size) % PAGE_BYTES != 0]++;
    }
    printf("FORMS neighbours: memory %u at a page's end, %u inside a page; ports %u\n", touching[0][0], touching[0][1],
           touching[1][1]);
    if (!touching[0][0] || !touching[0][1] || !touching[1][1])
        forms_die("BARs", "too few of them touch each other");
}

/* --------------------------------------------------------------------------------------------------------------- */

/* Every register that keeps something, to what it is after a reset. */
static void clear(struct forms *f, const struct region *r) {
    struct rep plain = {.address = r->start + PLAIN, .size = 4, .count = (REGISTERS_BYTES - PLAIN) / 4};

    if (r->bar == 0) {
        op_store(f, r->start + SCRATCH, 4, 0);
        op_stos(f, &plain);
    }
    for (uint32_t i = 0; r->bar == TABLE_BAR && i < TABLE_VECTORS; i++) {
        op_store(f, r->start + i * TABLE_ENTRY_BYTES, 8, 0);
        op_store(f, r->start + i * TABLE_ENTRY_BYTES + 8, 8, 1ull << 32); /* masked */
    }
}

/* Whatever the devices have kept and counted before: from here on the model knows it. */
static void begin(struct forms *f) {
    forms_config_begin(f);
    for (uint32_t i = 0; i < f->model.region_count; i++)
        clear(f, &f->model.region[i]);
    for (uint32_t i = 0; i < f->model.region_count; i++) {
        const struct region *r = &f->model.region[i];
        volatile uint8_t *memory = f->window + (r->start - f->window_start);

        if (r->bar != 0)
            continue;
        model_set(&f->model, r->device, WRITES, (uint32_t)insn_load(memory + WRITES, 4));
        model_set(&f->model, r->device, READS, (uint32_t)insn_load(memory + READS, 4) + 1);
    }
    forms_shuffle(f);
    op_compare_all(f);
}

static void done(const struct forms *f, const char *part) {
    printf("FORMS %s: %" PRIu64 " operations, %u reads, %u writes\n", part, f->operations,
           model_get(&f->model, 0, READS), model_get(&f->model, 0, WRITES));
}

int main(int argc, char **argv) {
    struct forms *f = &forms;
    uint64_t count;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 4 || argc > 3 + DEVICES_MAX || iopl(3))
        forms_die("arguments", "SEED COUNT DEVICE [DEVICE], as root");
    f->random = strtoull(argv[1], NULL, 0) | 1;
    count = strtoull(argv[2], NULL, 0);
    printf("FORMS seed %s\n", argv[1]);
    for (int i = 3; i < argc; i++)
        add_device(f, argv[i]);
    map_window(f);
    forms_buffers(f);
    begin(f);
    check_neighbours(f);
    forms_table(f);
    done(f, "table");
    forms_config(f);
    done(f, "config");
    forms_random_all(f, count);
    done(f, "random");
    forms_each(f);
    printf("FORMS ok %" PRIu64 "\n", f->operations);
    return 0;
}
