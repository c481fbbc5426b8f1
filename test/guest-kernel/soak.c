/* SPDX-License-Identifier: MIT */
/*
 * Random, seeded accesses with a model beside them: the register file's plain registers must read as the model says
 * whatever else goes on - BARs moving, decoding off, interrupts toggled, string instructions in both directions -
 * and what was drawn into the display's memory must be there wherever the guest moves it.
 */
#include "kernel.h"

#define REGISTER_FILE 0x6762fffeu
#define DISPLAY 0x11111234u
#define PAGE 4096u
#define PLAIN 0x20u
#define SCRATCH 4u
#define DOORBELL 8u
#define VECTOR 0x50
#define APIC_MESSAGE 0xfee00000ull
#define ANSWER_OK 0u
#define ANSWER_MASKED 1u
#define ANSWER_REFUSED 2u
#define MSIX_FLAGS 0x62u
#define SPOTS 64u
#define ITEMS 64u

struct soak {
    uint64_t random;
    unsigned file, display; /* slots; 0: not there */
    uint64_t bar, ports, table, registers, pixels, pixel_bytes;
    bool decoding;
    const char *why;
    uint64_t was, wanted, got; /* of the first fault: what, and the two answers */
    uint64_t operations, interrupts;
    uint32_t spot_at[SPOTS], spot[SPOTS];
    uint8_t model[PAGE];
};
static struct soak s;
static uint8_t buffer[ITEMS * 8] __attribute__((aligned(64)));

static uint32_t chance(uint32_t below) {
    return (uint32_t)(random_next(&s.random) >> 33) % below;
}

static unsigned any_size(unsigned log_max) {
    return 1u << chance(log_max + 1);
}

static void expect(const char *what, uint64_t was, uint64_t wanted, uint64_t got) {
    if (wanted == got || s.why)
        return;
    s.why = what;
    s.was = was;
    s.wanted = wanted;
    s.got = got;
}

