// SPDX-License-Identifier: MIT
/*
 * Configuration space: read and written by byte, word and dword, at every alignment, across dwords and behind the end;
 * BARs sized, decoding switched, two BARs exchanged; string instructions at its data port; its address register.
 */
#include "forms.h"
#include "insn.h"

#define ADDRESS_BITS 0x8ffffffcu /* enable, bits 24 to 27 as Xen knows them, function, register */

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
        uint32_t at = BAR_REGISTER + 4 * bar, before = config_model(device, at, 4);

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

            config_rep(f, device, MSI_ADDRESS, r, false);
            config_rep(f, device, MSI_ADDRESS, r, true);
            config_rep(f, device, 0x00, r, true);
        }
    }
}

/* From a known state: the BARs' addresses are the kernel's, everything else is written. */
void forms_config_begin(struct forms *f) {
    for (uint32_t device = 0; device < f->device_count; device++) {
        config_reset(f, device);
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
