// SPDX-License-Identifier: MIT
/*
 * Configuration space by ports 0xcf8 and 0xcfc (PCI 3.0, 3.2.2.3.2), against a table of what PCI and the module's
 * manifest say that it holds: by byte, word and dword, at every alignment, across dwords and behind the end.
 */
#include <stdio.h>
#include <string.h>

#include "forms.h"
#include "insn.h"

#define CONFIG_BYTES 256u
#define ADDRESS_PORT 0xcf8
#define DATA_PORT 0xcfc
#define ADDRESS_BITS 0x8ffffffcu /* enable, bits 24 to 27 as Xen knows them, function, register */
#define COMMAND_REGISTER 0x04u
#define COMMAND_IO 1u
#define COMMAND_MEMORY 2u
#define BAR_REGISTER 0x10u
#define BARS 6u

struct row {
    uint8_t offset, bytes;
    uint32_t value, writable;
};

/* Command: I/O, memory, master, parity, SERR#, INTx off. Status: only the bit that says "capabilities" is ever set. */
static const struct row rows[] = {
    {0x00, 4, 0x6762fffe, 0},
    {0x04, 2, 0, 0x0547},
    {0x06, 2, 0x0010, 0},
    {0x08, 4, 0xff000001, 0},
    {0x0c, 2, 0, 0xffff}, /* cache line size, latency timer */
    {0x10, 4, 0, 0xfffff000},
    {0x14, 4, 1, 0xfffffff0},
    {0x18, 4, 0, 0xffffff00},
    {0x1c, 4, 1, 0xffffffe0},
    {0x20, 4, 0, 0xfffff000},
    {0x2c, 4, 0x0001fffe, 0},
    {0x34, 1, 0x40, 0},
    {0x3c, 1, 0, 0xff}, /* interrupt line; no pin in a PVH guest */
    /* MSI, four messages: next capability, 64-bit address, mask bits (PCI 3.0, 6.8.1) */
    {0x40, 4, 0x01846005, 0x00710000},
    {0x44, 4, 0, 0xfffffffc},
    {0x48, 4, 0, 0xffffffff},
    {0x4c, 2, 0, 0xffff},
    {0x50, 4, 0, 0xf},
    /* MSI-X, four vectors: the table at the start of BAR 4, the pending bits behind it (6.8.2) */
    {0x60, 4, 0x00030011, 0xc0000000},
    {0x64, 4, 4, 0},
    {0x68, 4, 0x44, 0},
};

static struct {
    uint8_t value[CONFIG_BYTES], writable[CONFIG_BYTES];
} space[DEVICES_MAX];

static void fill(uint32_t device) {
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memcpy(space[device].value + rows[i].offset, &rows[i].value, rows[i].bytes);
        memcpy(space[device].writable + rows[i].offset, &rows[i].writable, rows[i].bytes);
    }
}

/* --- the two ways to do it --------------------------------------------------------------------------------------- */

static uint16_t choose(const struct forms *f, uint32_t device, uint32_t offset) {
    insn_out(ADDRESS_PORT, 4, 1u << 31 | (uint32_t)f->slot[device] << 11 | (offset & 0xfc));
    return (uint16_t)(DATA_PORT + (offset & 3));
}

static uint32_t model_config_read(uint32_t device, uint32_t offset, uint32_t size) {
    uint32_t value = 0;

    for (uint32_t i = 0; i < size; i++)
        value |= (offset + i < CONFIG_BYTES ? space[device].value[offset + i] : 0xffu) << (8 * i);
    return value;
}

static void model_config_write(struct forms *f, uint32_t device, uint32_t offset, uint32_t size, uint32_t value) {
    uint32_t before = model_config_read(device, COMMAND_REGISTER, 2), after;

    for (uint32_t i = 0; i < size && offset + i < CONFIG_BYTES; i++) {
        uint8_t *at = &space[device].value[offset + i], mask = space[device].writable[offset + i];

        *at = (uint8_t)((*at & ~mask) | (value >> (8 * i) & mask));
    }
    after = model_config_read(device, COMMAND_REGISTER, 2);
    f->model.device[device].io_on = after & COMMAND_IO;
    f->model.device[device].memory_on = after & COMMAND_MEMORY;
    if (after != before)
        model_set(&f->model, device, COMMAND, after); /* the module is told */
}

