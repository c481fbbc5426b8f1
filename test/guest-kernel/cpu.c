/* SPDX-License-Identifier: MIT */
/* Interrupts, the local APIC, the window to addresses above 4 GiB, the second vCPU. */
#include "kernel.h"

#include <xen/xen.h>
#include <xen/sched.h>

#define APIC 0xfee00000ull
#define APIC_VERSION 0x30
#define APIC_TASK_PRIORITY 0x80
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_TIMER 0x320
#define APIC_TIMER_COUNT 0x380
#define APIC_TIMER_DIVIDE 0x3e0
#define TIMER_VECTOR 0x53
#define TIMER_DIVIDE_1 0xbu
#define TIMER_PER_US 100u /* Xen's bus clock, xen/arch/x86/include/asm/hvm/vlapic.h: 10 ns a cycle */
#define LARGE_PAGE 0x200000ull
#define LARGE_PRESENT_WRITE 0x83ull
#define STACK_BYTES 8192

struct gate {
    uint16_t offset_low, selector, attributes, offset_middle;
    uint32_t offset_high, zero;
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

extern uint8_t interrupt_entries[];
extern uint64_t page_directories[];
extern uint8_t second_start[];

static struct gate gates[256] __attribute__((aligned(16)));
static volatile uint64_t seen[256];
static void (*volatile second_work)(void);
static uint64_t window_gpa = WINDOW_BASE;

static volatile uint32_t *apic(unsigned offset) {
    return (volatile uint32_t *)(uintptr_t)(APIC + offset);
}

static void load_table(uint16_t limit) {
    struct table_pointer pointer = {.limit = limit, .base = (uint64_t)gates};
    __asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
}

void cpu_start(void) {
    for (unsigned i = 0; i < 256; i++) {
        uint64_t at = (uint64_t)interrupt_entries + i * 16u;
        gates[i] = (struct gate){
            .offset_low = (uint16_t)at, .selector = 8, .attributes = 0x8e00, .offset_middle = (uint16_t)(at >> 16),
            .offset_high = (uint32_t)(at >> 32),
        };
    }
    load_table(sizeof(gates) - 1);
    *apic(APIC_SPURIOUS) = 0x1ff; /* enabled, spurious interrupts at 255 */
    *apic(APIC_TASK_PRIORITY) = 0;
}

/* Called by the entries. */
void interrupt(uint64_t vector, uint64_t error, uint64_t rip);
void interrupt(uint64_t vector, uint64_t error, uint64_t rip) {
    if (vector < 32 && vector != 2) {
        uint64_t address;
        __asm__("mov %%cr2, %0" : "=r"(address));
        say("KERNEL fault %u error %x rip %x address %x\n", vector, error, rip, address);
        shutdown(SHUTDOWN_crash);
    }
    seen[vector]++;
    if (vector >= 32)
        *apic(APIC_EOI) = 0;
}

void interrupts_take(void) {
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

/* One interrupt after that time, at most 40 s; it replaces the one before. */
void timer_start(uint64_t us) {
    *apic(APIC_TIMER_COUNT) = 0;
    interrupts_take(); /* one that came when nobody waited any more */
    seen[TIMER_VECTOR] = 0;
    *apic(APIC_TIMER_DIVIDE) = TIMER_DIVIDE_1;
    *apic(APIC_TIMER) = TIMER_VECTOR;
    *apic(APIC_TIMER_COUNT) = (uint32_t)(us * TIMER_PER_US);
}

/* Asleep until any interrupt; false: it was the timer's. Nothing fits between sti and hlt. */
bool interrupt_await(void) {
    __asm__ volatile("sti; hlt; cli" : : : "memory");
    return !seen[TIMER_VECTOR];
}

uint64_t interrupts_seen(uint8_t vector) {
    return seen[vector];
}

uint32_t apic_version(void) {
    return *apic(APIC_VERSION);
}

/* gpa: a multiple of 1 GiB. Both translations of the window are thrown away by the load of cr3. */
void window_point(uint64_t gpa) {
    uint64_t cr3;
    if (gpa == window_gpa)
        return;
    window_gpa = gpa;
    for (unsigned i = 0; i < WINDOW_BYTES / LARGE_PAGE; i++)
        page_directories[4 * 512 + i] = (gpa + i * LARGE_PAGE) | LARGE_PRESENT_WRITE;
    __asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(cr3) : : "memory");
}

void *reach(uint64_t gpa) {
    if (gpa < WINDOW_BASE)
        return (void *)(uintptr_t)gpa;
    window_point(gpa & ~(WINDOW_BYTES - 1));
    return (void *)(uintptr_t)(WINDOW_BASE + (gpa & (WINDOW_BYTES - 1)));
}

_Noreturn void triple_fault(void) {
    load_table(0);
    for (;;)
        __asm__ volatile("ud2");
}

/* --- the second vCPU: waits for work --- */

_Noreturn void second_main(void);
_Noreturn void second_main(void) {
    load_table(sizeof(gates) - 1);
    for (;;) {
        if (second_work) {
            second_work();
            second_work = NULL;
        }
        yield();
    }
}

/* False: there is no second vCPU, or it is at work. */
bool second_run(void (*work)(void)) {
    static uint8_t stack[STACK_BYTES] __attribute__((aligned(16)));
    static bool up;
    if (second_work || (!up && !vcpu_start(1, (uint64_t)second_start, (uint64_t)(stack + sizeof(stack)))))
        return false;
    up = true;
    second_work = work;
    return true;
}

bool second_busy(void) {
    return second_work != NULL;
}
