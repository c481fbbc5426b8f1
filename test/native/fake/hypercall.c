/* SPDX-License-Identifier: MIT */
/* The one door of the fake: counts, fails on demand, hands on. Also the world's beginning and end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake.h"
#include "machine.h"
#include "shim_limits.h"

static uint64_t count, fail_at;
static long fail_answer;
static const char *failed = "";
static uint64_t clock_ns = 5000000000ul;
static uint64_t yields, yield_ns;
void (*fake_at_yield)(void);
static struct start_info info;
static struct shared_info *shared;

_Noreturn void fake_fail(const char *what, uint64_t a, uint64_t b) {
    printf("FAILED: %s (0x%llx, 0x%llx)\n%s", what, (unsigned long long)a, (unsigned long long)b, fake_console());
    fflush(stdout);
    _Exit(1);
}

void fake_fail_nth(uint64_t nth, long answer) {
    fail_at = nth ? count + nth : 0;
    fail_answer = answer;
    failed = "";
}

static uint64_t held, first, last;

/* At the start of a life: what child_run() has ordered is for later. */
void fake_failures_hold(void) {
    held = fail_at;
    fail_at = 0;
}

void fake_failures_begin(void) {
    first = count;
    fail_at = held ? count + held : 0;
}

void fake_failures_end(void) {
    last = count;
    fail_at = 0;
}

uint64_t fake_hypercalls(void) {
    return (last ? last : count) - first;
}

const char *fake_failed_name(void) {
    return failed;
}

struct ledger fake_ledger(void) {
    return (struct ledger){fake_windows(), fake_aperture(), fake_grants(),   fake_bound_ports(),
                           fake_servers(), fake_ranges(),   fake_extra_ram()};
}

const struct start_info *fake_start(void) {
    uint64_t mfn = fake_frame_new(DOMID_XEN);
    shared = (struct shared_info *)fake_frame(mfn);
    shared->vcpu_info[0].time.tsc_to_system_mul = 0x80000000u; /* x 0.5, then shifted: one tick = one ns */
    shared->vcpu_info[0].time.tsc_shift = 1;
    shared->wc_sec = 1000;
    info.shared_info = mfn << PAGE_SHIFT;
    info.nr_pages = 4096;
    strcpy((char *)info.cmd_line, "wait=block");
    fake_ramdisk_init(&info);
    fake_events_init(shared);
    fake_rings_init(&info);
    fake_guests_init();
    return &info;
}

void machine_init(const struct start_info *start) {
    (void)start;
}

void machine_protect(void) {
}

/* For once the processor itself is the judge: what is not allowed ends the process. */
int machine_set_access(void *va, uint32_t pages, enum machine_access access) {
    static const int allowed[] = {[MACHINE_DATA] = PROT_READ | PROT_WRITE, [MACHINE_CONSTANTS] = PROT_READ,
                                  [MACHINE_CODE] = PROT_READ | PROT_EXEC};
    if (++count == fail_at) {
        failed = "machine_set_access";
        return (int)fail_answer;
    }
    return mprotect(va, (size_t)pages * PAGE_BYTES, allowed[access]) ? -XEN_EINVAL : 0;
}

uint64_t machine_image_bytes(void) {
    return 0;
}

uint64_t machine_tsc(void) {
    return clock_ns++;
}

void (*fake_at_end)(void);

void fake_advance_clock(uint64_t ns) {
    clock_ns += ns;
}

_Noreturn void fake_panicked(void) {
    if (fake_at_end)
        fake_at_end();
    printf("PANIC (%s)\n%s", failed, fake_console());
    fflush(stdout);
    _Exit(FAKE_PANIC_EXIT);
}

void fake_yield_takes(uint64_t ns) {
    yield_ns = ns;
}

uint64_t fake_yields(void) {
    return yields;
}

static long sched_op(uint64_t cmd) {
    switch (cmd) {
    case SCHEDOP_shutdown:
        fake_panicked();
    case SCHEDOP_yield:
        yields++;
        if (fake_at_yield)
            fake_at_yield();
        if (yield_ns)
            fake_steal(yield_ns);
        (void)fake_console();
        return 0;
    case SCHEDOP_block:
        return 0;
    }
    fake_fail("unexpected sched_op", cmd, 0);
}

static long memory_op(uint64_t cmd, void *argument) {
    return cmd == XENMEM_acquire_resource ? fake_acquire_resource(argument) : fake_reservation(cmd, argument);
}

static long dispatch(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    switch (number) {
    case __HYPERVISOR_mmu_update:
        return fake_mmu_update((struct mmu_update *)a, b, (uint32_t *)c, (domid_t)d);
    case __HYPERVISOR_mmuext_op:
        return fake_mmuext_op((struct mmuext_op *)a, b);
    case __HYPERVISOR_update_va_mapping:
        return fake_update_va_mapping(a, b, c);
    case __HYPERVISOR_memory_op:
        return memory_op(a, (void *)b);
    case __HYPERVISOR_grant_table_op:
        return fake_grant_table_op(a, (void *)b, (uint32_t)c);
    case __HYPERVISOR_vcpu_op:
        return fake_vcpu_op(a, (void *)c);
    case __HYPERVISOR_sched_op:
        return sched_op(a);
    case __HYPERVISOR_event_channel_op:
        return fake_event_channel_op(a, (void *)b);
    case __HYPERVISOR_dm_op:
        return fake_dm_op((domid_t)a, b, (struct xen_dm_op_buf *)c);
    }
    fake_fail("unexpected hypercall", number, a);
}

static const char *name_of(uint64_t number, uint64_t a, uint64_t c) {
    static char name[64];
    uint64_t sub = number == __HYPERVISOR_dm_op ? ((struct xen_dm_op *)((struct xen_dm_op_buf *)c)->h.p)->op : a;
    bool has_sub = number != __HYPERVISOR_mmu_update && number != __HYPERVISOR_mmuext_op &&
                   number != __HYPERVISOR_update_va_mapping;
    snprintf(name, sizeof(name), has_sub ? "hypercall %llu op %llu" : "hypercall %llu", (unsigned long long)number,
             (unsigned long long)sub);
    return name;
}

long hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) {
    (void)e;
    if (++count != fail_at)
        return dispatch(number, a, b, c, d);
    failed = name_of(number, a, c);
    return fail_answer;
}
