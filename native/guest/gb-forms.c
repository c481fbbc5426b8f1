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
#include <sched.h>
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
#define HUGE_BYTES (2u << 20)
#define SCATTER_TRIES 64
#define COMPARE_EVERY 64

static struct forms forms;

static void die(const char *thing, const char *why) {
    printf("FORMS failed: %s: %s\n", thing, why);
    exit(2);
}

/* xorshift64* (Vigna 2016): same seed, same run. */
uint64_t forms_random(struct forms *f) {
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return f->random * 0x2545f4914f6cdd1du;
}

static uint64_t below(struct forms *f, uint64_t end) {
    return forms_random(f) % end;
}

/* --- devices ------------------------------------------------------------------------------------------------------ */

static void add_region(struct forms *f, const char *name, uint32_t device, uint32_t bar) {
    struct region *r = &f->model.region[f->model.region_count++];
    struct pci_bar found;
    const char *error = pci_open_bar(name, bar, &found);

    if (error)
        die(name, error);
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
        die(name, error ? error : "not an address like 0000:00:01.0");
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
        die("BARs", "they lie too far apart");
    mapped = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)f->window_start);
    if (mapped == MAP_FAILED)
        die("/dev/mem", "cannot map the BARs");
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
        die("BARs", "too few of them touch each other");
}

/* --- buffers ------------------------------------------------------------------------------------------------------ */

static uint64_t frame_of(const void *page) {
    uint64_t entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && pread(fd, &entry, 8, (off_t)((uintptr_t)page / PAGE_BYTES * 8)) == 8;

    close(fd);
    if (!good || !(entry >> 63)) /* Documentation/admin-guide/mm/pagemap.rst: bit 63 present, 54:0 frame */
        die("/proc/self/pagemap", "does not tell a frame");
    return entry & ((1ull << 55) - 1);
}

static uint32_t in_a_row(const uint8_t *buffer) {
    uint32_t count = 0;

    for (uint32_t i = 1; i < RAM_PAGES; i++)
        count += frame_of(buffer + i * PAGE_BYTES) == frame_of(buffer) + i;
    return count;
}

static uint8_t *map_pages(size_t bytes) {
    void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (mapped == MAP_FAILED)
        die("memory", "none for the buffers");
    return mapped;
}

/* The last page first, and others in between: the kernel hands out frames in order. */
static uint8_t *scattered(void) {
    for (int try = 0; try < SCATTER_TRIES; try++) {
        uint8_t *buffer = map_pages(RAM_BYTES), *other = map_pages(RAM_BYTES);

        for (uint32_t i = RAM_PAGES; i-- > 0;)
            buffer[i * PAGE_BYTES] = other[i * PAGE_BYTES] = 1;
        if (in_a_row(buffer) == 0)
            return buffer;
    }
    die("memory", "the kernel hands out frames in a row only");
    return NULL;
}

static uint8_t *contiguous(void) {
    uint8_t *mapped = map_pages(2 * HUGE_BYTES);
    uint8_t *buffer = mapped + (HUGE_BYTES - (uintptr_t)mapped % HUGE_BYTES);

    madvise(buffer, HUGE_BYTES, MADV_HUGEPAGE);
    memset(buffer, 1, HUGE_BYTES);
    if (in_a_row(buffer) != RAM_PAGES - 1)
        die("memory", "no huge page");
    return buffer;
}

/* --- the random sequence ------------------------------------------------------------------------------------------- */

static uint32_t random_size(struct forms *f, bool io) {
    return 1u << below(f, io ? 3 : 4);
}

/* Half of the time near an edge of some BAR. */
static uint64_t random_address(struct forms *f, bool io) {
    const struct region *r;
    uint64_t start = io ? f->port_start : f->window_start, end = io ? f->port_end : f->window_end, address;

    do
        r = &f->model.region[below(f, f->model.region_count)];
    while (r->io != io);
    if (forms_random(f) & 1)
        address = r->start + below(f, r->size);
    else
        address = r->start + (forms_random(f) & 1 ? r->size : 0) + below(f, 24) - 12;
    return address < start || address + 8 > end ? start : address;
}

