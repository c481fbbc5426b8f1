/* SPDX-License-Identifier: MIT */
/*
 * What only Dom0's toolstack may do. Xen looks at the interface version first (-EACCES) and at the domain (-ESRCH)
 * before it asks for privilege, so -EPERM says that the request was good and that we are the reason.
 */
#include "probe.h"

/* hvm/save.h wants GNU C to be said aloud. */
#undef __STRICT_ANSI__

#include <xen/arch-x86/xen-mca.h>
#include <xen/domctl.h>
#include <xen/hypfs.h>
#include <xen/kexec.h>
#include <xen/platform.h>
#include <xen/sysctl.h>
#include <xen/version.h>
#include <xen/xenoprof.h>
#include <xen/xsm/flask_op.h>

static uint8_t buffer[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static const char *call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
    return errno_word(hypercall(number, a, b, c, 0, 0));
}

/* --- domains ------------------------------------------------------------------------------------------------------ */

static const char *domctl(struct xen_domctl *op, domid_t domid) {
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domid;
    return call(__HYPERVISOR_domctl, (uint64_t)op, 0, 0);
}

#define DOMCTL(op_name, ...) \
    static const char *op_name(domid_t domid) { \
        struct xen_domctl op = {.cmd = XEN_DOMCTL_##op_name, ##__VA_ARGS__}; \
        return domctl(&op, domid); \
    }

/* The machine's local APIC, its first serial port, its interrupt 9: things that exist and are not ours. */
#define APIC_MFN 0xfee00
#define SERIAL_PORT 0x3f8
#define SOME_IRQ 9

DOMCTL(getdomaininfo)
DOMCTL(pausedomain)
DOMCTL(destroydomain)
DOMCTL(createdomain, .u.createdomain.max_vcpus = 1)
DOMCTL(max_mem, .u.max_mem.max_memkb = 65536)
DOMCTL(setvcpucontext, .u.vcpucontext.ctxt.p = (void *)buffer)
DOMCTL(getvcpucontext, .u.vcpucontext.ctxt.p = (void *)buffer)
DOMCTL(gethvmcontext)
DOMCTL(getpageframeinfo3)
DOMCTL(shadow_op, .u.shadow_op.op = XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY)
DOMCTL(gdbsx_guestmemio, .u.gdbsx_guest_memio = {.len = 8, .gva = 0x1000, .uva = (uint64_t)buffer})
DOMCTL(scheduler_op, .u.scheduler_op = {.sched_id = XEN_SCHEDULER_CREDIT2, .cmd = XEN_DOMCTL_SCHEDOP_putinfo,
                                        .u.credit2.weight = 65535})
DOMCTL(set_virq_handler, .u.set_virq_handler.virq = VIRQ_DOM_EXC)
DOMCTL(vm_event_op, .u.vm_event_op = {.op = XEN_VM_EVENT_ENABLE, .mode = XEN_DOMCTL_VM_EVENT_OP_MONITOR})
DOMCTL(assign_device, .u.assign_device.u.pci.machine_sbdf = 8)
DOMCTL(iomem_permission, .u.iomem_permission = {.first_mfn = APIC_MFN, .nr_mfns = 1, .allow_access = 1})
DOMCTL(ioport_permission, .u.ioport_permission = {.first_port = SERIAL_PORT, .nr_ports = 8, .allow_access = 1})
DOMCTL(irq_permission, .u.irq_permission = {.pirq = SOME_IRQ, .allow_access = 1})
DOMCTL(memory_mapping, .u.memory_mapping = {.first_gfn = 0xf3000, .first_mfn = APIC_MFN, .nr_mfns = 1,
                                            .add_mapping = DPCI_ADD_MAPPING})
DOMCTL(ioport_mapping, .u.ioport_mapping = {.first_gport = SERIAL_PORT, .first_mport = SERIAL_PORT, .nr_ports = 8,
                                            .add_mapping = DPCI_ADD_MAPPING})
DOMCTL(bind_pt_irq, .u.bind_pt_irq = {.machine_irq = SOME_IRQ, .irq_type = PT_IRQ_TYPE_PCI})

static const char *set_target(domid_t domid) {
    struct xen_domctl op = {.cmd = XEN_DOMCTL_set_target, .u.set_target.target = world.other};
    return domctl(&op, domid);
}

/* --- the machine -------------------------------------------------------------------------------------------------- */

#define SYSCTL(op_name, ...) \
    static const char *op_name(domid_t domid) { \
        struct xen_sysctl op = {.cmd = XEN_SYSCTL_##op_name, .interface_version = XEN_SYSCTL_INTERFACE_VERSION, \
                                ##__VA_ARGS__}; \
        (void)domid; \
        return call(__HYPERVISOR_sysctl, (uint64_t)&op, 0, 0); \
    }

SYSCTL(physinfo)
SYSCTL(readconsole, .u.readconsole = {.buffer.p = (char *)buffer, .count = sizeof(buffer)})
SYSCTL(getdomaininfolist, .u.getdomaininfolist = {.max_domains = 1, .buffer.p = (void *)buffer})
SYSCTL(debug_keys, .u.debug_keys = {.keys.p = (char *)buffer, .nr_keys = 0})
SYSCTL(cpu_hotplug, .u.cpu_hotplug = {.cpu = 1, .op = XEN_SYSCTL_CPU_HOTPLUG_OFFLINE})
SYSCTL(tbuf_op, .u.tbuf_op.cmd = XEN_SYSCTL_TBUFOP_get_info)

#define PLATFORM(op_name, ...) \
    static const char *op_name(domid_t domid) { \
        struct xen_platform_op op = {.cmd = XENPF_##op_name, .interface_version = XENPF_INTERFACE_VERSION, \
                                     ##__VA_ARGS__}; \
        (void)domid; \
        return call(__HYPERVISOR_platform_op, (uint64_t)&op, 0, 0); \
    }

PLATFORM(settime64)
PLATFORM(microcode_update, .u.microcode = {.data.p = (void *)buffer, .length = sizeof(buffer)})
PLATFORM(enter_acpi_sleep, .u.enter_acpi_sleep.sleep_state = 5)
PLATFORM(get_symbol, .u.symdata = {.name.p = (char *)buffer, .namelen = 64})
PLATFORM(read_memtype)

static const char *mca(domid_t domid) {
    struct xen_mc op = {.cmd = XEN_MC_inject_v2, .interface_version = XEN_MCA_INTERFACE_VERSION};
    (void)domid;
    return call(__HYPERVISOR_mca, (uint64_t)&op, 0, 0);
}

static const char *console_write(domid_t domid) {
    (void)domid;
    return call(__HYPERVISOR_console_io, CONSOLEIO_write, 6, (uint64_t)"probe\n");
}

static const char *console_read(domid_t domid) {
    (void)domid;
    return call(__HYPERVISOR_console_io, CONSOLEIO_read, sizeof(buffer), (uint64_t)buffer);
}

static const char *kexec_range(domid_t domid) {
    struct xen_kexec_range range = {.range = KEXEC_RANGE_MA_XEN};
    (void)domid;
    return call(__HYPERVISOR_kexec_op, KEXEC_CMD_kexec_get_range, (uint64_t)&range, 0);
}

static const char *hypfs_read(domid_t domid) {
    (void)domid;
    return call(__HYPERVISOR_hypfs_op, XEN_HYPFS_OP_get_version, 0, 0);
}

static const char *flask_op(domid_t domid) {
    struct xen_flask_op op = {.cmd = FLASK_SETENFORCE, .interface_version = XEN_FLASK_INTERFACE_VERSION};
    (void)domid;
    return call(__HYPERVISOR_xsm_op, (uint64_t)&op, 0, 0);
}

static const char *tmem_op(domid_t domid) {
    (void)domid;
    return call(__HYPERVISOR_tmem_op, (uint64_t)buffer, 0, 0);
}

static const char *profile(domid_t domid) {
    (void)domid;
    return call(__HYPERVISOR_xenoprof_op, XENOPROF_reset_active_list, 0, 0);
}

/* Xen does not fail it: it answers another text. */
static const char *command_line(domid_t domid) {
    (void)domid;
    const char *refused = call(__HYPERVISOR_xen_version, XENVER_commandline, (uint64_t)buffer, 0);
    return refused ? refused : buffer[0] == '<' ? "another text" : NULL;
}

static const char *build_id(domid_t domid) {
    (void)domid;
    return call(__HYPERVISOR_xen_version, XENVER_build_id, 0, 0);
}

static const char *version(domid_t domid) {
    (void)domid;
    return call(__HYPERVISOR_xen_version, XENVER_version, 0, 0);
}

/* The same request inside a batch, whose own answer is 0. */
static const char *multicall(domid_t domid) {
    struct xen_domctl op = {
        .cmd = XEN_DOMCTL_pausedomain, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = domid};
    struct multicall_entry entry = {.op = __HYPERVISOR_domctl, .args = {(xen_ulong_t)&op}};
    long rc = hypercall(__HYPERVISOR_multicall, (uint64_t)&entry, 1, 0, 0, 0);
    return errno_word(rc ? rc : (long)entry.result);
}

static const struct probe rows[] = {
    {"XEN_DOMCTL_getdomaininfo", DOM0, "look at any domain", getdomaininfo},
    {"XEN_DOMCTL_getdomaininfo", OTHER, "look at any domain", getdomaininfo},
    {"XEN_DOMCTL_pausedomain", OTHER, "stop any domain", pausedomain},
    {"XEN_DOMCTL_pausedomain", TARGET, "stop its guest behind the toolstack's back", pausedomain},
    {"multicall of XEN_DOMCTL_pausedomain", OTHER, "stop any domain by a batch", multicall},
    {"XEN_DOMCTL_destroydomain", OTHER, "end any domain", destroydomain},
    {"XEN_DOMCTL_destroydomain", TARGET, "end its guest behind the toolstack's back", destroydomain},
    {"XEN_DOMCTL_createdomain", NOBODY, "make domains", createdomain},
    {"XEN_DOMCTL_max_mem", SELF, "take memory that Dom0 did not give", max_mem},
    {"XEN_DOMCTL_set_target", SELF, "become device model of whom it likes", set_target},
    {"XEN_DOMCTL_setvcpucontext", OTHER, "run own code in any domain", setvcpucontext},
    {"XEN_DOMCTL_getvcpucontext", OTHER, "read registers of any domain", getvcpucontext},
    {"XEN_DOMCTL_gethvmcontext", TARGET, "read its guest's virtual hardware state", gethvmcontext},
    {"XEN_DOMCTL_gdbsx_guestmemio", OTHER, "read and write memory of any domain", gdbsx_guestmemio},
    {"XEN_DOMCTL_getpageframeinfo3", OTHER, "learn how any domain's memory lies", getpageframeinfo3},
    {"XEN_DOMCTL_shadow_op", OTHER, "watch which pages any domain writes", shadow_op},
    {"XEN_DOMCTL_vm_event_op", OTHER, "stop and inspect any domain at each event", vm_event_op},
    {"XEN_DOMCTL_scheduler_op", SELF, "take more processor time than it was given", scheduler_op},
    {"XEN_DOMCTL_set_virq_handler", SELF, "receive Dom0's notifications", set_virq_handler},
    {"XEN_DOMCTL_assign_device", SELF, "take a PCI device", assign_device},
    {"XEN_DOMCTL_iomem_permission", SELF, "reach any device's registers", iomem_permission},
    {"XEN_DOMCTL_ioport_permission", SELF, "reach any I/O port", ioport_permission},
    {"XEN_DOMCTL_irq_permission", SELF, "take any interrupt", irq_permission},
    {"XEN_DOMCTL_memory_mapping", TARGET, "give its guest device memory that Dom0 did not grant", memory_mapping},
    {"XEN_DOMCTL_ioport_mapping", TARGET, "give its guest ports that Dom0 did not grant", ioport_mapping},
    {"XEN_DOMCTL_bind_pt_irq", TARGET, "give its guest an interrupt that Dom0 did not grant", bind_pt_irq},
    {"XEN_SYSCTL_physinfo", NOBODY, "look at the machine", physinfo},
    {"XEN_SYSCTL_readconsole", NOBODY, "read Xen's log", readconsole},
    {"XEN_SYSCTL_getdomaininfolist", NOBODY, "list all domains", getdomaininfolist},
    {"XEN_SYSCTL_debug_keys", NOBODY, "make Xen dump its state", debug_keys},
    {"XEN_SYSCTL_cpu_hotplug", NOBODY, "switch processors off", cpu_hotplug},
    {"XEN_SYSCTL_tbuf_op", NOBODY, "trace the whole machine", tbuf_op},
    {"XENPF_settime64", NOBODY, "set everybody's clock", settime64},
    {"XENPF_microcode_update", NOBODY, "change the processor", microcode_update},
    {"XENPF_enter_acpi_sleep", NOBODY, "switch the machine off", enter_acpi_sleep},
    {"XENPF_get_symbol", NOBODY, "learn where Xen's functions lie", get_symbol},
    {"XENPF_read_memtype", NOBODY, "look at memory types of the machine", read_memtype},
    {"HYPERVISOR_mca", NOBODY, "inject machine checks", mca},
    {"CONSOLEIO_write", NOBODY, "write on the machine's console", console_write},
    {"CONSOLEIO_read", NOBODY, "read the machine's console", console_read},
    {"KEXEC_CMD_kexec_get_range", NOBODY, "prepare to replace Xen", kexec_range},
    {"XEN_HYPFS_OP_get_version", NOBODY, "read and write Xen's settings", hypfs_read},
    {"FLASK_SETENFORCE", NOBODY, "switch Xen's policy off", flask_op},
    {"HYPERVISOR_tmem_op", NOBODY, "share memory behind the toolstack's back", tmem_op},
    {"XENOPROF_reset_active_list", NOBODY, "profile other domains", profile},
    {"XENVER_commandline", NOBODY, "read Xen's command line", command_line},
    {"XENVER_build_id", NOBODY, "learn which build of Xen runs", build_id},
    {"XENVER_version", NOBODY, "speak the right dialect of Xen", version},
};
const struct probe_table toolstack_probes = PROBE_TABLE(rows);
