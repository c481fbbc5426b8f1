/* SPDX-License-Identifier: MIT */
/* One access of exactly that size, and the string instructions. */
#include "kernel.h"

uint64_t mmio_read(uint64_t gpa, unsigned size) {
    volatile void *at = reach(gpa);
    switch (size) {
    case 1:
        return *(volatile uint8_t *)at;
    case 2:
        return *(volatile uint16_t *)at;
    case 4:
        return *(volatile uint32_t *)at;
    default:
        return *(volatile uint64_t *)at;
    }
}

void mmio_write(uint64_t gpa, unsigned size, uint64_t value) {
    volatile void *at = reach(gpa);
    switch (size) {
    case 1:
        *(volatile uint8_t *)at = (uint8_t)value;
        break;
    case 2:
        *(volatile uint16_t *)at = (uint16_t)value;
        break;
    case 4:
        *(volatile uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(volatile uint64_t *)at = value;
    }
}

uint32_t port_read(uint16_t port, unsigned size) {
    uint32_t value = 0;
    if (size == 1)
        __asm__ volatile("inb %1, %b0" : "+a"(value) : "Nd"(port));
    else if (size == 2)
        __asm__ volatile("inw %1, %w0" : "+a"(value) : "Nd"(port));
    else
        __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

void port_write(uint16_t port, unsigned size, uint32_t value) {
    if (size == 1)
        __asm__ volatile("outb %b0, %1" : : "a"(value), "Nd"(port));
    else if (size == 2)
        __asm__ volatile("outw %w0, %1" : : "a"(value), "Nd"(port));
    else
        __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

/* The direction flag is up only for the instruction. */
#define STRING(instruction, ...) \
    do { \
        if (down) \
            __asm__ volatile("std; rep " instruction "; cld" __VA_ARGS__); \
        else \
            __asm__ volatile("rep " instruction __VA_ARGS__); \
    } while (0)
#define BY_SIZE(name, ...) \
    switch (size) { \
    case 1: \
        STRING(name "b", __VA_ARGS__); \
        break; \
    case 2: \
        STRING(name "w", __VA_ARGS__); \
        break; \
    default: \
        STRING(name "l", __VA_ARGS__); \
    }

void rep_move(void *to, const void *from, unsigned size, uint64_t count, bool down) {
    if (size == 8)
        STRING("movsq", : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    else
        BY_SIZE("movs", : "+D"(to), "+S"(from), "+c"(count) : : "memory")
}

void rep_store(void *to, uint64_t value, unsigned size, uint64_t count, bool down) {
    if (size == 8)
        STRING("stosq", : "+D"(to), "+c"(count) : "a"(value) : "memory");
    else
        BY_SIZE("stos", : "+D"(to), "+c"(count) : "a"(value) : "memory")
}

void rep_in(uint16_t port, void *to, unsigned size, uint64_t count, bool down) {
    BY_SIZE("ins", : "+D"(to), "+c"(count) : "d"(port) : "memory")
}

void rep_out(uint16_t port, const void *from, unsigned size, uint64_t count, bool down) {
    BY_SIZE("outs", : "+S"(from), "+c"(count) : "d"(port) : "memory")
}