/* A rep whose items are all somebody's or all nobody's: of a mixture Xen drops as much as it batched. */
static bool random_rep(struct forms *f, bool io, struct rep *r) {
    uint64_t low = random_address(f, io), bytes;
    uint32_t place;

    *r = (struct rep){.size = random_size(f, io), .buffer = (int)below(f, BUFFERS), .down = forms_random(f) & 1};
    r->count = 1 + (uint32_t)below(f, forms_random(f) % 8 ? 12 : 300);
    r->value = forms_random(f);
    bytes = (uint64_t)r->count * r->size;
    place = forms_random(f) & 1 ? PAGE_BYTES - (uint32_t)below(f, bytes + 1) : (uint32_t)below(f, RAM_BYTES - bytes);
    if (!io && (low + bytes > f->window_end || model_claimed(&f->model, false, low, bytes) == CLAIMED_SOME))
        return false;
    /* No item may lie across pages on both sides (forms_table.c). */
    if (!io && low % r->size)
        place &= ~(r->size - 1);
    r->place = r->down ? place + (uint32_t)bytes - r->size : place;
    r->address = r->down && !io ? low + bytes - r->size : low;
    return true;
}

static void random_single(struct forms *f) {
    bool io = forms_random(f) % 4 == 0;
    uint32_t size = random_size(f, io);
    uint64_t address = random_address(f, io), value = forms_random(f);
    bool safe = !model_dangerous(&f->model, io, address, size);
    /* Xen 4.17 emulates no read-modify-write across two pages of a device; the guest's vCPU tries it for ever. */
    bool one_page = address % PAGE_BYTES + size <= PAGE_BYTES;

    if (io && (forms_random(f) & 1 || !safe))
        op_in(f, address, size);
    else if (io)
        op_out(f, address, size, (uint32_t)value);
    else if (forms_random(f) & 1 || !safe)
        op_load(f, address, size);
    else if (value & 7 || !one_page)
        op_store(f, address, size, value);
    else
        op_add(f, address, size, value);
}

static void random_string(struct forms *f) {
    bool io = forms_random(f) % 4 == 0;
    struct rep r;
    uint64_t low, bytes;

    if (!random_rep(f, io, &r))
        return;
    bytes = io ? r.size : (uint64_t)r.count * r.size;
    low = r.down && !io ? r.address - bytes + r.size : r.address;
    if (forms_random(f) & 1 || model_dangerous(&f->model, io, low, bytes))
        (io ? op_ins : op_movs_from)(f, &r);
    else if (io)
        op_outs(f, &r);
    else
        (forms_random(f) & 1 ? op_movs_to : op_stos)(f, &r);
}

static void random_config(struct forms *f) {
    uint32_t device = (uint32_t)below(f, f->device_count), offset = (uint32_t)below(f, 0x70), size = random_size(f, true);
    struct rep r;

    if (forms_random(f) % 4 == 0 && random_rep(f, true, &r))
        config_rep(f, device, offset, r, forms_random(f) & 1 || !config_harmless(offset, r.size));
    else if (forms_random(f) & 1 && config_harmless(offset, size))
        config_store(f, device, offset, size, (uint32_t)forms_random(f));
    else
        config_load(f, device, offset, size);
}

static void random_one(struct forms *f) {
    switch (forms_random(f) % 8) {
    case 0:
        random_config(f);
        break;
    case 1:
    case 2:
    case 3:
        random_string(f);
        break;
    default:
        random_single(f);
    }
}

static void random_all(struct forms *f, uint64_t count) {
    uint64_t end = f->operations + count;

    for (uint64_t next = f->operations; f->operations < end;) {
        random_one(f);
        if (f->operations >= next) {
            forms_shuffle(f);
            op_compare_all(f);
            next = f->operations + COMPARE_EVERY;
        }
    }
    op_compare_all(f);
}

/* --------------------------------------------------------------------------------------------------------------- */

/* Whatever the devices have counted and kept before: from here on the model counts along. */
static void begin(struct forms *f) {
    forms_config_begin(f);
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
        die("arguments", "SEED COUNT DEVICE [DEVICE], as root");
    f->random = strtoull(argv[1], NULL, 0) | 1;
    count = strtoull(argv[2], NULL, 0);
    printf("FORMS seed %s\n", argv[1]);
    for (int i = 3; i < argc; i++)
        add_device(f, argv[i]);
    map_window(f);
    f->ram[0] = scattered();
    f->ram[1] = contiguous();
    begin(f);
    check_neighbours(f);
    forms_table(f);
    done(f, "table");
    forms_config(f);
    done(f, "config");
    random_all(f, count);
    done(f, "random");
    printf("FORMS ok %" PRIu64 "\n", f->operations);
    return 0;
}
