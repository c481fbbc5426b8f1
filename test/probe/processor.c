/* SPDX-License-Identifier: MIT */
/*
 * The processor's own privileges: ports, model specific and control registers, tables. Rows run in order: after the
 * row PHYSDEVOP_set_iopl the ports no longer trap, and lead nowhere all the same.
 */
#include "probe.h"

#include <xen/physdev.h>

#include "arch/x86_64/instruction.h"

/* 16550 line status of the first serial port, never all ones; the PCI configuration ports; ICH9's reset control. */
#define SERIAL_STATUS 0x3fd
#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000u
#define RESET_CONTROL 0xcf9
#define FULL_RESET 0x06

/* AMD APM volume 2, appendix A.7; Intel SDM volume 4. */
#define MSR_APIC_BASE 0x1b
#define MSR_MICROCODE 0x79
#define MSR_MTRR_BASE0 0x200
#define MSR_X2APIC_COMMAND 0x830
#define MSR_EFER 0xc0000080
#define MSR_LSTAR 0xc0000082
#define MSR_VM_HSAVE 0xc0010117
#define EFER_NXE 0x800ul
#define CR0_WP 0x10000ul
#define CR4_VMXE 0x2000ul

static uint64_t answer;

/* --- ports -------------------------------------------------------------------------------------------------------- */

static void do_read_serial(void *unused) {
    (void)unused;
    answer = read_port8(SERIAL_STATUS);
}

static void do_read_config(void *unused) {
    (void)unused;
    write_port32(CONFIG_ADDRESS, CONFIG_ENABLE);
    answer = read_port32(CONFIG_DATA);
}

static void do_reset(void *unused) {
    (void)unused;
    write_port8(RESET_CONTROL, FULL_RESET);
}

static const char *read_serial(domid_t domid) {
    (void)domid;
    const char *trapped = catch(do_read_serial, NULL);
    return trapped ? trapped : answer == 0xff ? "all ones" : NULL;
}

static const char *read_config(domid_t domid) {
    (void)domid;
    const char *trapped = catch(do_read_config, NULL);
    return trapped ? trapped : answer == 0xffffffff ? "all ones" : NULL;
}

/* That there is a next line in the log is the proof. */
static const char *reset_machine(domid_t domid) {
    (void)domid;
    const char *trapped = catch(do_reset, NULL);
    return trapped ? trapped : "no effect";
}

static const char *set_iopl(domid_t domid) {
    struct physdev_set_iopl op = {.iopl = 3};
    (void)domid;
    return errno_word(hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, (uint64_t)&op, 0, 0, 0));
}

/* --- model specific registers ------------------------------------------------------------------------------------- */

struct msr {
    uint32_t number;
    uint64_t value;
};

static void do_read_msr(void *argument) {
    answer = read_msr(((const struct msr *)argument)->number);
}

static void do_write_msr(void *argument) {
    const struct msr *msr = argument;
    write_msr(msr->number, msr->value);
}

static const char *msr_read(uint32_t number) {
    struct msr msr = {.number = number};
    return catch(do_read_msr, &msr);
}

static const char *msr_write(uint32_t number, uint64_t value) {
    struct msr msr = {.number = number, .value = value};
    return catch(do_write_msr, &msr);
}

static const char *read_efer(domid_t domid) {
    (void)domid;
    return msr_read(MSR_EFER);
}

static const char *write_efer(domid_t domid) {
    (void)domid;
    const char *trapped = msr_read(MSR_EFER);
    return trapped ? trapped : msr_write(MSR_EFER, answer ^ EFER_NXE);
}

static const char *read_lstar(domid_t domid) {
    (void)domid;
    return msr_read(MSR_LSTAR);
}

static const char *write_lstar(domid_t domid) {
    (void)domid;
    return msr_write(MSR_LSTAR, 0x1000);
}

static const char *write_apic_base(domid_t domid) {
    (void)domid;
    return msr_write(MSR_APIC_BASE, 0);
}

static const char *write_x2apic(domid_t domid) {
    (void)domid;
    return msr_write(MSR_X2APIC_COMMAND, 0);
}

static const char *write_mtrr(domid_t domid) {
    (void)domid;
    return msr_write(MSR_MTRR_BASE0, 0);
}

static const char *write_microcode(domid_t domid) {
    (void)domid;
    return msr_write(MSR_MICROCODE, 0x1000);
}

static const char *write_hsave(domid_t domid) {
    (void)domid;
    return msr_write(MSR_VM_HSAVE, 0x1000);
}

/* --- control registers and tables --------------------------------------------------------------------------------- */

static void do_write_cr0(void *unused) {
    (void)unused;
    write_cr0(read_cr0() & ~CR0_WP);
}

static void do_write_cr3(void *frame) {
    write_cr3((uint64_t)frame);
}

