/* SPDX-License-Identifier: MIT */
/* A core in C, and modules (gbx/), standing in for WebAssembly: they record what they are asked and do as told. */
#ifndef GLOVEBOX_DOUBLE_H
#define GLOVEBOX_DOUBLE_H

#include "module.h"
#include "shim.h"

#define DOUBLE_MEMORY_BYTES 131072u
#define DOUBLE_XENSTORE_AT 8192u
#define DOUBLE_LOG_AT 16384u
#define DOUBLE_TRANSFER_AT 24576u
#define DOUBLE_SCRATCH_AT 32768u

struct double_ioreq {
    uint32_t tag, vcpu, type, flags, count, size;
    uint64_t addr, data;
};

struct double_core {
    uint8_t memory[DOUBLE_MEMORY_BYTES];
    bool started;
    /* what came */
    uint32_t ioreqs, timers, idles;
    struct double_ioreq last;
    uint32_t messages, message_type, message_req_id, message_len;
    uint32_t log_tag, log_len, irq_vector;
    uint64_t carried[9]; /* the arguments of the last import that carries bytes, tag first */
    /* what to do */
    uint64_t (*on_ioreq)(const struct double_ioreq *request); /* NULL: addr ^ DOUBLE_ANSWER */
    uint32_t idle_slices;
    int32_t irq_answer, carry_answer;
    void (*on_start)(void); /* NULL: nothing */
    bool irq_panics;        /* irq_raise is a bug of ours */
    const uint64_t *params; /* what `param` answers; NULL: tag << 32 | key */
    uint32_t irq_recursion; /* irq_raise calls this instance handle again */
};
#define DOUBLE_ANSWER 0x5a5a5a5a5a5a5a5aul

extern struct double_core core;

/* What the module's bar_read does, by its offset. */
enum double_register {
    REGISTER_PLAIN = 0,    /* answers bar << 32 | offset << 8 | size, uses 3 of fuel */
    REGISTER_SPIN = 1,     /* never ends: runs out of fuel */
    REGISTER_WILD = 2,     /* reads beyond its memory */
    REGISTER_DIVIDE = 3,   /* divides by zero */
    REGISTER_STOP = 4,     /* unreachable */
    REGISTER_RECURSE = 5,  /* recurses without end */
    REGISTER_RECURSE_OK = 6, /* recurses as deep as is allowed, and answers the depth */
    REGISTER_IRQ = 7,      /* raises vector 9, answers what the import answered */
    REGISTER_LOG = 8,      /* logs its greeting */
    REGISTER_LOG_WILD = 9, /* logs beyond its memory */
    REGISTER_PARAM = 10,   /* param(2) */
    REGISTER_COUNT = 11,   /* a counter in linear memory: 1, 2, ... */
    REGISTER_TABLE = 12,   /* bad indirect call */
    REGISTER_CARRY = 13,   /* an import that carries bytes, by `bar`: test/native/carry.c */
};

#endif