void config_load(struct forms *f, uint32_t device, uint32_t offset, uint32_t size) {
    forms_op(f, "config read %u at 0x%x of device %u", size, offset, device);
    forms_same(f, insn_in(choose(f, device, offset), size), model_config_read(device, offset, size));
}

void config_store(struct forms *f, uint32_t device, uint32_t offset, uint32_t size, uint32_t value) {
    forms_op(f, "config write %u at 0x%x of device %u", size, offset, device);
    insn_out(choose(f, device, offset), size, value);
    model_config_write(f, device, offset, size, value);
}

/* May random bits be written there? Not where BARs would move or decoding would go off. */
bool config_harmless(uint32_t offset, uint32_t size) {
    return (offset > COMMAND_REGISTER || offset + size <= COMMAND_REGISTER) &&
           (offset >= BAR_REGISTER + 4 * BARS || offset + size <= BAR_REGISTER);
}

/* The same register `count` times, from or to a buffer. */
void config_rep(struct forms *f, uint32_t device, uint32_t offset, struct rep r, bool in) {
    uint16_t port = choose(f, device, offset);
    uint8_t *real = f->ram[r.buffer] + r.place;

    forms_op(f, "rep %s%s %u x %u of config 0x%x of device %u", in ? "ins" : "outs", r.down ? " down" : "", r.count,
             r.size, offset, device);
    if (in)
        insn_ins(real, port, r.count, r.size, r.down);
    else
        insn_outs(real, port, r.count, r.size, r.down);
    for (uint32_t i = 0; i < r.count; i++) {
        int64_t step = (int64_t)i * r.size * (r.down ? -1 : 1);
        uint32_t value = in ? model_config_read(device, offset, r.size) : 0;

        if (in)
            memcpy(f->expect[r.buffer] + r.place + step, &value, r.size);
        else
            memcpy(&value, f->expect[r.buffer] + r.place + step, r.size);
        if (!in)
            model_config_write(f, device, offset, r.size, value);
    }
    if (memcmp(f->ram[r.buffer], f->expect[r.buffer], RAM_BYTES))
        forms_differ(f, "the buffer differs");
}

/* --- what is done ------------------------------------------------------------------------------------------------- */

static void read_all(struct forms *f, uint32_t device) {
    for (uint32_t size = 1; size <= 4; size *= 2) {
        for (uint32_t offset = 0; offset < CONFIG_BYTES; offset += size)
            config_load(f, device, offset, size);
    }
}

/* Every register at every alignment; words and dwords lie across dwords then, and the last ones behind the end. */
static void write_all(struct forms *f, uint32_t device) {
    for (uint32_t size = 1; size <= 4; size *= 2) {
        for (uint32_t offset = 0; offset < CONFIG_BYTES; offset += offset < 0x70 || offset > 0xf8 ? 1 : 16) {
            if (config_harmless(offset, size))
                config_store(f, device, offset, size, (uint32_t)forms_random(f));
            config_load(f, device, offset, size);
        }
    }
}

static void address_register(struct forms *f) {
    for (int i = 0; i < 8; i++) {
        uint32_t value = (uint32_t)forms_random(f) & 0x7fffffff; /* not enabled: nobody is addressed */

        forms_op(f, "out 4 and in 4 at port 0xcf8");
        insn_out(ADDRESS_PORT, 4, value);
        forms_same(f, insn_in(ADDRESS_PORT, 4), value & ADDRESS_BITS);
        forms_op(f, "in 1 at port 0xcf8");
        forms_same(f, insn_in(ADDRESS_PORT, 1), 0xff);
        forms_op(f, "in 2 at port 0xcf8");
        forms_same(f, insn_in(ADDRESS_PORT, 2), 0xffff);
    }
}

