/* SPDX-License-Identifier: MIT */
/*
 * One typed wrapper for each hypercall that we make; all go through hypercall() of machine.h, which is a `syscall` on
 * Xen and the fake hypervisor in the host build. Each gives what Xen gives: >= 0, or a negated Xen errno.
 */
#ifndef GLOVEBOX_HYPERCALLS_H
#define GLOVEBOX_HYPERCALLS_H

#include "abi.h"
#include "machine.h"

static inline int hypercall_set_trap_table(const struct trap_info *table) {
    return (int)hypercall(__HYPERVISOR_set_trap_table, (uint64_t)table, 0, 0, 0, 0);
}

/* done counts the updates made before the first refused one. fd owns the frames in val (DOMID_SELF, or a guest). */
static inline int hypercall_mmu_update(const struct mmu_update *updates, uint32_t count, uint32_t *done, domid_t fd) {
    return (int)hypercall(__HYPERVISOR_mmu_update, (uint64_t)updates, count, (uint64_t)done, fd, 0);
}

static inline int hypercall_mmuext_op(const struct mmuext_op *ops, uint32_t count) {
    return (int)hypercall(__HYPERVISOR_mmuext_op, (uint64_t)ops, count, 0, DOMID_SELF, 0);
}

static inline int hypercall_update_va_mapping(const volatile void *va, uint64_t pte, uint64_t flags) {
    return (int)hypercall(__HYPERVISOR_update_va_mapping, (uint64_t)va, pte, flags, 0, 0);
}

static inline long hypercall_memory_op(uint32_t cmd, void *argument) {
    return hypercall(__HYPERVISOR_memory_op, cmd, (uint64_t)argument, 0, 0, 0);
}

static inline int hypercall_grant_table_op(uint32_t cmd, void *ops, uint32_t count) {
    return (int)hypercall(__HYPERVISOR_grant_table_op, cmd, (uint64_t)ops, count, 0, 0);
}

static inline int hypercall_vcpu_op(uint32_t cmd, uint32_t vcpu, void *argument) {
    return (int)hypercall(__HYPERVISOR_vcpu_op, cmd, vcpu, (uint64_t)argument, 0, 0);
}

static inline int hypercall_sched_op(uint32_t cmd, void *argument) {
    return (int)hypercall(__HYPERVISOR_sched_op, cmd, (uint64_t)argument, 0, 0, 0);
}

static inline int hypercall_callback_op(uint32_t cmd, const void *argument) {
    return (int)hypercall(__HYPERVISOR_callback_op, cmd, (uint64_t)argument, 0, 0, 0);
}

static inline int hypercall_event_channel_op(uint32_t cmd, void *argument) {
    return (int)hypercall(__HYPERVISOR_event_channel_op, cmd, (uint64_t)argument, 0, 0, 0);
}

static inline int hypercall_dm_op(domid_t domid, uint32_t nr_bufs, struct xen_dm_op_buf *bufs) {
    return (int)hypercall(__HYPERVISOR_dm_op, domid, nr_bufs, (uint64_t)bufs, 0, 0);
}

#endif
