// SPDX-License-Identifier: MIT
/*
 * gb-measure: what an access costs, seen from a guest. Each kind is timed access by access (least, median) and as
 * one loop without a clock inside (mean). One line of JSON; times in nanoseconds of CLOCK_MONOTONIC. The kind
 * "clock" is what reading the clock itself costs, and is contained in every least and median.
 *
 *   gb-measure --device VVVV:DDDD [--bar N] [--io-bar N] [--offset BYTES]   a device's BARs
 *   gb-measure --mmio-phys ADDRESS | --port NUMBER                          any address, e.g. one that nobody claims
 *   ... [--count N] [--label TEXT]
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pci.h"

#define COUNT_DEFAULT 3000
#define COUNT_MAX 1000000
#define WARM_UP 32
#define PAGE 4096

struct target {
    const char *label;
    uint32_t count;
    struct pci_bar memory, ports; /* size 0 = not asked for */
    uint64_t offset;
};

typedef void (*access_fn)(const struct target *t);

static void read_memory(const struct target *t) {
    (void)*(volatile uint32_t *)(t->memory.memory + t->offset);
}

static void write_memory(const struct target *t) {
    *(volatile uint32_t *)(t->memory.memory + t->offset) = 0x5a5a5a5a;
}

static void read_port(const struct target *t) {
    (void)inl((uint16_t)(t->ports.start + t->offset));
}

static void write_port(const struct target *t) {
    outl(0x5a5a5a5a, (uint16_t)(t->ports.start + t->offset));
}

/* Leaf 0x40000000 is Xen's own (xen/arch-x86/cpuid.h): an exit to Xen and back, nothing else. */
static void ask_cpuid(const struct target *t) {
    uint32_t a = 0x40000000, b, c = 0, d;

    (void)t;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}

static void nothing(const struct target *t) {
    (void)t;
}

static uint64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void measure(const struct target *t, const char *kind, access_fn access) {
    uint64_t *sample = calloc(t->count, sizeof(*sample));
    uint64_t start, end;

    if (!sample) {
        fprintf(stderr, "gb-measure: no memory for %u samples\n", t->count);
        exit(1);
    }
    for (uint32_t i = 0; i < WARM_UP; i++)
        access(t);
    for (uint32_t i = 0; i < t->count; i++) {
        start = now_ns();
        access(t);
        sample[i] = now_ns() - start;
    }
    start = now_ns();
    for (uint32_t i = 0; i < t->count; i++)
        access(t);
    end = now_ns();
    qsort(sample, t->count, sizeof(*sample), by_size);
    printf(",\"%s\":{\"min\":%llu,\"median\":%llu,\"mean\":%.1f}", kind, (unsigned long long)sample[0],
           (unsigned long long)sample[t->count / 2], (double)(end - start) / t->count);
    free(sample);
}

static void stop(const char *thing, const char *why) {
    printf("MEASURE failed: %s: %s\n", thing, why);
    exit(1);
}

static uint64_t number(const char *text, uint64_t max) {
    char *end;
    uint64_t value = strtoull(text, &end, 0);

    if (end == text || *end || value > max)
        stop(text, "not a number in range");
    return value;
}

/* Uncached, as O_SYNC asks; the kernel allows it where no RAM and no driver is. */
static void map_physical(struct target *t, uint64_t address) {
    int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
    off_t page = (off_t)(address & ~(uint64_t)(PAGE - 1));
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, page);

    if (mapped == MAP_FAILED)
        stop("/dev/mem", "cannot map that address");
    close(fd);
    t->memory = (struct pci_bar){.start = address, .size = PAGE, .memory = (volatile uint8_t *)mapped + address % PAGE};
}

static void open_device(struct target *t, const char *device, int bar, int io_bar) {
    char name[64];
    const char *error = pci_find(device, name, sizeof(name));

    if (!error)
        error = pci_enable(name);
    if (!error && bar >= 0)
        error = pci_open_bar(name, (uint32_t)bar, &t->memory);
    if (!error && io_bar >= 0)
        error = pci_open_bar(name, (uint32_t)io_bar, &t->ports);
    if (error)
        stop(device, error);
    if (bar >= 0 && (t->memory.is_io || t->offset + 4 > t->memory.size))
        stop(device, "--bar is no memory BAR, or smaller than --offset and 4 bytes");
    if (io_bar >= 0 && (!t->ports.is_io || t->offset + 4 > t->ports.size))
        stop(device, "--io-bar is no I/O BAR, or smaller than --offset and 4 bytes");
}

static const struct option LONG[] = {
    {"device", required_argument, NULL, 'd'}, {"bar", required_argument, NULL, 'b'},
    {"io-bar", required_argument, NULL, 'i'}, {"offset", required_argument, NULL, 'o'},
    {"mmio-phys", required_argument, NULL, 'm'}, {"port", required_argument, NULL, 'p'},
    {"count", required_argument, NULL, 'n'}, {"label", required_argument, NULL, 'l'}, {NULL, 0, NULL, 0},
};

static void read_options(struct target *t, int argc, char **argv) {
    const char *device = NULL;
    int bar = -1, io_bar = -1, key;

    while ((key = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        if (key == 'd')
            device = optarg;
        else if (key == 'b')
            bar = (int)number(optarg, PCI_BARS - 1);
        else if (key == 'i')
            io_bar = (int)number(optarg, PCI_BARS - 1);
        else if (key == 'o')
            t->offset = number(optarg, UINT32_MAX);
        else if (key == 'm')
            map_physical(t, number(optarg, UINT64_MAX));
        else if (key == 'p')
            t->ports = (struct pci_bar){.is_io = true, .start = number(optarg, 0xfffc), .size = 4};
        else if (key == 'n')
            t->count = (uint32_t)number(optarg, COUNT_MAX);
        else if (key == 'l')
            t->label = optarg;
        else
            stop("options", "see the head of gb-measure.c");
    }
    if (!t->count)
        stop("--count", "must be at least 1");
    if (!device && t->offset)
        stop("--offset", "belongs to --device");
    if (device)
        open_device(t, device, bar, io_bar);
}

int main(int argc, char **argv) {
    struct target t = {.label = "", .count = COUNT_DEFAULT};

    read_options(&t, argc, argv);
    if (t.ports.size && iopl(3))
        stop("iopl", "the kernel does not allow port access");
    mlockall(MCL_CURRENT | MCL_FUTURE);
    printf("MEASURE {\"label\":\"%s\",\"count\":%u", t.label, t.count);
    measure(&t, "clock", nothing);
    if (t.memory.size) {
        measure(&t, "mmio_read", read_memory);
        measure(&t, "mmio_write", write_memory);
    }
    if (t.ports.size) {
        measure(&t, "port_in", read_port);
        measure(&t, "port_out", write_port);
    }
    measure(&t, "cpuid", ask_cpuid);
    puts("}");
    return 0;
}
