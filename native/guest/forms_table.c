// SPDX-License-Identifier: MIT
/*
 * Every form once: sizes, alignments, ends of registers, regions and pages, both directions, both kinds of buffer.
 */
#include "forms.h"

#define MIDDLE 0x40u /* an offset in every memory BAR that keeps what is written, or drops it, without effects */

static bool may_write(const struct forms *f, bool io, uint64_t address, uint64_t bytes) {
    return !model_dangerous(&f->model, io, address, bytes);
}

static void load_and_store(struct forms *f, uint64_t address, uint32_t size) {
    op_load(f, address, size);
    if (!may_write(f, false, address, size))
        return;
    op_store(f, address, size, forms_random(f));
    op_load(f, address, size);
}

/* All sizes at all alignments inside each memory BAR; and read-modify-write. */
static void inside(struct forms *f, const struct region *r) {
    for (uint32_t size = 1; size <= 8; size *= 2) {
        for (uint32_t shift = 0; shift < 8; shift++)
            load_and_store(f, r->start + MIDDLE + shift, size);
        op_add(f, r->start + MIDDLE, size, forms_random(f));
    }
}

/* All ways in which an access can lie across the start or the end of a BAR: into a neighbour, or into nothing. */
static void across(struct forms *f, uint64_t edge) {
    for (uint32_t size = 2; size <= 8; size *= 2) {
        for (uint32_t before = 1; before < size; before++) {
            if (edge - before >= f->window_start && edge + size <= f->window_end)
                load_and_store(f, edge - before, size);
        }
    }
}

/* The registers with a meaning, each word and across two. */
static void meanings(struct forms *f, const struct region *r) {
    for (uint32_t offset = 0; offset < PLAIN; offset += 2) {
        for (uint32_t size = 2; size <= 8; size *= 2)
            load_and_store(f, r->start + offset, size);
    }
}

/* --- string instructions ------------------------------------------------------------------------------------------ */

/* Where the first item of a rep must lie so that its lowest byte is at `low`. */
static uint64_t first(uint64_t low, const struct rep *r) {
    return r->down ? low + (uint64_t)(r->count - 1) * r->size : low;
}

/* The item that lies across two pages of the buffer, if there is one, must not lie across two of the device: which
 * way Xen takes is then known. */
static void rep_everywhere(struct forms *f, struct rep r, uint64_t low, bool crosses_page) {
    /* In one page; across a page's end between two items; across it in the middle of an item. */
    const uint32_t bytes = r.size * r.count, half = r.count / 2 * r.size;
    const uint32_t places[] = {64, PAGE_BYTES - half, PAGE_BYTES - half - r.size / 2};

    for (r.buffer = 0; r.buffer < BUFFERS; r.buffer++) {
        for (uint32_t p = 0; p < (crosses_page ? 2 : 3); p++) {
            r.place = (uint32_t)first(places[p], &r);
            r.address = first(low, &r);
            op_movs_from(f, &r);
            if (may_write(f, false, low, bytes))
                op_movs_to(f, &r);
        }
    }
    r.buffer = 0;
    r.value = forms_random(f);
    if (may_write(f, false, low, bytes))
        op_stos(f, &r);
}

static void reps_at(struct forms *f, struct rep r) {
    const struct region *big = &f->model.region[0];

    rep_everywhere(f, r, big->start + 0x200, false);
    rep_everywhere(f, r, big->start + 0x203, false);
    for (uint32_t i = 0; i < f->model.region_count; i++) {
        const struct region *region = &f->model.region[i];
        uint64_t end = region->start + region->size, low = end - r.count / 2 * r.size;
        uint64_t bytes = (uint64_t)r.size * r.count;

        if (region->io || r.count < 2)
            continue;
        /* Over the end into the neighbour: between two items, and in the middle of one. */
        if (model_claimed(&f->model, false, low, bytes) == CLAIMED_ALL)
            rep_everywhere(f, r, low, false);
        low -= r.size / 2;
        if (r.size > 1 && model_claimed(&f->model, false, low, bytes) == CLAIMED_ALL)
            rep_everywhere(f, r, low, true);
    }
}

static void reps(struct forms *f) {
    static const uint32_t counts[] = {1, 2, 17};

    for (uint32_t size = 1; size <= 8; size *= 2) {
        for (uint32_t c = 0; c < 3; c++) {
            for (int down = 0; down < 2; down++)
                reps_at(f, (struct rep){.size = size, .count = counts[c], .down = down});
        }
    }
}

