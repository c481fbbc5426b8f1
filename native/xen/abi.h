/* SPDX-License-Identifier: MIT */
/*
 * Xen's public headers (Debian's libxen-dev), in one place and at one interface version, and the sizes and offsets
 * that our code or our assembly relies on. Numbers below are x86-64's; the build stops where a header disagrees.
 */
#ifndef GLOVEBOX_XEN_ABI_H
#define GLOVEBOX_XEN_ABI_H

/* The newest interface that Xen 4.17's headers speak; they give the legacy layouts when nothing is said. */
#define __XEN_INTERFACE_VERSION__ 0x00040e00

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/callback.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

/* hvm/hvm_op.h hides it from all but tools: no buffered ioreq ring (useless for BARs, facts of XSA-463 apart). */
#define BUFIOREQ_OFF 0

/* Byte 30 of struct ioreq, which C cannot address: four bits of state below three flags that are Xen's. */
#define IOREQ_STATE_BYTE 30u
#define IOREQ_STATE_MASK 0x0fu
#define IOREQ_BYTE_DATA_IS_PTR 0x10u
#define IOREQ_BYTE_DIR 0x20u
#define IOREQ_BYTE_DF 0x40u

#define ABI_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " has another size")
#define ABI_OFFSET(type, field, at) _Static_assert(offsetof(type, field) == (at), #type "." #field " has moved")

ABI_SIZE(struct ioreq, 32);
ABI_OFFSET(struct ioreq, addr, 0);
ABI_OFFSET(struct ioreq, data, 8);
ABI_OFFSET(struct ioreq, count, 16);
ABI_OFFSET(struct ioreq, size, 20);
ABI_OFFSET(struct ioreq, vp_eport, 24);
ABI_OFFSET(struct ioreq, type, 31);

ABI_OFFSET(struct start_info, nr_pages, 32);
ABI_OFFSET(struct start_info, shared_info, 40);
ABI_OFFSET(struct start_info, store_mfn, 56);
ABI_OFFSET(struct start_info, store_evtchn, 64);
ABI_OFFSET(struct start_info, console, 72);
ABI_OFFSET(struct start_info, pt_base, 88);
ABI_OFFSET(struct start_info, mfn_list, 104);
ABI_OFFSET(struct start_info, cmd_line, 128);

ABI_SIZE(struct vcpu_info, 64);
ABI_OFFSET(struct vcpu_info, evtchn_upcall_mask, 1);
ABI_OFFSET(struct vcpu_info, evtchn_pending_sel, 8);
ABI_OFFSET(struct vcpu_info, arch.cr2, 16);
ABI_OFFSET(struct vcpu_info, time, 32);
ABI_SIZE(struct vcpu_time_info, 32);
ABI_OFFSET(struct shared_info, evtchn_pending, 2048);
ABI_OFFSET(struct shared_info, evtchn_mask, 2560);
ABI_OFFSET(struct shared_info, wc_version, 3072);

ABI_SIZE(struct grant_entry_v1, 8);
ABI_SIZE(struct mmu_update, 16);
ABI_SIZE(struct mmuext_op, 24);
ABI_SIZE(struct trap_info, 16);
ABI_SIZE(struct xsd_sockmsg, 16);
ABI_OFFSET(struct xenstore_domain_interface, rsp, 1024);
ABI_OFFSET(struct xenstore_domain_interface, req_cons, 2048);
ABI_OFFSET(struct xencons_interface, out, 1024);
ABI_OFFSET(struct xencons_interface, in_cons, 3072);
ABI_SIZE(struct xen_memory_reservation, 32);
ABI_SIZE(struct xen_mem_acquire_resource, 32);
ABI_OFFSET(struct xen_dm_op, u, 8);
ABI_SIZE(struct xen_dm_op_ioreq_server_range, 24);
ABI_SIZE(struct xen_dm_op_inject_msi, 16);
ABI_SIZE(struct xen_dm_op_relocate_memory, 24);

#endif
