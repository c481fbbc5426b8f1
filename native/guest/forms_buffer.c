// SPDX-License-Identifier: MIT
/*
 * The two buffers of string instructions: one whose frames lie scattered, so that a batch ends with each page, and one
 * whose frames lie in a row, so that an item across two pages is one request. What the kernel gave is looked up.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "forms.h"

#define HUGE_BYTES (2u << 20)
#define SCATTER_TRIES 64

static uint64_t frame_of(const void *page) {
    uint64_t entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && pread(fd, &entry, 8, (off_t)((uintptr_t)page / PAGE_BYTES * 8)) == 8;

    close(fd);
    if (!good || !(entry >> 63)) /* Documentation/admin-guide/mm/pagemap.rst: bit 63 present, 54:0 frame */
        forms_die("/proc/self/pagemap", "does not tell a frame");
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
        forms_die("memory", "none for the buffers");
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
    forms_die("memory", "the kernel hands out frames in a row only");
}

static uint8_t *contiguous(void) {
    uint8_t *mapped = map_pages(2 * HUGE_BYTES);
    uint8_t *buffer = mapped + (HUGE_BYTES - (uintptr_t)mapped % HUGE_BYTES);

    madvise(buffer, HUGE_BYTES, MADV_HUGEPAGE);
    memset(buffer, 1, HUGE_BYTES);
    if (in_a_row(buffer) != RAM_PAGES - 1)
        forms_die("memory", "no huge page");
    return buffer;
}

void forms_buffers(struct forms *f) {
    f->ram[0] = scattered();
    f->ram[1] = contiguous();
}
