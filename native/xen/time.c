/* SPDX-License-Identifier: MIT */
/*
 * Time: system_time + (TSC - tsc_timestamp) scaled, read under Xen's version counters (xen.h, struct vcpu_time_info):
 * odd while Xen writes, changed when it wrote in between. Xen alone writes there; there is nobody to distrust.
 */
#include "time.h"

#include "event.h"
#include "hypercalls.h"
#include "panic.h"
#include "shim.h"

#define NS_PER_SECOND 1000000000ul

/* Xen writes it when it takes the processor from us and when it gives us one (vcpu.h), which is some 200 instructions
 * of each trap (55.40 thousand with it, 55.19 without). So Xen is told where only when somebody wants to know, and
 * writes it at once then. */
static struct vcpu_runstate_info runstate;
static bool is_told;

static const volatile struct vcpu_runstate_info *runstate_of_ours(void) {
    struct vcpu_register_runstate_memory_area area = {.addr.v = &runstate};
    if (!is_told) {
        int rc = hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
        if (rc)
            panic("cannot register the runstate area, errno", (uint64_t)-rc, 0);
        is_told = true;
    }
    return &runstate;
}

static void on_timer(uint32_t a, uint32_t b) {
    (void)a;
    (void)b;
    core_on_timer();
}

void time_init(void) {
    if (hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL))
        panic("cannot stop the periodic timer", 0, 0);
    int32_t port = event_bind_virq(VIRQ_TIMER, on_timer);
    if (port < 0)
        panic("cannot bind VIRQ_TIMER, errno", (uint64_t)-port, 0);
}

static inline uint32_t version_before(const volatile uint32_t *version) {
    uint32_t seen;
    while ((seen = __atomic_load_n(version, __ATOMIC_ACQUIRE)) & 1)
        machine_relax();
    return seen;
}

static inline bool version_changed(const volatile uint32_t *version, uint32_t seen) {
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return *version != seen;
}

static inline uint64_t scale(uint64_t ticks, uint32_t mul, int8_t shift) {
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (uint64_t)((unsigned __int128)ticks * mul >> 32);
}

/* The difference is signed and modular: with an emulated TSC, which starts at 0 with the domain, the stamp of a moment
 * before that is a negative number in 64 bits. */
uint64_t time_at_tsc(uint64_t tsc) {
    const volatile struct vcpu_time_info *info = &event_shared_info()->vcpu_info[0].time;
    uint32_t seen;
    uint64_t stamp, base;
    uint32_t mul;
    int8_t shift;
    do {
        seen = version_before(&info->version);
        stamp = info->tsc_timestamp;
        base = info->system_time;
        mul = info->tsc_to_system_mul;
        shift = info->tsc_shift;
    } while (version_changed(&info->version, seen));
    int64_t ticks = (int64_t)(tsc - stamp);
    return ticks >= 0 ? base + scale((uint64_t)ticks, mul, shift) : base - scale((uint64_t)-ticks, mul, shift);
}

uint64_t shim_time_ns(void) {
    return time_at_tsc(machine_tsc());
}

/* It only changes while we do not run, so it was whole when the time of its last change is the same afterwards. */
uint64_t time_run_ns(void) {
    const volatile struct vcpu_runstate_info *info = runstate_of_ours();
    uint64_t entry, ran, now;
    do {
        entry = info->state_entry_time;
        ran = info->time[RUNSTATE_running];
        now = shim_time_ns();
    } while (info->state_entry_time != entry);
    return ran + (now - entry);
}

/* Does not change while we run. */
uint64_t time_waited_ns(void) {
    return runstate_of_ours()->time[RUNSTATE_runnable];
}

uint64_t shim_wall_ns(void) {
    const volatile struct shared_info *info = event_shared_info();
    uint32_t seen;
    uint64_t seconds, ns;
    do {
        seen = version_before(&info->wc_version);
        seconds = (uint64_t)info->wc_sec_hi << 32 | info->wc_sec;
        ns = info->wc_nsec;
    } while (version_changed(&info->wc_version, seen));
    return seconds * NS_PER_SECOND + ns + shim_time_ns();
}

/* No VCPU_SSHOTTMR_future: a deadline that is past fires at once, which is what a late caller wants. */
void shim_set_timer(uint64_t deadline_ns) {
    struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = deadline_ns, .flags = 0};
    int rc = deadline_ns ? hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer)
                         : hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
    if (rc)
        panic("cannot set the timer, deadline", deadline_ns, (uint64_t)-rc);
}
