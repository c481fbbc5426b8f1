/* SPDX-License-Identifier: MIT */
/* Instructions that a ring 3 program may not execute; a PV kernel is one, so Xen emulates them or refuses. */
#ifndef GLOVEBOX_PROBE_INSTRUCTION_H
#define GLOVEBOX_PROBE_INSTRUCTION_H

#include <stdint.h>

static inline uint8_t read_port8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "d"(port));
    return value;
}

static inline uint32_t read_port32(uint16_t port) {
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "d"(port));
    return value;
}

static inline void write_port8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" : : "a"(value), "d"(port));
}

static inline void write_port32(uint16_t port, uint32_t value) {
    __asm__ volatile("outl %0, %1" : : "a"(value), "d"(port));
}

static inline uint64_t read_msr(uint32_t msr) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value) {
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t read_cr0(void) {
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline uint64_t read_cr4(void) {
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void write_cr0(uint64_t value) {
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline void write_cr3(uint64_t value) {
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline void write_cr4(uint64_t value) {
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

static inline void load_gdt(const struct table_pointer *table) {
    __asm__ volatile("lgdt %0" : : "m"(*table));
}

static inline void load_idt(const struct table_pointer *table) {
    __asm__ volatile("lidt %0" : : "m"(*table));
}

static inline void load_task(uint16_t selector) {
    __asm__ volatile("ltr %0" : : "r"(selector));
}

static inline void halt(void) {
    __asm__ volatile("hlt");
}

static inline void disable_interrupts(void) {
    __asm__ volatile("cli");
}

static inline void run_guest(uint64_t control_block) {
    __asm__ volatile("vmrun" : : "a"(control_block) : "memory");
}

#endif
