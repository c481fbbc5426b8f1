/* SPDX-License-Identifier: MIT */
/*
 * What an instance costs, in instructions: the shim's own instance.c, arena.c and call.c with a .gbx file, in an
 * ordinary process that single-steps itself (the processor's trap flag). A repeated string instruction counts once for
 * each repetition, as under QEMU's -icount. host/bench/modules.ts builds and reads it.
 *
 *   modules FILE.gbx      prints `NAME INSTRUCTIONS FUEL`, one line each
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "instance.h"
#include "module_table.h"
#include "panic.h"
#include "plain_device.h"
#include "shim.h"

#define FUEL 10000u
#define OFFSET 4u
#define SIZE 4u

static const struct gb_module *module;
static volatile uint64_t steps;

const struct gb_module *module_at(uint32_t slot) {
    return slot == 0 ? module : NULL;
}

void panic(const char *what, uint64_t a, uint64_t b) {
    fprintf(stderr, "panic: %s %llu %llu\n", what, (unsigned long long)a, (unsigned long long)b);
    abort();
}

uint64_t w2c_glovebox_param(struct w2c_glovebox *box, uint32_t key);
uint32_t w2c_glovebox_irq_raise(struct w2c_glovebox *box, uint32_t vector);
void w2c_glovebox_log(struct w2c_glovebox *box, uint32_t at, uint32_t bytes);

uint64_t w2c_glovebox_param(struct w2c_glovebox *box, uint32_t key) {
    (void)box;
    return key;
}

uint32_t w2c_glovebox_irq_raise(struct w2c_glovebox *box, uint32_t vector) {
    (void)box;
    return vector & 0;
}

void w2c_glovebox_log(struct w2c_glovebox *box, uint32_t at, uint32_t bytes) {
    (void)box;
    (void)at;
    (void)bytes;
}

static void on_step(int signal) {
    (void)signal;
    steps++;
}

/* Trap flag on and off again; between them each instruction is a step. */
#define STEP_FLAG "0x100"
static void begin(void) {
    steps = 0;
    __asm__ volatile("pushfq; orq $" STEP_FLAG ", (%%rsp); popfq" : : : "memory", "cc");
}

static void end(void) {
    __asm__ volatile("pushfq; andq $~" STEP_FLAG ", (%%rsp); popfq" : : : "memory", "cc");
}

static uint32_t handle;

static void nothing(void) {
}

static void create(void) {
    handle = (uint32_t)shim_instance_create(0, 1);
}

static void attach(void) {
    shim_instance_call(handle, ENTRY_ATTACH, FUEL, 0, 0, 0, 0);
}

static void reset_image(void) {
    shim_instance_reset(handle);
}

static void reset_device(void) {
    shim_instance_call(handle, ENTRY_RESET, FUEL, 0, 0, 0, 0);
}

static void destroy(void) {
    shim_instance_destroy(handle);
}

static void module_read(void) {
    shim_instance_call(handle, ENTRY_BAR_READ, FUEL, 0, OFFSET, SIZE, 0);
}

static void module_write(void) {
    shim_instance_call(handle, ENTRY_BAR_WRITE, FUEL, 0, OFFSET, SIZE, 0x5a5a5a5a);
}

static uint64_t (*volatile c_bar_read)(uint32_t bar, uint32_t offset, uint32_t size) = plain_device_read;
static void (*volatile c_bar_write)(uint32_t bar, uint32_t offset, uint32_t size, uint64_t value) =
    plain_device_write;

static void c_read(void) {
    c_bar_read(0, OFFSET, SIZE);
}

static void c_write(void) {
    c_bar_write(0, OFFSET, SIZE, 0x5a5a5a5a);
}

static const struct {
    const char *name;
    void (*run)(void);
    bool is_charged;
} rows[] = {
    {"nothing", nothing, false},
    {"create", create, false},
    {"attach", attach, true},
    {"module-read", module_read, true},
    {"module-write", module_write, true},
    {"c-read", c_read, false},
    {"c-write", c_write, false},
    {"reset-device", reset_device, true},
    {"reset-image", reset_image, false},
    {"destroy", destroy, false},
};

int main(int argc, char **argv) {
    void *file = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    module = file ? dlsym(file, "gb_module") : NULL;
    if (!module) {
        fprintf(stderr, "usage: modules FILE.gbx: %s\n", argc == 2 ? dlerror() : "one file");
        return 2;
    }
    signal(SIGTRAP, on_step);
    plain_device_reset();
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        void (*volatile run)(void) = rows[i].run;
        begin();
        run();
        end();
        uint64_t counted = steps;
        if (shim_call_fault() != FAULT_NONE) {
            fprintf(stderr, "%s: fault %u\n", rows[i].name, shim_call_fault());
            return 1;
        }
        printf("%s %llu %u\n", rows[i].name, (unsigned long long)counted,
               rows[i].is_charged ? shim_call_fuel() : 0);
    }
    return 0;
}
