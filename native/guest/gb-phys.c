// SPDX-License-Identifier: MIT
/*
 * gb-phys ADDRESS BYTES: what answers at guest-physical addresses, whoever it is. Reads the first word of each page
 * and prints `PHYS 0x... pages=N ones=M crc=XXXXXXXX`: ones = pages whose first word is all ones, as it is where
 * nobody answers; the CRC-32 is over those words in order, so pages that were moved with their contents keep it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crc32.h"

#define PAGE 4096u
#define BYTES_MAX (256u << 20) /* the largest BAR of a module in RAM */

static int fail(const char *what, const char *why) {
    printf("PHYS failed: %s: %s\n", what, why);
    return 1;
}

static int number(const char *text, uint64_t *out) {
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    return errno || end == text || *end || *out % PAGE;
}

static void look(uint64_t address, const volatile uint8_t *memory, uint64_t pages) {
    uint64_t ones = 0;
    uint32_t crc = 0;

    for (uint64_t i = 0; i < pages; i++) {
        uint32_t word = *(const volatile uint32_t *)(memory + i * PAGE);

        ones += word == UINT32_MAX;
        crc = crc32_add(crc, &word, sizeof(word));
    }
    printf("PHYS 0x%llx pages=%llu ones=%llu crc=%08x\n", (unsigned long long)address, (unsigned long long)pages,
           (unsigned long long)ones, crc);
}

int main(int argc, char **argv) {
    uint64_t address, bytes;
    void *memory;
    int fd;

    if (argc != 3 || number(argv[1], &address) || number(argv[2], &bytes) || !bytes || bytes > BYTES_MAX)
        return fail("arguments", "ADDRESS BYTES, whole pages, at most 256 MiB");
    fd = open("/dev/mem", O_RDONLY | O_SYNC | O_CLOEXEC);
    if (fd < 0)
        return fail("/dev/mem", strerror(errno));
    memory = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, (off_t)address);
    close(fd);
    if (memory == MAP_FAILED)
        return fail(argv[1], strerror(errno));
    look(address, memory, bytes / PAGE);
    return 0;
}
