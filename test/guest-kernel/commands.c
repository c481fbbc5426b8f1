/* SPDX-License-Identifier: MIT */
/* The commands, a row each. Numbers are decimal or 0x...; an answer is `N ok ...` or `N failed: ...`. */
#include "kernel.h"

#include <xen/xen.h>
#include <xen/sched.h>

static uint64_t a[ARGUMENTS_MAX];
static unsigned count;
static uint8_t scratch[65536] __attribute__((aligned(4096)));

/* What a command answers: words of failure or NULL; `value` is printed. */
static uint64_t value;

static const char *set_up(void) {
    pci_set_up();
    return NULL;
}

static const char *read_memory(void) {
    value = mmio_read(a[0], (unsigned)a[1]);
    return NULL;
}

static const char *write_memory(void) {
    mmio_write(a[0], (unsigned)a[1], a[2]);
    return NULL;
}

static const char *read_port(void) {
    value = port_read((uint16_t)a[0], (unsigned)a[1]);
    return NULL;
}

static const char *write_port(void) {
    port_write((uint16_t)a[0], (unsigned)a[1], (uint32_t)a[2]);
    return NULL;
}

static const char *read_config(void) {
    value = pci_read((unsigned)a[0], (unsigned)a[1], (unsigned)a[2]);
    return NULL;
}

static const char *write_config(void) {
    pci_write((unsigned)a[0], (unsigned)a[1], (unsigned)a[2], (uint32_t)a[3]);
    return NULL;
}

static const char *place(void) {
    pci_place((unsigned)a[0], (unsigned)a[1], a[2]);
    return NULL;
}

static const char *bar(void) {
    value = pci_bar((unsigned)a[0], (unsigned)a[1]);
    return NULL;
}

static const char *command(void) {
    pci_command((unsigned)a[0], (uint16_t)a[1]);
    return NULL;
}

/* stos GPA VALUE SIZE COUNT DOWN; a count that wraps is cut by the guest's own memory, not by us. */
static const char *stos(void) {
    rep_store(reach(a[0]), a[1], (unsigned)a[2], a[3], a[4]);
    return NULL;
}

/* movs_to GPA SIZE COUNT DOWN, movs_from: against a buffer of ours that is smaller than what may be asked for. */
static const char *movs_to(void) {
    rep_move(reach(a[0]), scratch + sizeof(scratch) / 2, (unsigned)a[1], a[2], a[3]);
    return NULL;
}

static const char *movs_from(void) {
    rep_move(scratch + sizeof(scratch) / 2, reach(a[0]), (unsigned)a[1], a[2], a[3]);
    value = *(uint64_t *)(scratch + sizeof(scratch) / 2);
    return NULL;
}

static const char *ins(void) {
    rep_in((uint16_t)a[0], scratch + sizeof(scratch) / 2, (unsigned)a[1], a[2], a[3]);
    value = *(uint32_t *)(scratch + sizeof(scratch) / 2);
    return NULL;
}

/* From device space to device space. */
static const char *copy(void) {
    rep_move(reach(a[0]), reach(a[1]), (unsigned)a[2], a[3], false);
    return NULL;
}

static const char *apic(void) {
    value = apic_version();
    return NULL;
}

static const char *msi(void) {
    pci_msi((unsigned)a[0], a[1], (uint16_t)a[2], a[3]);
    return NULL;
}

static const char *interrupts(void) {
    interrupts_take();
    value = interrupts_seen((uint8_t)a[0]);
    return NULL;
}

static const char *give(void) {
    value = (uint64_t)memory_give(a[0] >> 12, a[1]);
    return NULL;
}

static const char *take(void) {
    value = (uint64_t)memory_take(a[0] >> 12, a[1]);
    return NULL;
}

static const char *race(void) {
    return race_decode((unsigned)a[0], a[1]);
}

static const char *die(void) {
    say("KERNEL dies\n");
    if (count)
        die_in_request(a[0]);
    triple_fault();
}

