/* SPDX-License-Identifier: MIT */
/*
 * gb-forms: every form of access, done to real devices and to the model (model.h) alike, compared at once. The first
 * difference is told with the operation, and ends the program.
 *
 *   gb-forms.c      finds the devices; main
 *   forms.c         one operation each: do, model, compare
 *   forms_table.c   every form once, systematically
 *   forms_config.c  configuration space, by the accesses of config.c
 *   forms_random.c  the random sequence
 *   forms_buffer.c  the guest's buffers
 */
#ifndef GUEST_FORMS_H
#define GUEST_FORMS_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"

#define RAM_PAGES 3u
#define RAM_BYTES (RAM_PAGES * PAGE_BYTES)
#define BUFFERS 2 /* frames scattered over the guest's memory, and frames in a row */

struct forms {
    struct model model;
    uint32_t device_count;
    uint8_t slot[DEVICES_MAX];
    /* All memory BARs and the page behind them, mapped as they lie; all port BARs. */
    volatile uint8_t *window;
    uint64_t window_start, window_end;
    uint64_t port_start, port_end;
    uint8_t *ram[BUFFERS];
    uint8_t expect[BUFFERS][RAM_BYTES]; /* what must be in them */
    uint64_t operations, random;
};

void forms_die(const char *thing, const char *why) __attribute__((noreturn));
/* Prints `FORMS differ: ...` with the operation told by the latest forms_op(), and exits. */
void forms_differ(struct forms *f, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
void forms_op(struct forms *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void forms_same(struct forms *f, uint64_t got, uint64_t want);

/* --- forms.c: addresses are guest-physical, ports, or offsets in a buffer; a rep's are those of its first item --- */
void op_load(struct forms *f, uint64_t address, uint32_t size);
void op_store(struct forms *f, uint64_t address, uint32_t size, uint64_t value);
void op_add(struct forms *f, uint64_t address, uint32_t size, uint64_t value);
void op_in(struct forms *f, uint64_t port, uint32_t size);
void op_out(struct forms *f, uint64_t port, uint32_t size, uint32_t value);

struct rep {
    uint64_t address; /* in the device */
    uint64_t other;   /* for a copy inside the device: where to */
    int buffer;
    uint32_t place; /* in the buffer */
    uint32_t size, count;
    bool down;
    uint64_t value; /* for stos */
};
void op_movs_from(struct forms *f, const struct rep *r);
void op_movs_to(struct forms *f, const struct rep *r);
void op_movs_inside(struct forms *f, const struct rep *r);
void op_stos(struct forms *f, const struct rep *r);
void op_ins(struct forms *f, const struct rep *r);
void op_outs(struct forms *f, const struct rep *r);
/* Everything that the devices keep, against the model. */
void op_compare_all(struct forms *f);
/* New contents for the buffers. */
void forms_shuffle(struct forms *f);

void forms_table(struct forms *f);
void forms_each(struct forms *f);
void forms_buffers(struct forms *f);
uint64_t forms_random(struct forms *f);
void forms_random_all(struct forms *f, uint64_t count);

/* Before everything else: brings both devices and the model into one state, decoding on. */
void forms_config_begin(struct forms *f);
void forms_config(struct forms *f);

/* --- config.c: one access to configuration space each ------------------------------------------------------------- */
#define CONFIG_BYTES 256u
#define ADDRESS_PORT 0xcf8
#define COMMAND_REGISTER 0x04u
#define COMMAND_IO 1u
#define COMMAND_MEMORY 2u
#define BAR_REGISTER 0x10u
#define BARS 6u
#define MSI_ADDRESS 0x44u /* keeps what is written; nobody raises an interrupt here */

/* The model as after power-on, but for the addresses in the BARs. */
void config_reset(struct forms *f, uint32_t device);
uint32_t config_model(uint32_t device, uint32_t offset, uint32_t size);
void config_load(struct forms *f, uint32_t device, uint32_t offset, uint32_t size);
void config_store(struct forms *f, uint32_t device, uint32_t offset, uint32_t size, uint32_t value);
/* ins or outs of one register, `count` times. */
void config_rep(struct forms *f, uint32_t device, uint32_t offset, struct rep r, bool in);
/* May random bits be written there? Not where BARs would move or decoding would go off. */
bool config_harmless(uint32_t offset, uint32_t size);

#endif
