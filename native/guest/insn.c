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
#define REP(insn, outputs, inputs)                                                                                      \
    do {                                                                                                                \
        if (down)                                                                                                       \
            __asm__ volatile("std; rep " insn "; cld" : outputs : inputs : "memory", "cc");                            \
        else                                                                                                            \
            __asm__ volatile("rep " insn : outputs : inputs : "memory", "cc");                                          \
    } while (0)
#define AND ,
#define MOVS(insn) REP(insn, "+D"(to) AND "+S"(from) AND "+c"(count), )
#define STOS(insn) REP(insn, "+D"(to) AND "+c"(count), "a"(value))
#define INS(insn) REP(insn, "+D"(to) AND "+c"(count), "d"(port))
#define OUTS(insn) REP(insn, "+S"(from) AND "+c"(count), "d"(port))

void insn_movs(volatile void *to, const volatile void *from, size_t count, uint32_t size, bool down) {
    if (size == 1)
        MOVS("movsb");
    else if (size == 2)
        MOVS("movsw");
    else if (size == 4)
        MOVS("movsl");
    else
        MOVS("movsq");
}

void insn_stos(volatile void *to, uint64_t value, size_t count, uint32_t size, bool down) {
    if (size == 1)
        STOS("stosb");
    else if (size == 2)
        STOS("stosw");
    else if (size == 4)
        STOS("stosl");
    else
        STOS("stosq");
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
        INS("insb");
    else if (size == 2)
        INS("insw");
    else
        INS("insl");
}

void insn_outs(const void *from, uint16_t port, size_t count, uint32_t size, bool down) {
    if (size == 1)
        OUTS("outsb");
    else if (size == 2)
        OUTS("outsw");
    else
        OUTS("outsl");
}