/* With decoding off: all ones into each BAR in pieces of `size`, looked at, and back. */
static void size_bars(struct forms *f, uint32_t device, uint32_t size) {
    for (uint32_t bar = 0; bar < BARS; bar++) {
        uint32_t at = BAR_REGISTER + 4 * bar, before = model_config_read(device, at, 4);

        for (uint32_t i = 0; i < 4; i += size)
            config_store(f, device, at + i, size, UINT32_MAX);
        config_load(f, device, at, 4);
        for (uint32_t i = 0; i < 4; i += size) {
            config_store(f, device, at + i, size, before >> (8 * i));
            config_load(f, device, at + i, size);
        }
    }
}

static void look_everywhere(struct forms *f) {
    for (uint32_t i = 0; i < f->model.region_count; i++) {
        const struct region *r = &f->model.region[i];

        if (r->io)
            op_in(f, r->start + 4, 4);
        else
            op_load(f, r->start + 0x40, 8);
    }
}

static void decode(struct forms *f, uint32_t device) {
    for (uint32_t size = 1; size <= 4; size *= 2) {
        for (uint32_t on = 0; on < 4; on++) {
            config_store(f, device, COMMAND_REGISTER, size, on);
            look_everywhere(f);
            if (on == 0)
                size_bars(f, device, size);
        }
        op_compare_all(f);
    }
}

/* The addresses of two BARs change places while both are decoded: in between one of them waits for the other. */
static void swap_bars(struct forms *f) {
    struct region *found[DEVICES_MAX] = {NULL};

    for (uint32_t i = 0; i < f->model.region_count; i++) {
        if (f->model.region[i].bar == 2)
            found[f->model.region[i].device] = &f->model.region[i];
    }
    for (uint32_t turn = 0; turn < 2 && f->device_count == 2; turn++) {
        uint64_t start[] = {found[1]->start, found[0]->start};

        for (uint32_t d = 0; d < 2; d++)
            config_store(f, d, BAR_REGISTER + 8, 4, (uint32_t)start[d]);
        for (uint32_t d = 0; d < 2; d++)
            found[d]->start = start[d];
        look_everywhere(f);
    }
}

static void config_reps(struct forms *f, uint32_t device) {
    for (uint32_t size = 1; size <= 4; size *= 2) {
        for (int down = 0; down < 2; down++) {
            struct rep r = {.place = PAGE_BYTES - 2 * size, .size = size, .count = 5, .down = down};

            config_rep(f, device, 0x44, r, false);
            config_rep(f, device, 0x44, r, true);
            config_rep(f, device, 0x00, r, true);
        }
    }
}

/* From a known state: the BARs' addresses are the kernel's, everything else is written. */
void forms_config_begin(struct forms *f) {
    for (uint32_t device = 0; device < f->device_count; device++) {
        fill(device);
        for (uint32_t i = 0; i < f->model.region_count; i++) {
            const struct region *r = &f->model.region[i];
            uint32_t flags = r->io, at = BAR_REGISTER + 4 * r->bar, value = (uint32_t)r->start | flags;

            if (r->device == device)
                memcpy(space[device].value + at, &value, 4);
        }
        for (uint32_t offset = 0; offset < CONFIG_BYTES; offset += 4) {
            if (config_harmless(offset, 4))
                config_store(f, device, offset, 4, 0);
        }
        config_store(f, device, COMMAND_REGISTER, 2, 0);
        config_store(f, device, COMMAND_REGISTER, 2, COMMAND_IO | COMMAND_MEMORY);
        /* Whether the first of these was a change only the device knows; the second was. */
        model_set(&f->model, device, COMMAND, COMMAND_IO | COMMAND_MEMORY);
    }
}

void forms_config(struct forms *f) {
    for (uint32_t device = 0; device < f->device_count; device++) {
        read_all(f, device);
        write_all(f, device);
        read_all(f, device);
        decode(f, device);
        config_reps(f, device);
        read_all(f, device);
    }
    swap_bars(f);
    address_register(f);
}
