/* SPDX-License-Identifier: MIT */
/* Two vCPUs at once: decoding goes off and on under the other's accesses; one dies while the other waits. */
#include "kernel.h"

#define SCRATCH 4
#define COMMAND_ALL 7
#define COMMAND_NO_DECODE 4
#define DEATH_DELAY 20000000u /* turns of a loop: long after the other vCPU's access has left for the mediator */

static unsigned race_slot;
static uint64_t race_rounds;
static volatile bool in_request;

static void toggle(void) {
    for (uint64_t i = 0; i < race_rounds; i++) {
        pci_command(race_slot, COMMAND_NO_DECODE);
        pci_command(race_slot, COMMAND_ALL);
    }
}

/* A read gives what was written, what stood there before, or all ones: never something else. */
const char *race_decode(unsigned slot, uint64_t rounds) {
    uint64_t at = pci_bar(slot, 0) + SCRATCH;
    uint32_t before = (uint32_t)mmio_read(at, 4);
    uint64_t ones = 0, hits = 0;
    race_slot = slot;
    race_rounds = rounds;
    if (!second_run(toggle))
        return "no second vCPU";
    for (uint32_t value = 1; second_busy(); value++) {
        uint32_t now;
        mmio_write(at, 4, value);
        now = (uint32_t)mmio_read(at, 4);
        if (now != value && now != before && now != 0xffffffff)
            return "an answer of nobody's";
        ones += now == 0xffffffff;
        hits += now == value;
        before = now == 0xffffffff ? before : now;
        /* the write may have come through although the read did not */
        if (now == 0xffffffff && !second_busy())
            break;
        if (now == 0xffffffff) {
            while ((now = (uint32_t)mmio_read(at, 4)) == 0xffffffff && second_busy())
                ;
            if (now != value && now != before && now != 0xffffffff)
                return "an answer of nobody's, later";
            before = now == 0xffffffff ? before : now;
        }
    }
    say("RACE ones %u hits %u\n", ones, hits);
    mmio_write(at, 4, 0x1234);
    return mmio_read(at, 4) == 0x1234 ? NULL : "the device does not answer after the race";
}

static void die_later(void) {
    while (!in_request)
        ;
    for (volatile uint32_t i = 0; i < DEATH_DELAY; i++)
        ;
    triple_fault();
}

_Noreturn void die_in_request(uint64_t gpa) {
    second_run(die_later);
    in_request = true;
    mmio_read(gpa, 4);
    for (;;)
        yield();
}
