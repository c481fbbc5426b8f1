// SPDX-License-Identifier: MIT
/* What the threads of gb-threads do to the devices, and what each of them must see. */
#include "threads.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insn.h"

static atomic_uint issued[THREADS]; /* how many shared writes each thread has begun */

static void differ(const struct worker *w, const char *what, uint32_t at, uint64_t got, uint64_t want) {
    printf("THREADS differ: thread %u: %s 0x%x: got 0x%" PRIx64 " instead of 0x%" PRIx64 "\n", w->number, what, at, got,
           want);
    exit(1);
}

static uint64_t next(struct worker *w) { /* xorshift64*, Vigna 2016 */
    w->random ^= w->random >> 12;
    w->random ^= w->random << 25;
    w->random ^= w->random >> 27;
    return w->random * 0x2545f4914f6cdd1du;
}

/* --- own registers ------------------------------------------------------------------------------------------------ */

/* The same bytes by BAR 0 or by BAR 2. */
static volatile uint8_t *own_place(struct worker *w, uint32_t device, uint32_t offset) {
    offset += w->number * OWN_BYTES;
    return next(w) & 1 ? bar[device][MEMORY].memory + OWN_START + offset : bar[device][SMALL].memory + offset;
}

static void own_single(struct worker *w, uint32_t device) {
    uint32_t size = 1u << next(w) % 4, offset = (uint32_t)(next(w) % (OWN_BYTES - size + 1));
    uint64_t value = next(w) >> (64 - 8 * size), want = 0;

    if (next(w) & 1) {
        insn_store(own_place(w, device, offset), size, value);
        memcpy(w->own[device] + offset, &value, size);
        w->calls[device][MMIO_WRITE]++;
        return;
    }
    memcpy(&want, w->own[device] + offset, size);
    value = insn_load(own_place(w, device, offset), size);
    w->calls[device][MMIO_READ]++;
    if (value != want)
        differ(w, "own register", offset, value, want);
}

static void own_string(struct worker *w, uint32_t device) {
    uint8_t buffer[OWN_BYTES];
    uint32_t items = 1 + (uint32_t)(next(w) % (OWN_BYTES / 4));

    if (next(w) & 1) {
        for (uint32_t i = 0; i < items * 4; i++)
            buffer[i] = w->own[device][i] = (uint8_t)next(w);
        insn_movs(own_place(w, device, 0), buffer, items, 4, false);
        w->calls[device][MMIO_WRITE] += items;
        return;
    }
    insn_movs(buffer, own_place(w, device, 0), items, 4, false);
    w->calls[device][MMIO_READ] += items;
    for (uint32_t i = 0; i < items * 4; i++) {
        if (buffer[i] != w->own[device][i])
            differ(w, "own register, by rep movs", i, buffer[i], w->own[device][i]);
    }
}

static void own_port(struct worker *w, uint32_t device) {
    uint32_t size = 1u << next(w) % 3, offset = (uint32_t)(next(w) % (PORT_BYTES - size + 1)), value, want = 0;
    uint16_t port = (uint16_t)(bar[device][SMALL_PORTS].start + w->number * PORT_BYTES + offset);

    if (next(w) & 1) {
        value = (uint32_t)next(w);
        insn_out(port, size, value);
        memcpy(w->ports[device] + offset, &value, size);
        w->calls[device][PIO_WRITE]++;
        return;
    }
    memcpy(&want, w->ports[device] + offset, size);
    value = insn_in(port, size);
    w->calls[device][PIO_READ]++;
    if (value != want)
        differ(w, "own port", offset, value, want);
}

/* --- shared registers --------------------------------------------------------------------------------------------- */

/* 0 is nobody's: the value at the start. */
static uint32_t tag(struct worker *w) {
    uint32_t turn = atomic_fetch_add(&issued[w->number], 1) + 1;

    return (w->number + 1) << 24 | turn;
}

static void check_tag(struct worker *w, uint32_t device, uint32_t where, uint32_t value) {
    uint32_t writer = (value >> 24) - 1, turn = value & 0xffffff;
    uint32_t *seen = w->seen[device][where];

    if (value == 0)
        return;
    if (writer >= THREADS || turn > atomic_load(&issued[writer]))
        differ(w, "shared register never written so", where, value, 0);
    if (turn < seen[writer])
        differ(w, "shared register went back", where, turn, seen[writer]);
    w->foreign += writer != w->number && turn > seen[writer];
    seen[writer] = turn;
}

static void shared_memory(struct worker *w, uint32_t device) {
    uint32_t where = (uint32_t)(next(w) % SHARED);
    volatile uint8_t *place = bar[device][MEMORY].memory + SHARED_START + 8 * where;
    uint64_t value;

    if (next(w) & 1) {
        value = tag(w);
        insn_store(place, 8, value << 32 | value);
        w->calls[device][MMIO_WRITE]++;
        return;
    }
    value = insn_load(place, 8);
    w->calls[device][MMIO_READ]++;
    if (value >> 32 != (uint32_t)value)
        differ(w, "shared register in halves", where, value, value >> 32);
    check_tag(w, device, where, (uint32_t)value);
}

static void shared_port(struct worker *w, uint32_t device) {
    uint16_t port = (uint16_t)(bar[device][PORTS].start + SCRATCH);

    if (next(w) & 1) {
        insn_out(port, 4, tag(w));
        w->calls[device][PIO_WRITE]++;
        return;
    }
    check_tag(w, device, SHARED, insn_in(port, 4));
    w->calls[device][PIO_READ]++;
}

typedef void (*operation_fn)(struct worker *w, uint32_t device);
static const operation_fn operations[] = {own_single, own_single, own_string, own_port, shared_memory, shared_port};

void worker_step(struct worker *w) {
    uint64_t choice = next(w);

    operations[choice % (sizeof(operations) / sizeof(operations[0]))](w, (uint32_t)(choice >> 32) % devices);
}
