// SPDX-License-Identifier: MIT
/*
 * The operations. Each is done to the device and to the model, and all that it could have changed in the guest is
 * compared: the register, or both whole buffers.
 */
#include "forms.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insn.h"

static char operation[160];

void forms_op(struct forms *f, const char *format, ...) {
    va_list args;

    va_start(args, format);
    vsnprintf(operation, sizeof(operation), format, args);
    va_end(args);
    f->operations++;
}

void forms_differ(struct forms *f, const char *format, ...) {
    va_list args;

    printf("FORMS differ: operation %llu: %s: ", (unsigned long long)f->operations, operation);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    exit(1);
}

void forms_same(struct forms *f, uint64_t got, uint64_t want) {
    if (got != want)
        forms_differ(f, "got 0x%llx instead of 0x%llx", (unsigned long long)got, (unsigned long long)want);
}

static volatile uint8_t *at(const struct forms *f, uint64_t address) {
    return f->window + (address - f->window_start);
}

/* "BAR 2 of device 1 + 0x10", for people. */
static const char *place(const struct forms *f, bool io, uint64_t address) {
    static char text[2][64];
    static int turn;
    const struct region *r = model_region(&f->model, io, address);

    turn ^= 1;
    if (r)
        snprintf(text[turn], sizeof(text[turn]), "BAR %u of device %u + 0x%llx", r->bar, r->device,
                 (unsigned long long)(address - r->start));
    else
        snprintf(text[turn], sizeof(text[turn]), "nobody's 0x%llx", (unsigned long long)address);
    return text[turn];
}

/* --- single accesses -------------------------------------------------------------------------------------------- */

void op_load(struct forms *f, uint64_t address, uint32_t size) {
    uint64_t got;

    forms_op(f, "load %u at %s", size, place(f, false, address));
    got = insn_load(at(f, address), size);
    forms_same(f, got, model_read(&f->model, false, address, size));
}

void op_store(struct forms *f, uint64_t address, uint32_t size, uint64_t value) {
    forms_op(f, "store %u at %s", size, place(f, false, address));
    insn_store(at(f, address), size, value);
    model_write(&f->model, false, address, size, value);
}

void op_add(struct forms *f, uint64_t address, uint32_t size, uint64_t value) {
    forms_op(f, "add %u at %s", size, place(f, false, address));
    insn_add(at(f, address), size, value);
    model_write(&f->model, false, address, size, model_read(&f->model, false, address, size) + value);
}

void op_in(struct forms *f, uint64_t port, uint32_t size) {
    uint64_t got;

    forms_op(f, "in %u at %s", size, place(f, true, port));
    got = insn_in((uint16_t)port, size);
    forms_same(f, got, model_read(&f->model, true, port, size));
}

void op_out(struct forms *f, uint64_t port, uint32_t size, uint32_t value) {
    forms_op(f, "out %u at %s", size, place(f, true, port));
    insn_out((uint16_t)port, size, value);
    model_write(&f->model, true, port, size, value);
}

/* --- string instructions ------------------------------------------------------------------------------------------ */

static uint64_t step(const struct rep *r, uint32_t i) {
    return r->down ? -(uint64_t)i * r->size : (uint64_t)i * r->size;
}

/*
 * An item across two pages is forwarded whole while more items follow; the last one is emulated like a single access
 * (x86_emulate.c: a rep count of 1 takes no batch), which is cut at the page's end.
 */
static bool whole(const struct rep *r, uint32_t i) {
    return i + 1 < r->count;
}

static uint64_t item_read(struct forms *f, const struct rep *r, uint32_t i) {
    uint64_t address = r->address + step(r, i);

    return whole(r, i) ? model_read_whole(&f->model, false, address, r->size)
                       : model_read(&f->model, false, address, r->size);
}

static void item_write(struct forms *f, const struct rep *r, uint32_t i, uint64_t value) {
    uint64_t address = r->address + step(r, i);

    if (whole(r, i))
        model_write_whole(&f->model, false, address, r->size, value);
    else
        model_write(&f->model, false, address, r->size, value);
}

static uint8_t *expected(struct forms *f, const struct rep *r, uint32_t i) {
    return f->expect[r->buffer] + r->place + step(r, i);
}

