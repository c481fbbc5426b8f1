// SPDX-License-Identifier: MIT
/* The reference device; model.h. From the outside in: instruction, request, region, call, bytes. */
#include "model.h"

#include <string.h>

#define TABLE_BYTES (TABLE_VECTORS * TABLE_ENTRY_BYTES)
#define ENTRY_CONTROL 12u /* PCI 3.0, 6.8.2: the vector's mask bit, the only one of that word */

static const uint32_t window_start[] = {0x000, 0x000, 0x100, 0x040};

static uint64_t ones(uint32_t size) {
    return UINT64_MAX >> (64 - 8 * size);
}

static uint64_t get(const uint8_t *at, uint32_t size) {
    uint64_t value = 0;

    for (uint32_t i = 0; i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static void put(uint8_t *at, uint32_t size, uint64_t value) {
    for (uint32_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void model_set(struct model *m, uint32_t device, uint32_t offset, uint32_t value) {
    put(m->device[device].image + offset, 4, value);
}

uint32_t model_get(const struct model *m, uint32_t device, uint32_t offset) {
    return (uint32_t)get(m->device[device].image + offset, 4);
}

static void count(struct model *m, uint32_t device, uint32_t offset) {
    model_set(m, device, offset, model_get(m, device, offset) + 1);
}


void model_reset(struct model *m, uint32_t device, uint32_t seed) {
    struct device *d = &m->device[device];

    memset(d->image, 0, sizeof(d->image));
    memset(d->table, 0, sizeof(d->table));
    model_set(m, device, IDENTITY, IDENTITY_VALUE);
    model_set(m, device, SEED, seed);
    for (uint32_t i = 0; i < TABLE_VECTORS; i++)
        d->table[i * TABLE_ENTRY_BYTES + ENTRY_CONTROL] = 1;
}

/* --- bytes ------------------------------------------------------------------------------------------------------ */

static bool keeps(uint32_t offset) {
    return offset >= PLAIN || (offset >= SCRATCH && offset < SCRATCH + 4);
}

/* Whole aligned words only; the two low bits of an address are 0, of the control word only bit 0 exists. */
static void table_write(uint8_t *table, uint32_t offset, uint32_t size, uint64_t value) {
    if (size < 4 || offset % size || offset + size > TABLE_BYTES)
        return;
    put(table + offset, size, value);
    for (uint32_t i = 0; i < TABLE_BYTES; i += TABLE_ENTRY_BYTES) {
        table[i] &= 0xfc;
        put(table + i + ENTRY_CONTROL, 4, table[i + ENTRY_CONTROL] & 1);
    }
}

/* --- one call --------------------------------------------------------------------------------------------------- */

static uint64_t call_read(struct model *m, const struct region *r, uint64_t address, uint32_t size) {
    struct device *d = &m->device[r->device];
    uint32_t offset = (uint32_t)(address - r->start);
    uint64_t value;

    if (r->bar == TABLE_BAR)
        return get(d->table + offset, size);
    value = get(d->image + window_start[r->bar] + offset, size);
    count(m, r->device, READS);
    return value;
}

static void call_write(struct model *m, const struct region *r, uint64_t address, uint32_t size, uint64_t value) {
    struct device *d = &m->device[r->device];
    uint32_t offset = (uint32_t)(address - r->start);

    if (r->bar == TABLE_BAR) {
        table_write(d->table, offset, size, value);
        return;
    }
    offset += window_start[r->bar];
    for (uint32_t i = 0; i < size; i++) {
        if (keeps(offset + i))
            d->image[offset + i] = (uint8_t)(value >> (8 * i));
    }
    count(m, r->device, WRITES);
}

/* --- one request: in one region it is one call, across an end it is one for each byte ---------------------------- */

const struct region *model_region(const struct model *m, bool io, uint64_t address) {
    for (uint32_t i = 0; i < m->region_count; i++) {
        const struct region *r = &m->region[i];
        const struct device *d = &m->device[r->device];

        if (r->io == io && (io ? d->io_on : d->memory_on) && address - r->start < r->size)
            return r;
    }
    return NULL;
}

int model_claimed(const struct model *m, bool io, uint64_t address, uint64_t bytes) {
    uint64_t claimed = 0;

    for (uint64_t i = 0; i < bytes; i++)
        claimed += model_region(m, io, address + i) != NULL;
    return claimed == bytes ? CLAIMED_ALL : claimed ? CLAIMED_SOME : CLAIMED_NONE;
}

/* What is not all of one server's is nobody's (xen/common/ioreq.c: ioreq_server_select). */
uint64_t model_read_whole(struct model *m, bool io, uint64_t address, uint32_t size) {
    const struct region *r = model_region(m, io, address);
    uint64_t value = 0;

    if (model_claimed(m, io, address, size) != CLAIMED_ALL)
        return ones(size);
    if (address + size <= r->start + r->size)
        return call_read(m, r, address, size);
    for (uint32_t i = 0; i < size; i++)
        value |= call_read(m, model_region(m, io, address + i), address + i, 1) << (8 * i);
    return value;
}

void model_write_whole(struct model *m, bool io, uint64_t address, uint32_t size, uint64_t value) {
    const struct region *r = model_region(m, io, address);

    if (model_claimed(m, io, address, size) != CLAIMED_ALL)
        return;
    if (address + size <= r->start + r->size) {
        call_write(m, r, address, size, value);
        return;
    }
    for (uint32_t i = 0; i < size; i++)
        call_write(m, model_region(m, io, address + i), address + i, 1, (value >> (8 * i)) & 0xff);
}

/* --- one access: memory is cut at the end of the page, each part into powers of two, the largest first ----------- */

static uint32_t next_part(bool io, uint64_t address, uint32_t left) {
    uint32_t room = PAGE_BYTES - (uint32_t)(address % PAGE_BYTES);
    uint32_t part = 1;

    if (io)
        return left;
    if (left > room)
        left = room;
    while (part * 2 <= left)
        part *= 2;
    return part;
}

uint64_t model_read(struct model *m, bool io, uint64_t address, uint32_t size) {
    uint64_t value = 0;

    for (uint32_t done = 0; done < size;) {
        uint32_t part = next_part(io, address + done, size - done);

        value |= model_read_whole(m, io, address + done, part) << (8 * done);
        done += part;
    }
    return value;
}

void model_write(struct model *m, bool io, uint64_t address, uint32_t size, uint64_t value) {
    for (uint32_t done = 0; done < size;) {
        uint32_t part = next_part(io, address + done, size - done);

        model_write_whole(m, io, address + done, part, (value >> (8 * done)) & ones(part));
        done += part;
    }
}

bool model_dangerous(const struct model *m, bool io, uint64_t address, uint64_t bytes) {
    for (uint64_t i = 0; i < bytes; i++) {
        const struct region *r = model_region(m, io, address + i);
        uint64_t offset;

        if (!r || r->bar == TABLE_BAR)
            continue;
        offset = address + i - r->start + window_start[r->bar];
        if ((offset >= DOORBELL && offset < DOORBELL + 4) || (offset >= MISDEED && offset < MISDEED + 4))
            return true;
    }
    return false;
}
