// SPDX-License-Identifier: MIT
/* One instruction each; insn.h. */
#include "insn.h"

#include <sys/io.h>

uint64_t insn_load(const volatile void *at, uint32_t size) {
    uint64_t value = 0;

    switch (size) {
    case 1:
        __asm__ volatile("movb (%1), %b0" : "+r"(value) : "r"(at) : "memory");
        break;
    case 2:
        __asm__ volatile("movw (%1), %w0" : "+r"(value) : "r"(at) : "memory");
        break;
    case 4:
        __asm__ volatile("movl (%1), %k0" : "+r"(value) : "r"(at) : "memory");
        break;
    default:
        __asm__ volatile("movq (%1), %0" : "+r"(value) : "r"(at) : "memory");
    }
    return value;
}

void insn_store(volatile void *at, uint32_t size, uint64_t value) {
    switch (size) {
    case 1:
        __asm__ volatile("movb %b0, (%1)" : : "r"(value), "r"(at) : "memory");
        break;
    case 2:
        __asm__ volatile("movw %w0, (%1)" : : "r"(value), "r"(at) : "memory");
        break;
    case 4:
        __asm__ volatile("movl %k0, (%1)" : : "r"(value), "r"(at) : "memory");
        break;
    default:
        __asm__ volatile("movq %0, (%1)" : : "r"(value), "r"(at) : "memory");
    }
}

void insn_add(volatile void *at, uint32_t size, uint64_t value) {
    switch (size) {
    case 1:
        __asm__ volatile("addb %b0, (%1)" : : "r"(value), "r"(at) : "memory", "cc");
        break;
    case 2:
        __asm__ volatile("addw %w0, (%1)" : : "r"(value), "r"(at) : "memory", "cc");
        break;
    case 4:
        __asm__ volatile("addl %k0, (%1)" : : "r"(value), "r"(at) : "memory", "cc");
        break;
    default:
        __asm__ volatile("addq %0, (%1)" : : "r"(value), "r"(at) : "memory", "cc");
    }
}

/* The direction flag must be clear outside of the one instruction (System V ABI, 3.2.1). */
#define REP(insn, operands)                                                                                        \
    do {                                                                                                           \
        if (down)                                                                                                  \
            __asm__ volatile("std; rep " insn "; cld" operands);                                                   \
        else                                                                                                       \
            __asm__ volatile("rep " insn operands);                                                                \
    } while (0)
#define MOVS : "+D"(to), "+S"(from), "+c"(count) : : "memory", "cc"
#define STOS : "+D"(to), "+c"(count) : "a"(value) : "memory", "cc"
#define INS : "+D"(to), "+c"(count) : "d"(port) : "memory", "cc"
#define OUTS : "+S"(from), "+c"(count) : "d"(port) : "memory", "cc"

void insn_movs(volatile void *to, const volatile void *from, size_t count, uint32_t size, bool down) {
    if (size == 1)
        REP("movsb", MOVS);
    else if (size == 2)
        REP("movsw", MOVS);
    else if (size == 4)
        REP("movsl", MOVS);
    else
        REP("movsq", MOVS);
}

void insn_stos(volatile void *to, uint64_t value, size_t count, uint32_t size, bool down) {
    if (size == 1)
        REP("stosb", STOS);
    else if (size == 2)
        REP("stosw", STOS);
    else if (size == 4)
        REP("stosl", STOS);
    else
        REP("stosq", STOS);
}

uint32_t insn_in(uint16_t port, uint32_t size) {
    return size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
}

void insn_out(uint16_t port, uint32_t size, uint32_t value) {
    if (size == 1)
        outb((uint8_t)value, port);
    else if (size == 2)
        outw((uint16_t)value, port);
    else
        outl(value, port);
}

void insn_ins(void *to, uint16_t port, size_t count, uint32_t size, bool down) {
    if (size == 1)
        REP("insb", INS);
    else if (size == 2)
        REP("insw", INS);
    else
        REP("insl", INS);
}

void insn_outs(const void *from, uint16_t port, size_t count, uint32_t size, bool down) {
    if (size == 1)
        REP("outsb", OUTS);
    else if (size == 2)
        REP("outsw", OUTS);
    else
        REP("outsl", OUTS);
}
