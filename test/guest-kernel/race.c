/* SPDX-License-Identifier: MIT */
/* Two vCPUs at once: decoding goes off and on under the other's accesses; one dies while the other waits. */
#include "kernel.h"

#define SCRATCH 4
#define ALL_ONES 0xffffffffu
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

/*
 * A read gives what was just written, or all ones, or - when the write met decoding switched off and the read did not -
 * what stood there before: never something else.
 */
const char *race_decode(unsigned slot, uint64_t rounds) {
    uint64_t at = pci_bar(slot, 0) + SCRATCH, ones = 0, hits = 0;
    uint32_t before = (uint32_t)mmio_read(at, 4), value = 0, now;
    race_slot = slot;
    race_rounds = rounds;
    if (!second_run(toggle))
        return "no second vCPU";
    while (second_busy()) {
        mmio_write(at, 4, ++value);
        do {
            now = (uint32_t)mmio_read(at, 4);
            ones += now == ALL_ONES;
        } while (now == ALL_ONES && second_busy());
        if (now != value && now != before && now != ALL_ONES)
            return "an answer of nobody's";
        hits += now == value;
        before = now == ALL_ONES ? value : now;
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