static const char *draw_picture(void) {
    uint32_t crc = 0;
    const char *error = draw((unsigned)a[0], (unsigned)a[1], (unsigned)a[2], (uint32_t)a[3], &crc);
    value = crc;
    return error;
}

static const char *use_device(void) {
    return use((unsigned)a[0], a[1]);
}

/* Accesses for a time, nothing else. */
static const char *spin(void) {
    for (uint64_t end = time_ns() + a[1] * 1000000; time_ns() < end; value++) {
        mmio_write(a[0], 4, value);
        if ((uint32_t)mmio_read(a[0], 4) != (uint32_t)value)
            return "a register forgets";
    }
    return NULL;
}

/* play SEED COUNT GPA SPAN: random accesses of every size; answers an FNV-1a hash of what was read. The test does the
 * same to the module in V8. */
static const char *play(void) {
    uint64_t state = a[0];
    value = 0xcbf29ce484222325ull;
    for (uint64_t i = 0; i < a[1]; i++) {
        uint64_t dice = random_next(&state), data = random_next(&state);
        unsigned size = 1u << (dice >> 8 & 3);
        uint64_t gpa = a[2] + (dice >> 16) % a[3] / size * size;
        if (dice & 1)
            mmio_write(gpa, size, data);
        else
            value = (value ^ mmio_read(gpa, size)) * 0x100000001b3ull;
    }
    return NULL;
}

/* cycle COUNT: as often a device comes to slot 1, is used and leaves. */
static const char *cycle(void) {
    for (uint64_t i = 0; i < a[0]; i++) {
        const char *error;
        while (!pci_present(1))
            sleep_us(2000);
        pci_set_up();
        error = use(1, i);
        if (error)
            return error;
        say("USED %u\n", i + 1);
        while (pci_present(1))
            sleep_us(2000);
    }
    return NULL;
}

static const char *soak_for(void) {
    return soak(a[0], a[1], a[2]);
}

/* watch GPA PAUSE_US [VALUE]: the second vCPU reads it until `watched`; each answer is VALUE, or without one, one more
 * than the one before. */
static const char *begin_watch(void) {
    return watch(a, count);
}

/* How many reads there were; the rest is said. */
static const char *end_watch(void) {
    return watch_end(&value);
}

/* --- on test/modules/hostile-runtime --- */

/* How many such devices there are. */
static const char *find_hostile(void) {
    return hostile_find(&value);
}

/* sin NUMBER...: a misdeed for each device. */
static const char *sin(void) {
    return hostile_sin(a, count, &value);
}

/* again ROUND: all devices as before, after a reset. */
static const char *again(void) {
    return hostile_again(a[0], &value);
}

/* time KIND WHERE COUNT [PAUSE_US]: the median in nanoseconds. */
static const char *time_access(void) {
    return median_ns(a[0], a[1], a[2], a[3], &value);
}

/* --- on virtio-gpu --- */

static const char *gpu_up(void) {
    return gpu_start(&value);
}

/* gpu_picture ID WIDTH HEIGHT SEED OUTPUT */
static const char *gpu_show(void) {
    return gpu_picture(a, &value);
}

/* gpu_raw TYPE CONTEXT WORD...: a command of any words behind its header; the answer's type. */
static const char *gpu_any(void) {
    return gpu_raw(a, count, &value);
}

/* gpu_shreds ID: another picture, as hard to transfer as can be; how long a transfer takes, in nanoseconds. */
static const char *gpu_hard(void) {
    return gpu_shreds(a, &value);
}

/* gpu_flood MS DEPTH: transfers of the picture, so many under way; how many there were. */
static const char *gpu_load(void) {
    return gpu_flood(a, &value);
}

/*
 * gpu_pace TIMES PERIOD_US ROWS SPREAD_US: how many were not done within the period. Each begins up to SPREAD_US after
 * its period's begin, at random, so that none keeps step with what others do in turns.
 */
static const char *gpu_periods(void) {
    return gpu_pace(a, &value);
}