/* From one BAR to another, where Xen makes no batches; and where nobody answers, where it makes them by itself. */
static void reps_beside(struct forms *f) {
    uint64_t nobody = f->window_end - PAGE_BYTES;

    for (uint32_t size = 1; size <= 8; size *= 2) {
        for (int down = 0; down < 2; down++) {
            struct rep r = {.size = size, .count = 3, .down = down};

            r.address = first(f->model.region[0].start + 0x300, &r);
            for (uint32_t i = 0; i < f->model.region_count; i++) {
                const struct region *region = &f->model.region[i];

                if (!region->io && region->bar == 0)
                    r.other = first(region->start + 0x340, &r);
            }
            op_movs_inside(f, &r);
            r.place = (uint32_t)first(PAGE_BYTES - size, &r);
            r.address = first(nobody + 0x10, &r);
            op_movs_from(f, &r);
            op_movs_to(f, &r);
            op_stos(f, &r);
        }
    }
}

/* --- ports -------------------------------------------------------------------------------------------------------- */

static void ports(struct forms *f) {
    for (uint32_t size = 1; size <= 4; size *= 2) {
        for (uint64_t port = f->port_start; port + size <= f->port_end; port++) {
            op_in(f, port, size);
            if (may_write(f, true, port, size))
                op_out(f, port, size, (uint32_t)forms_random(f));
        }
    }
}

static void port_reps(struct forms *f, const struct region *region, uint64_t port) {
    for (uint32_t size = 1; size <= 4; size *= 2) {
        for (int down = 0; down < 2; down++) {
            for (int buffer = 0; buffer < BUFFERS; buffer++) {
                struct rep r = {.address = port, .buffer = buffer, .size = size, .count = 9, .down = down};
                uint32_t places[] = {64, PAGE_BYTES - 4 * size, PAGE_BYTES - 4 * size - size / 2};

                for (int p = 0; p < 3; p++) {
                    r.place = (uint32_t)first(places[p], &r);
                    op_ins(f, &r);
                    if (may_write(f, true, port, size))
                        op_outs(f, &r);
                    op_in(f, region->start + 4, 4);
                }
            }
        }
    }
}

void forms_table(struct forms *f) {
    for (uint32_t i = 0; i < f->model.region_count; i++) {
        const struct region *r = &f->model.region[i];

        if (r->io) {
            port_reps(f, r, r->start + 4);
            port_reps(f, r, r->start + r->size - 2); /* into the neighbour, if there is one */
            continue;
        }
        inside(f, r);
        across(f, r->start);
        across(f, r->start + r->size);
        if (r->bar == 0)
            meanings(f, r);
        op_compare_all(f);
    }
    ports(f);
    op_compare_all(f);
    reps(f);
    reps_beside(f);
    op_compare_all(f);
}

/* --- each form once more, at the end, so that the mediator's trace holds it surely ------------------------------- */

static void each_batch(struct forms *f, uint32_t size, uint64_t memory, uint64_t port) {
    for (int down = 0; down < 2; down++) {
        struct rep r = {.size = size, .count = 3, .down = down, .value = forms_random(f)};

        r.place = (uint32_t)first(MIDDLE, &r);
        r.address = first(memory, &r);
        op_movs_from(f, &r);
        op_movs_to(f, &r);
        op_stos(f, &r);
        if (size == 8)
            continue;
        r.address = port;
        op_ins(f, &r);
        op_outs(f, &r);
        config_rep(f, 0, MSI_ADDRESS, r, true);
        config_rep(f, 0, MSI_ADDRESS, r, false);
    }
}

void forms_each(struct forms *f) {
    uint64_t memory = f->model.region[0].start + MIDDLE, port = 0;

    for (uint32_t i = 0; i < f->model.region_count; i++) {
        if (f->model.region[i].io)
            port = f->model.region[i].start + SCRATCH;
    }
    for (uint32_t size = 1; size <= 8; size *= 2) {
        load_and_store(f, memory, size);
        each_batch(f, size, memory, port);
        if (size == 8)
            continue;
        op_in(f, port, size);
        op_out(f, port, size, (uint32_t)forms_random(f));
        config_load(f, 0, MSI_ADDRESS, size);
        config_store(f, 0, MSI_ADDRESS, size, (uint32_t)forms_random(f));
    }
    op_compare_all(f);
}
