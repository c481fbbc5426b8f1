/* SPDX-License-Identifier: MIT */
/* What an access costs: timed one by one, the median of all. Reading the clock is contained in each; `nothing` is that
 * alone. With a pause before each they meet whatever else goes on. */
#include "kernel.h"

#define SAMPLES_MAX 4096
#define WARM_UP 32
#define ACCESS_BYTES 4

static uint32_t sample[SAMPLES_MAX];

static void nothing(uint64_t where) {
    (void)where;
}

static void memory_read(uint64_t where) {
    (void)mmio_read(where, ACCESS_BYTES);
}

static void memory_write(uint64_t where) {
    mmio_write(where, ACCESS_BYTES, 0x5a5a5a5a);
}

static void read_port(uint64_t where) {
    (void)port_read((uint16_t)where, ACCESS_BYTES);
}

static void write_port(uint64_t where) {
    port_write((uint16_t)where, ACCESS_BYTES, 0x5a5a5a5a);
}

static void (*const ACCESSES[])(uint64_t where) = {nothing, memory_read, memory_write, read_port, write_port};

const char *median_ns(uint64_t kind, uint64_t where, uint64_t count, uint64_t pause_us, uint64_t *out) {
    if (kind >= sizeof(ACCESSES) / sizeof(ACCESSES[0]))
        return "kinds are 0 nothing, 1 and 2 memory, 3 and 4 ports, read and write";
    if (!count || count > SAMPLES_MAX)
        return "1 to 4096 times";
    uint64_t random = 1;
    for (uint64_t i = 0; i < WARM_UP; i++)
        ACCESSES[kind](where);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t start;

        if (pause_us)
            sleep_us(pause_us / 2 + random_next(&random) % pause_us); /* in step with nobody's turns */
        start = time_ns();
        ACCESSES[kind](where);
        sample[i] = duration(start);
    }
    *out = durations_say("TIMES", sample, count);
    return NULL;
}