static uint64_t modelled(unsigned offset, unsigned size) {
    uint64_t value = 0;
    memcpy(&value, s.decoding ? s.model + offset : (const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff", size);
    return value;
}

static void one_read(void) {
    unsigned size = any_size(3), offset = PLAIN + chance(PAGE - PLAIN - size + 1);
    expect("read", offset, modelled(offset, size), mmio_read(s.bar + offset, size));
}

static void one_write(void) {
    unsigned size = any_size(3), offset = PLAIN + chance(PAGE - PLAIN - size + 1);
    uint64_t value = random_next(&s.random);
    mmio_write(s.bar + offset, size, value);
    if (s.decoding)
        memcpy(s.model + offset, &value, size);
}

static void port(void) {
    unsigned size = any_size(2), offset = SCRATCH + chance(4 / size) * size;
    uint32_t value = chance(0x7fffffff), got = 0;
    if (chance(2)) {
        port_write((uint16_t)(s.ports + offset), size, value);
        memcpy(s.model + offset, &value, size);
    }
    memcpy(&got, s.model + offset, size);
    expect("port", offset, got, port_read((uint16_t)(s.ports + offset), size));
    if (chance(4))
        return;
    memset(buffer, 0, sizeof(buffer));
    rep_in((uint16_t)(s.ports + offset), buffer, size, 5, false);
    for (unsigned i = 0; i < 5; i++)
        expect("rep ins", offset, 0, (uint64_t)memcmp(buffer + i * size, s.model + offset, size));
}

/* The first item's address, of `count` upwards or downwards in [low, low + count * size). */
static uint8_t *first(uint8_t *low, unsigned size, unsigned count, bool down) {
    return down ? low + (count - 1) * size : low;
}

static void rep(void) {
    unsigned size = any_size(3), count = 1 + chance(ITEMS), bytes = size * count;
    unsigned offset = PLAIN + chance(PAGE - PLAIN - bytes + 1);
    uint8_t *device = first((uint8_t *)(uintptr_t)s.bar + offset, size, count, false);
    bool down = chance(2);
    uint64_t value = random_next(&s.random);
    device = down ? device + bytes - size : device;
    switch (chance(3)) {
    case 0:
        rep_store(device, value, size, count, down);
        for (unsigned i = 0; s.decoding && i < count; i++)
            memcpy(s.model + offset + i * size, &value, size);
        return;
    case 1:
        for (unsigned i = 0; i < bytes; i++)
            buffer[i] = (uint8_t)random_next(&s.random);
        rep_move(device, first(buffer, size, count, down), size, count, down);
        if (s.decoding)
            memcpy(s.model + offset, buffer, bytes);
        return;
    default:
        memset(buffer, 0, bytes);
        rep_move(first(buffer, size, count, down), device, size, count, down);
        for (unsigned i = 0; i < bytes; i++)
            expect("rep movs", offset + i, s.decoding ? s.model[offset + i] : 0xff, buffer[i]);
    }
}

static void decode(void) {
    s.decoding = !s.decoding;
    pci_command(s.file, s.decoding ? 7 : 5); /* ports stay on */
}

static void move(void) {
    switch (chance(3)) {
    case 0:
        s.bar = 0xe8000000ull + chance(64) * 0x2000ull;
        pci_place(s.file, 0, s.bar);
        break;
    case 1:
        s.ports = 0x2000u + chance(64) * 0x20u;
        pci_place(s.file, 1, s.ports);
        break;
    default:
        s.table = 0xe9000000ull + chance(64) * 0x2000ull;
        pci_place(s.file, 4, s.table);
    }
}

/* Anything but BARs, the command register and the interrupt capabilities. */
static void configuration(void) {
    static const struct {
        uint8_t from, bytes;
    } AREA[] = {{0x00, 4}, {0x08, 8}, {0x28, 8}, {0x34, 12}, {0x70, 0x90}};
    unsigned area = chance(5), size = any_size(2);
    unsigned offset = AREA[area].from + chance(AREA[area].bytes / size) * size;
    pci_write(s.file, offset, size, (uint32_t)random_next(&s.random));
    (void)pci_read(s.file, chance(256 / size) * size, size);
    expect("ids", offset, REGISTER_FILE, pci_read(s.file, 0, 4));
}

static void ring(uint32_t answer, uint64_t more) {
    uint64_t seen = interrupts_seen(VECTOR);
    if (!s.decoding)
        decode();
    mmio_write(s.bar + DOORBELL, 4, 0);
    interrupts_take();
    expect("doorbell", more, answer, mmio_read(s.bar + DOORBELL, 4));
    expect("interrupts", more, seen + more, interrupts_seen(VECTOR));
    s.interrupts += more;
}

static void interrupt_toggles(void) {
    switch (chance(4)) {
    case 0:
        pci_msi(s.file, APIC_MESSAGE, VECTOR, true);
        ring(ANSWER_OK, 1);
        break;
    case 1:
        pci_msi(s.file, random_next(&s.random) >> 34 << 2, VECTOR, true); /* below the local APICs: no CPU's */
        ring(ANSWER_REFUSED, 0);
        break;
    case 2:
        ring(ANSWER_MASKED, 0);
        break;
    default:
        mmio_write(s.table + chance(64), any_size(3), random_next(&s.random));
        pci_write(s.file, MSIX_FLAGS, 2, 0xc000); /* enabled, all masked */
        ring(ANSWER_MASKED, 0);
        pci_write(s.file, MSIX_FLAGS, 2, 0);
    }
    pci_msi(s.file, 0, 0, false);
}

/* --- the display --- */

static void spots(void) {
    unsigned i = chance(SPOTS);
    uint8_t *at = reach(s.pixels);
    uint32_t got;
    memcpy(&got, at + s.spot_at[i], 4);
    expect("pixels", s.spot_at[i], s.spot[i], got);
    s.spot[i] = (uint32_t)random_next(&s.random);
    memcpy(at + s.spot_at[i], &s.spot[i], 4);
}

static void check_spots(void) {
    for (unsigned i = 0; i < SPOTS; i++) {
        uint32_t got;
        memcpy(&got, (uint8_t *)reach(s.pixels) + s.spot_at[i], 4);
        expect("pixels after a move", s.spot_at[i], s.spot[i], got);
    }
}

static void display(void) {
    static const uint8_t BITS[] = {16, 24, 32, 7};
    switch (chance(20)) {
    case 0:
        s.pixels = 0xd0000000ull + chance(8) * 0x1000000ull;
        pci_place(s.display, 0, s.pixels);
        check_spots();
        break;
    case 1:
        s.registers = 0xea000000ull + chance(64) * 0x2000ull;
        pci_place(s.display, 2, s.registers);
        break;
    case 2:
        mode_set(s.registers, chance(1100), chance(1100), BITS[chance(4)]);
        break;
    case 3:
        mmio_write(s.registers + chance(PAGE - 8), any_size(3), random_next(&s.random));
        break;
    case 4:
        mode_set(s.registers, 640, 480, 32);
        break;
    default:
        spots();
    }
}

static void one_operation(void) {
    uint32_t kind = chance(100);
    s.operations++;
    if (s.display && kind < 25)
        return display();
    if (kind < 45)
        return one_read();
    if (kind < 65)
        return one_write();
    if (kind < 75)
        return rep();
    if (kind < 85)
        return port();
    if (kind < 90)
        return configuration();
    if (kind < 94)
        return move();
    return kind < 97 ? decode() : interrupt_toggles();
}

/* --- from the outside --- */

static const char *find_devices(void) {
    for (unsigned slot = 1; slot < 32; slot++) {
        uint32_t id = pci_read(slot, 0, 4);
        if (id == REGISTER_FILE)
            s.file = slot;
        else if (id == DISPLAY)
            s.display = slot;
    }
    if (!s.file)
        return "no register file";
    s.bar = pci_bar(s.file, 0);
    s.ports = pci_bar(s.file, 1);
    s.table = pci_bar(s.file, 4);
    s.decoding = true;
    for (unsigned i = SCRATCH; i < PAGE; i++)
        s.model[i] = (uint8_t)mmio_read(s.bar + i, 1);
    if (!s.display)
        return NULL;
    s.registers = pci_bar(s.display, 2);
    s.pixels = pci_bar(s.display, 0);
    s.pixel_bytes = 4u << 20;
    for (unsigned i = 0; i < SPOTS; i++) {
        s.spot_at[i] = (uint32_t)(i * (s.pixel_bytes / SPOTS)) + chance(1000) * 4;
        memcpy(&s.spot[i], (uint8_t *)reach(s.pixels) + s.spot_at[i], 4);
    }
    return NULL;
}

static const char *told(void) {
    if (s.why)
        say("SOAK %s at %x after %u operations: wanted %x, got %x\n", s.why, s.was, s.operations, s.wanted, s.got);
    return s.why;
}

const char *soak(uint64_t seed, uint64_t ms, uint64_t idle_us) {
    uint64_t begin = time_ns(), told_at = begin;
    const char *error;
    memset(&s, 0, sizeof(s));
    s.random = seed;
    error = find_devices();
    if (error)
        return error;
    while (!s.why && time_ns() - begin < ms * 1000000) {
        one_operation();
        if (idle_us)
            sleep_us(chance((uint32_t)(2 * idle_us)));
        if (time_ns() - told_at > 20000000000ull) {
            told_at = time_ns();
            say("SOAK at %u s: %u operations\n", (told_at - begin) / 1000000000, s.operations);
        }
    }
    if (!s.decoding)
        decode();
    for (unsigned i = PLAIN; i < PAGE && !s.why; i++)
        expect("read at the end", i, s.model[i], mmio_read(s.bar + i, 1));
    say("SOAK seed %u ms %u operations %u interrupts %u\n", seed, (time_ns() - begin) / 1000000, s.operations,
        s.interrupts);
    return told();
}

/* A guest's short use of one device. */
const char *use(unsigned slot, uint64_t seed) {
    uint64_t random = seed + 1;
    uint64_t bar = pci_bar(slot, 0);
    uint32_t id = pci_read(slot, 0, 4), crc;
    const char *error;
    if (id == DISPLAY) {
        error = draw(slot, 320, 200, (uint32_t)seed, &crc);
        if (!error)
            say("DRAWN %x\n", (uint64_t)crc);
        return error;
    }
    if (id != REGISTER_FILE)
        return "no such device";
    for (unsigned i = 0; i < 16; i++) {
        uint32_t value = (uint32_t)random_next(&random);
        uint64_t at = bar + PLAIN + 4 * (random_next(&random) % 1000);
        mmio_write(at, 4, value);
        if ((uint32_t)mmio_read(at, 4) != value)
            return "a register forgets";
    }
    return NULL;
}