static uint64_t buffer_item(struct forms *f, const struct rep *r, uint32_t i) {
    uint64_t value = 0;

    memcpy(&value, expected(f, r, i), r->size);
    return value;
}

static void say_rep(struct forms *f, const char *what, bool io, const struct rep *r) {
    static const char *const name[BUFFERS] = {"scattered", "contiguous"};

    forms_op(f, "%s%s %u x %u at %s, %s buffer + 0x%x, value 0x%llx", what, r->down ? " down" : "", r->count, r->size,
             place(f, io, r->address), name[r->buffer], r->place, (unsigned long long)r->value);
}

static void compare_buffers(struct forms *f) {
    for (int b = 0; b < BUFFERS; b++) {
        for (uint32_t i = 0; memcmp(f->ram[b], f->expect[b], RAM_BYTES) && i < RAM_BYTES; i++) {
            if (f->ram[b][i] != f->expect[b][i])
                forms_differ(f, "byte 0x%x of buffer %d is 0x%02x instead of 0x%02x", i, b, f->ram[b][i],
                             f->expect[b][i]);
        }
    }
}

void op_movs_from(struct forms *f, const struct rep *r) {
    say_rep(f, "rep movs from", false, r);
    insn_movs(f->ram[r->buffer] + r->place, at(f, r->address), r->count, r->size, r->down);
    for (uint32_t i = 0; i < r->count; i++) {
        uint64_t value = item_read(f, r, i);

        memcpy(expected(f, r, i), &value, r->size);
    }
    compare_buffers(f);
}

void op_movs_to(struct forms *f, const struct rep *r) {
    say_rep(f, "rep movs to", false, r);
    insn_movs(at(f, r->address), f->ram[r->buffer] + r->place, r->count, r->size, r->down);
    for (uint32_t i = 0; i < r->count; i++)
        item_write(f, r, i, buffer_item(f, r, i));
    compare_buffers(f);
}

/* From `address` to `other`: item after item, each a single read and a single write. */
void op_movs_inside(struct forms *f, const struct rep *r) {
    say_rep(f, "rep movs inside from", false, r);
    insn_movs(at(f, r->other), at(f, r->address), r->count, r->size, r->down);
    for (uint32_t i = 0; i < r->count; i++) {
        uint64_t value = model_read(&f->model, false, r->address + step(r, i), r->size);

        model_write(&f->model, false, r->other + step(r, i), r->size, value);
    }
}

void op_stos(struct forms *f, const struct rep *r) {
    say_rep(f, "rep stos", false, r);
    insn_stos(at(f, r->address), r->value, r->count, r->size, r->down);
    for (uint32_t i = 0; i < r->count; i++)
        item_write(f, r, i, r->value);
}

void op_ins(struct forms *f, const struct rep *r) {
    say_rep(f, "rep ins", true, r);
    insn_ins(f->ram[r->buffer] + r->place, (uint16_t)r->address, r->count, r->size, r->down);
    for (uint32_t i = 0; i < r->count; i++) {
        uint64_t value = model_read(&f->model, true, r->address, r->size);

        memcpy(expected(f, r, i), &value, r->size);
    }
    compare_buffers(f);
}

void op_outs(struct forms *f, const struct rep *r) {
    say_rep(f, "rep outs", true, r);
    insn_outs(f->ram[r->buffer] + r->place, (uint16_t)r->address, r->count, r->size, r->down);
    for (uint32_t i = 0; i < r->count; i++)
        model_write(&f->model, true, r->address, r->size, buffer_item(f, r, i));
    compare_buffers(f);
}

/* --- the whole state ---------------------------------------------------------------------------------------------- */

void op_compare_all(struct forms *f) {
    for (uint32_t i = 0; i < f->model.region_count; i++) {
        const struct region *region = &f->model.region[i];
        struct rep r = {.address = region->start, .size = 8, .count = (uint32_t)(region->size / 8)};

        if (region->size == PAGE_BYTES && !region->io)
            op_movs_from(f, &r);
    }
}

void forms_shuffle(struct forms *f) {
    for (int b = 0; b < BUFFERS; b++) {
        for (uint32_t i = 0; i < RAM_BYTES; i += 8) {
            uint64_t value = forms_random(f);

            memcpy(f->expect[b] + i, &value, sizeof(value));
        }
        memcpy(f->ram[b], f->expect[b], RAM_BYTES);
    }
}