static void do_write_cr4(void *unused) {
    (void)unused;
    uint64_t before = read_cr4();
    write_cr4(before | CR4_VMXE);
    answer = read_cr4();
    write_cr4(before);
}

static const char *control0(domid_t domid) {
    (void)domid;
    return catch(do_write_cr0, NULL);
}

static const char *control3(domid_t domid) {
    (void)domid;
    return catch(do_write_cr3, (void *)0x400000);
}

static const char *control3_own(domid_t domid) {
    (void)domid;
    return catch(do_write_cr3, (void *)(machine_mfn((const void *)world.info->pt_base) << PAGE_SHIFT));
}

/* Xen takes the write and keeps its own bits. */
static const char *control4(domid_t domid) {
    (void)domid;
    const char *trapped = catch(do_write_cr4, NULL);
    return trapped ? trapped : answer & CR4_VMXE ? NULL : "no effect";
}

static struct table_pointer no_table;

static void do_load_gdt(void *unused) {
    (void)unused;
    load_gdt(&no_table);
}

static void do_load_idt(void *unused) {
    (void)unused;
    load_idt(&no_table);
}

static void do_load_task(void *unused) {
    (void)unused;
    load_task(0);
}

static void do_halt(void *unused) {
    (void)unused;
    halt();
}

static void do_disable(void *unused) {
    (void)unused;
    disable_interrupts();
}

static void do_run_guest(void *block) {
    run_guest((uint64_t)block);
}

static const char *gdt(domid_t domid) {
    (void)domid;
    return catch(do_load_gdt, NULL);
}

static const char *idt(domid_t domid) {
    (void)domid;
    return catch(do_load_idt, NULL);
}

static const char *task(domid_t domid) {
    (void)domid;
    return catch(do_load_task, NULL);
}

static const char *stop(domid_t domid) {
    (void)domid;
    return catch(do_halt, NULL);
}

static const char *no_interrupts(domid_t domid) {
    (void)domid;
    return catch(do_disable, NULL);
}

static const char *virtual_machine(domid_t domid) {
    (void)domid;
    return catch(do_run_guest, NULL);
}

static const char *debug_register(domid_t domid) {
    (void)domid;
    return errno_word(hypercall(__HYPERVISOR_set_debugreg, 0, 0xffff82d040200000ul, 0, 0, 0));
}

static const struct probe rows[] = {
    {"in 0x3fd", NOBODY, "reach the machine's serial port", read_serial},
    {"out 0xcf9", NOBODY, "reset the machine", reset_machine},
    {"cli", NOBODY, "switch the processor's interrupts off", no_interrupts},
    {"PHYSDEVOP_set_iopl", SELF, "let its own user mode try ports; it has none", set_iopl},
    {"in 0x3fd with IOPL 3", NOBODY, "reach the machine's serial port", read_serial},
    {"in 0xcfc with IOPL 3", NOBODY, "read PCI configuration space", read_config},
    {"out 0xcf9 with IOPL 3", NOBODY, "reset the machine", reset_machine},
    {"rdmsr EFER", NOBODY, "know which mode it runs in", read_efer},
    {"wrmsr EFER", NOBODY, "switch page protection off", write_efer},
    {"rdmsr LSTAR", NOBODY, "learn where Xen is entered", read_lstar},
    {"wrmsr LSTAR", NOBODY, "take Xen's entry point over", write_lstar},
    {"wrmsr APIC_BASE", NOBODY, "switch the local APIC off", write_apic_base},
    {"wrmsr X2APIC_ICR", NOBODY, "interrupt other processors", write_x2apic},
    {"wrmsr MTRR_PHYSBASE0", NOBODY, "change the machine's memory types", write_mtrr},
    {"wrmsr UCODE_WRITE", NOBODY, "change the processor", write_microcode},
    {"wrmsr VM_HSAVE_PA", NOBODY, "run virtual machines of its own", write_hsave},
    {"mov cr0", NOBODY, "write read-only pages", control0},
    {"mov cr3", NOBODY, "run on page tables that are not its own", control3},
    {"mov cr3 of its own table", NOBODY, "run on its own page tables", control3_own},
    {"mov cr4", NOBODY, "switch processor features", control4},
    {"lgdt", NOBODY, "replace the segment descriptors", gdt},
    {"lidt", NOBODY, "replace the trap entries", idt},
    {"ltr", NOBODY, "replace the task state", task},
    {"hlt", NOBODY, "stop the processor", stop},
    {"vmrun", NOBODY, "run virtual machines of its own", virtual_machine},
    {"HYPERVISOR_set_debugreg in Xen", NOBODY, "stop Xen at an address", debug_register},
};
const struct probe_table processor_probes = PROBE_TABLE(rows);
