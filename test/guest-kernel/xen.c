/* SPDX-License-Identifier: MIT */
/* What is asked of Xen: hypercalls through its page, the shared page for time and events, memory, a second vCPU. */
#include "kernel.h"

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define HYPERCALL_BYTES 32 /* an entry of the hypercall page */
#define CPUID_XEN 0x40000000u
#define EFER 0xc0000080u

extern uint8_t hypercall_page[];
extern uint8_t page_map[];
static struct shared_info *shared;

static void cpuid(uint32_t leaf, uint32_t out[4]) {
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(0));
}

static void write_msr(uint32_t msr, uint64_t value) {
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static long hypercall(unsigned number, uint64_t a, const void *b, uint64_t c) {
    long result;
    uint64_t second = (uint64_t)b;
    __asm__ volatile("call *%[entry]"
                     : "=a"(result), "+D"(a), "+S"(second), "+d"(c)
                     : [entry] "r"(hypercall_page + number * HYPERCALL_BYTES)
                     : "memory", "rcx", "r8", "r9", "r10", "r11");
    return result;
}

static void map_shared(void) {
    static uint8_t page[4096] __attribute__((aligned(4096)));
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = (uint64_t)page >> 12,
    };
    if (hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map, 0))
        shutdown(SHUTDOWN_crash);
    shared = (void *)page;
}

void xen_start(void) {
    uint32_t leaf[4];
    cpuid(CPUID_XEN + 2, leaf);
    write_msr(leaf[1], (uint64_t)hypercall_page);
    map_shared();
}

uint64_t hvm_parameter(uint32_t index) {
    struct xen_hvm_param param = {.domid = DOMID_SELF, .index = index};
    if (hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, &param, 0))
        shutdown(SHUTDOWN_crash);
    return param.value;
}

_Noreturn void shutdown(unsigned reason) {
    struct sched_shutdown how = {.reason = reason};
    for (;;)
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &how, 0);
}

void yield(void) {
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, NULL, 0);
}

void event_send(uint32_t port) {
    struct evtchn_send send = {.port = port};
    hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send, 0);
}

static void poll(uint32_t *port, uint64_t until_ns) {
    struct sched_poll poll = {.nr_ports = port ? 1 : 0, .timeout = until_ns};
    set_xen_guest_handle(poll.ports, port);
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll, 0);
}

void event_wait(uint32_t port) {
    poll(&port, 0);
    __atomic_and_fetch(&shared->evtchn_pending[port / 64], ~(1ul << (port % 64)), __ATOMIC_SEQ_CST);
}

/* xen/xen.h, struct vcpu_time_info: the version is odd while Xen writes. */
uint64_t time_ns(void) {
    const volatile struct vcpu_time_info *time = &shared->vcpu_info[0].time;
    uint32_t version, low, high;
    uint64_t ns;
    do {
        uint64_t delta;
        version = time->version & ~1u;
        __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
        delta = ((uint64_t)high << 32 | low) - time->tsc_timestamp;
        delta = time->tsc_shift < 0 ? delta >> -time->tsc_shift : delta << time->tsc_shift;
        ns = time->system_time + (uint64_t)((unsigned __int128)delta * time->tsc_to_system_mul >> 32);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    } while (version != time->version);
    return ns;
}

void sleep_us(uint64_t us) {
    poll(NULL, time_ns() + us * 1000);
}

bool vcpu_start(uint32_t vcpu, uint64_t rip, uint64_t rsp) {
    struct vcpu_hvm_context context = {.mode = VCPU_HVM_MODE_64B};
    uint64_t cr0, cr4;
    __asm__("mov %%cr0, %0" : "=r"(cr0));
    __asm__("mov %%cr4, %0" : "=r"(cr4));
    context.cpu_regs.x86_64 = (struct vcpu_hvm_x86_64){
        .rip = rip, .rsp = rsp, .rflags = 2, .cr0 = cr0, .cr3 = (uint64_t)page_map, .cr4 = cr4, .efer = 0x500,
    };
    return !hypercall(__HYPERVISOR_vcpu_op, VCPUOP_initialise, (void *)(uintptr_t)vcpu, (uint64_t)&context) &&
           !hypercall(__HYPERVISOR_vcpu_op, VCPUOP_up, (void *)(uintptr_t)vcpu, 0);
}

static long reserve(unsigned command, uint64_t gfn, uint64_t count) {
    long done = 0;
    for (uint64_t i = 0; i < count; i++) {
        xen_pfn_t frame = gfn + i;
        struct xen_memory_reservation one = {.nr_extents = 1, .domid = DOMID_SELF};
        set_xen_guest_handle(one.extent_start, &frame);
        done += hypercall(__HYPERVISOR_memory_op, command, &one, 0) == 1;
    }
    return done;
}

/* Both answer how many pages it were. */
long memory_give(uint64_t gfn, uint64_t count) {
    return reserve(XENMEM_decrease_reservation, gfn, count);
}

long memory_take(uint64_t gfn, uint64_t count) {
    return reserve(XENMEM_populate_physmap, gfn, count);
}