/* gpu_bells MS: nothing but doorbells; how many there were. */
static const char *gpu_ring(void) {
    return gpu_bells(a, &value);
}

/* gpu_nonsense SEED COUNT: rings of random contents; how often the device asked for a reset. */
static const char *gpu_fuzz(void) {
    return gpu_nonsense(a, &value);
}

/* gpu_rings DESCRIPTORS AVAILABLE USED: elsewhere than in our memory; the device's status. */
static const char *gpu_elsewhere(void) {
    return gpu_rings(a, &value);
}

/* crc GPA BYTES */
static const char *crc_of(void) {
    value = crc32(reach(a[0]), a[1]);
    return NULL;
}

static const char *pause(void) {
    sleep_us(a[0] * 1000);
    return NULL;
}

static const char *end(void) {
    say("KERNEL end\n");
    shutdown(SHUTDOWN_poweroff);
}

static const struct {
    const char *name;
    unsigned arguments;
    const char *(*run)(void);
} COMMANDS[] = {
    {"setup", 0, set_up},      {"read", 2, read_memory},   {"write", 3, write_memory}, {"in", 2, read_port},
    {"out", 3, write_port},    {"config", 3, read_config}, {"poke", 4, write_config},  {"place", 3, place},
    {"bar", 2, bar},           {"command", 2, command},    {"stos", 5, stos},          {"movs_to", 4, movs_to},
    {"movs_from", 4, movs_from}, {"ins", 4, ins},          {"copy", 4, copy},          {"apic", 0, apic},
    {"msi", 4, msi},           {"interrupts", 1, interrupts}, {"give", 2, give},       {"take", 2, take},
    {"race", 2, race},         {"die", 0, die},            {"draw", 4, draw_picture},  {"use", 2, use_device},
    {"spin", 2, spin},         {"soak", 3, soak_for},      {"pause", 1, pause},        {"end", 0, end},
    {"cycle", 1, cycle},       {"play", 4, play},          {"crc", 2, crc_of},         {"gpu_start", 0, gpu_up},
    {"gpu_picture", 5, gpu_show}, {"gpu_raw", 2, gpu_any}, {"gpu_flood", 2, gpu_load}, {"gpu_pace", 4, gpu_periods},
    {"gpu_bells", 1, gpu_ring}, {"gpu_nonsense", 2, gpu_fuzz}, {"gpu_rings", 3, gpu_elsewhere},
    {"gpu_shreds", 1, gpu_hard}, {"time", 3, time_access},
    {"watch", 2, begin_watch}, {"watched", 0, end_watch}, {"hostile", 0, find_hostile}, {"sin", 1, sin},
    {"again", 1, again},
};

static bool digit(char c, unsigned base, unsigned *out) {
    *out = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 99;
    return *out < base;
}

static uint64_t number(const char *text) {
    unsigned base = text[0] == '0' && text[1] == 'x' ? 16 : 10, one;
    uint64_t result = 0;
    for (text += base == 16 ? 2 : 0; digit(*text, base, &one); text++)
        result = result * base + one;
    return result;
}

/* The next word, cut off in place. */
static char *word(char **line) {
    char *start;
    while (**line == ' ')
        (*line)++;
    start = *line;
    while (**line && **line != ' ')
        (*line)++;
    if (**line)
        *(*line)++ = '\0';
    return start;
}

void command_run(char *line) {
    static uint64_t number_of;
    const char *name = word(&line), *error = "no such command";
    if (!*name)
        return;
    memset(a, 0, sizeof(a));
    value = 0;
    for (count = 0; count < ARGUMENTS_MAX; count++) {
        const char *text = word(&line);
        if (!*text)
            break;
        a[count] = number(text);
    }
    number_of++;
    for (unsigned i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
        if (!strcmp(name, COMMANDS[i].name))
            error = count < COMMANDS[i].arguments ? "too few numbers" : COMMANDS[i].run();
    }
    if (error)
        say("%u failed: %s: %s\n", number_of, name, error);
    else
        say("%u ok %s 0x%x\n", number_of, name, value);
}
