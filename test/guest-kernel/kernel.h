/* SPDX-License-Identifier: MIT */
/*
 * A guest that fits on a few screens: it boots in milliseconds, does what its command line and then its console say
 * (commands.c), and answers each command by one line, `N ok ...` or `N failed ...`. It runs on memory mapped one to
 * one, with interrupts taken only where it asks for them. Nothing in it is nice to the mediator.
 */
#ifndef GUEST_KERNEL_H
#define GUEST_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* xen/xen-compat.h: guest handles as structures. */
#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__

#define ARGUMENTS_MAX 12
#define WINDOW_BASE 0x100000000ull /* what window_point() aims at; 1 GiB */
#define WINDOW_BYTES 0x40000000ull

/* console.c */
void console_start(void);
void say(const char *format, ...); /* %s, %u, %x (64 bits each), %d */
void console_line(char *out, size_t size);

/* xen.c */
void xen_start(void);
uint64_t hvm_parameter(uint32_t index);
_Noreturn void shutdown(unsigned reason);
void event_send(uint32_t port);
void event_wait(uint32_t port);
void sleep_us(uint64_t us);
uint64_t time_ns(void);
void yield(void);
bool vcpu_start(uint32_t vcpu, uint64_t rip, uint64_t rsp);
long memory_give(uint64_t gfn, uint64_t count);
long memory_take(uint64_t gfn, uint64_t count);

/* cpu.c */
void cpu_start(void);
void window_point(uint64_t gpa);
void *reach(uint64_t gpa);
void interrupts_take(void);
uint64_t interrupts_seen(uint8_t vector);
void timer_start(uint64_t us);
bool interrupt_await(void);
uint32_t apic_version(void);
_Noreturn void triple_fault(void);
bool second_run(void (*work)(void));
bool second_busy(void);

/* access.c */
uint64_t mmio_read(uint64_t gpa, unsigned size);
void mmio_write(uint64_t gpa, unsigned size, uint64_t value);
uint32_t port_read(uint16_t port, unsigned size);
void port_write(uint16_t port, unsigned size, uint32_t value);
void rep_move(void *to, const void *from, unsigned size, uint64_t count, bool down);
void rep_store(void *to, uint64_t value, unsigned size, uint64_t count, bool down);
void rep_in(uint16_t port, void *to, unsigned size, uint64_t count, bool down);
void rep_out(uint16_t port, const void *from, unsigned size, uint64_t count, bool down);

/* pci.c */
uint32_t pci_read(unsigned slot, unsigned offset, unsigned size);
void pci_write(unsigned slot, unsigned offset, unsigned size, uint32_t value);
bool pci_present(unsigned slot);
void pci_command(unsigned slot, uint16_t value);
void pci_place(unsigned slot, unsigned bar, uint64_t address);
uint64_t pci_bar(unsigned slot, unsigned bar);
uint64_t pci_bar_size(unsigned slot, unsigned bar);
void pci_set_up(void);
unsigned pci_capability(unsigned slot, uint8_t id);
void pci_msi(unsigned slot, uint64_t address, uint16_t data, bool enable);

/* draw.c */
const char *draw(unsigned slot, unsigned width, unsigned height, uint32_t seed, uint32_t *crc);
uint32_t crc32(const uint8_t *at, uint64_t bytes);
void mode_set(uint64_t registers, unsigned width, unsigned height, unsigned bits);

/* race.c: a word of complaint, or NULL */
const char *race_decode(unsigned slot, uint64_t rounds);
_Noreturn void die_in_request(uint64_t gpa);

/* gpu.c: words of complaint, or NULL; `value` is the answer */
const char *gpu_start(uint64_t *value);
const char *gpu_picture(const uint64_t *a, uint64_t *value);
const char *gpu_raw(const uint64_t *a, unsigned count, uint64_t *value);
const char *gpu_shreds(const uint64_t *a, uint64_t *value);
const char *gpu_flood(const uint64_t *a, uint64_t *value);
const char *gpu_pace(const uint64_t *a, uint64_t *value);
const char *gpu_bells(const uint64_t *a, uint64_t *value);
const char *gpu_nonsense(const uint64_t *a, uint64_t *value);
const char *gpu_rings(const uint64_t *a, uint64_t *value);

/* soak.c */
const char *soak(uint64_t seed, uint64_t ms, uint64_t idle_us);
const char *use(unsigned slot, uint64_t seed);

/* durations.c: since then in nanoseconds, at most some 4 s; one line of many, which are sorted. The median. */
uint32_t duration(uint64_t start_ns);
uint64_t durations_say(const char *word, uint32_t *ns, uint64_t count);

/* watch.c: words of complaint, or NULL */
const char *watch(const uint64_t *a, unsigned count);
const char *watch_end(uint64_t *value);

/* hostile.c: the same */
const char *hostile_find(uint64_t *value);
const char *hostile_sin(const uint64_t *a, unsigned count, uint64_t *value);
const char *hostile_again(uint64_t round, uint64_t *value);

/* time.c */
const char *median_ns(uint64_t kind, uint64_t where, uint64_t count, uint64_t pause_us, uint64_t *out);

/* random.c */
uint64_t random_next(uint64_t *state);

/* commands.c */
void command_run(char *line);

/* start.c */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
#endif
