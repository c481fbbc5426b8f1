// SPDX-License-Identifier: MIT
/*
 * Configuration space by ports 0xcf8 and 0xcfc (PCI 3.0, 3.2.2.3.2), against a table of what PCI and the module's
 * manifest say that it holds.
 */
#include <string.h>

#include "forms.h"
#include "insn.h"

#define DATA_PORT 0xcfc

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

void config_reset(struct forms *f, uint32_t device) {
    uint8_t *value = space[device].value;

    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memcpy(value + rows[i].offset, &rows[i].value, rows[i].bytes);
        memcpy(space[device].writable + rows[i].offset, &rows[i].writable, rows[i].bytes);
    }
    for (uint32_t i = 0; i < f->model.region_count; i++) {
        const struct region *r = &f->model.region[i];
        uint32_t low = (uint32_t)r->start | (r->io ? 1 : 0);

        if (r->device == device)
            memcpy(value + BAR_REGISTER + 4 * r->bar, &low, sizeof(low));
    }
}

static uint16_t choose(const struct forms *f, uint32_t device, uint32_t offset) {
    insn_out(ADDRESS_PORT, 4, 1u << 31 | (uint32_t)f->slot[device] << 11 | (offset & 0xfc));
    return (uint16_t)(DATA_PORT + (offset & 3));
}

uint32_t config_model(uint32_t device, uint32_t offset, uint32_t size) {
    uint32_t value = 0;

    for (uint32_t i = 0; i < size; i++)
        value |= (offset + i < CONFIG_BYTES ? space[device].value[offset + i] : 0xffu) << (8 * i);
    return value;
}

static void change(struct forms *f, uint32_t device, uint32_t offset, uint32_t size, uint32_t value) {
    uint32_t before = config_model(device, COMMAND_REGISTER, 2), after;

    for (uint32_t i = 0; i < size && offset + i < CONFIG_BYTES; i++) {
        uint8_t *at = &space[device].value[offset + i], mask = space[device].writable[offset + i];

        *at = (uint8_t)((*at & ~mask) | (value >> (8 * i) & mask));
    }
    after = config_model(device, COMMAND_REGISTER, 2);
    f->model.device[device].io_on = after & COMMAND_IO;
    f->model.device[device].memory_on = after & COMMAND_MEMORY;
    if (after != before)
        model_set(&f->model, device, COMMAND, after); /* the module is told */
}

void config_load(struct forms *f, uint32_t device, uint32_t offset, uint32_t size) {
    forms_op(f, "config read %u at 0x%x of device %u", size, offset, device);
    forms_same(f, insn_in(choose(f, device, offset), size), config_model(device, offset, size));
}

void config_store(struct forms *f, uint32_t device, uint32_t offset, uint32_t size, uint32_t value) {
    forms_op(f, "config write %u at 0x%x of device %u", size, offset, device);
    insn_out(choose(f, device, offset), size, value);
    change(f, device, offset, size, value);
}

bool config_harmless(uint32_t offset, uint32_t size) {
    return (offset > COMMAND_REGISTER || offset + size <= COMMAND_REGISTER) &&
           (offset >= BAR_REGISTER + 4 * BARS || offset + size <= BAR_REGISTER);
}

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
        uint32_t value = in ? config_model(device, offset, r.size) : 0;

        if (in)
            memcpy(f->expect[r.buffer] + r.place + step, &value, r.size);
        else
            memcpy(&value, f->expect[r.buffer] + r.place + step, r.size);
        if (!in)
            change(f, device, offset, r.size, value);
    }
    if (memcmp(f->ram[r.buffer], f->expect[r.buffer], RAM_BYTES))
        forms_differ(f, "the buffer differs");
}
