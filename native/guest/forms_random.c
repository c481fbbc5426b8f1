// SPDX-License-Identifier: MIT
/* A random sequence of all operations, from a seed; every now and then everything is compared. */
#include "forms.h"

#define COMPARE_EVERY 64

/* xorshift64* (Vigna 2016): same seed, same run. */
uint64_t forms_random(struct forms *f) {
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return f->random * 0x2545f4914f6cdd1du;
}

static uint64_t below(struct forms *f, uint64_t end) {
    return forms_random(f) % end;
}

static uint32_t random_size(struct forms *f, bool io) {
    return 1u << below(f, io ? 3 : 4);
}

/* Half of the time near an edge of some BAR. */
static uint64_t random_address(struct forms *f, bool io) {
    const struct region *r;
    uint64_t start = io ? f->port_start : f->window_start, end = io ? f->port_end : f->window_end, address;

    do
        r = &f->model.region[below(f, f->model.region_count)];
    while (r->io != io);
    if (forms_random(f) & 1)
        address = r->start + below(f, r->size);
    else
        address = r->start + (forms_random(f) & 1 ? r->size : 0) + below(f, 24) - 12;
    return address < start || address + 8 > end ? start : address;
}

/* A rep whose items are all somebody's or all nobody's: of a mixture Xen drops as much as it batched. */
static bool random_rep(struct forms *f, bool io, struct rep *r) {
    uint64_t low = random_address(f, io), bytes;
    uint32_t place;

    *r = (struct rep){.size = random_size(f, io), .buffer = (int)below(f, BUFFERS), .down = forms_random(f) & 1};
    r->count = 1 + (uint32_t)below(f, forms_random(f) % 8 ? 12 : 300);
    r->value = forms_random(f);
    bytes = (uint64_t)r->count * r->size;
    place = forms_random(f) & 1 ? PAGE_BYTES - (uint32_t)below(f, bytes + 1) : (uint32_t)below(f, RAM_BYTES - bytes);
    if (!io && (low + bytes > f->window_end || model_claimed(&f->model, false, low, bytes) == CLAIMED_SOME))
        return false;
    /* No item may lie across pages on both sides (forms_table.c). */
    if (!io && low % r->size)
        place &= ~(r->size - 1);
    r->place = r->down ? place + (uint32_t)bytes - r->size : place;
    r->address = r->down && !io ? low + bytes - r->size : low;
    return true;
}

static void random_single(struct forms *f) {
    bool io = forms_random(f) % 4 == 0;
    uint32_t size = random_size(f, io);
    uint64_t address = random_address(f, io), value = forms_random(f);
    bool safe = !model_dangerous(&f->model, io, address, size);
    /* Xen 4.17 emulates no read-modify-write across two pages of a device; the guest's vCPU tries it for ever. */
    bool one_page = address % PAGE_BYTES + size <= PAGE_BYTES;

    if (io && (forms_random(f) & 1 || !safe))
        op_in(f, address, size);
    else if (io)
        op_out(f, address, size, (uint32_t)value);
    else if (forms_random(f) & 1 || !safe)
        op_load(f, address, size);
    else if (value & 7 || !one_page)
        op_store(f, address, size, value);
    else
        op_add(f, address, size, value);
}

static void random_string(struct forms *f) {
    bool io = forms_random(f) % 4 == 0;
    struct rep r;
    uint64_t low, bytes;

    if (!random_rep(f, io, &r))
        return;
    bytes = io ? r.size : (uint64_t)r.count * r.size;
    low = r.down && !io ? r.address - bytes + r.size : r.address;
    if (forms_random(f) & 1 || model_dangerous(&f->model, io, low, bytes))
        (io ? op_ins : op_movs_from)(f, &r);
    else if (io)
        op_outs(f, &r);
    else
        (forms_random(f) & 1 ? op_movs_to : op_stos)(f, &r);
}

static void random_config(struct forms *f) {
    uint32_t device = (uint32_t)below(f, f->device_count), size = random_size(f, true);
    uint32_t offset = (uint32_t)below(f, 0x70);
    struct rep r;

    if (forms_random(f) % 4 == 0 && random_rep(f, true, &r))
        config_rep(f, device, offset, r, forms_random(f) & 1 || !config_harmless(offset, r.size));
    else if (forms_random(f) & 1 && config_harmless(offset, size))
        config_store(f, device, offset, size, (uint32_t)forms_random(f));
    else
        config_load(f, device, offset, size);
}

static void random_one(struct forms *f) {
    switch (forms_random(f) % 8) {
    case 0:
        random_config(f);
        break;
    case 1:
    case 2:
    case 3:
        random_string(f);
        break;
    default:
        random_single(f);
    }
}

void forms_random_all(struct forms *f, uint64_t count) {
    uint64_t end = f->operations + count;

    for (uint64_t next = f->operations; f->operations < end;) {
        random_one(f);
        if (f->operations >= next) {
            forms_shuffle(f);
            op_compare_all(f);
            next = f->operations + COMPARE_EVERY;
        }
    }
    op_compare_all(f);
}
