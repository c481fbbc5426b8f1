/* SPDX-License-Identifier: MIT */
/*
 * Processor traps. None is ours to survive: print where and what, then panic. entry.S made the frame; the address
 * of a page fault comes from Xen's vcpu_info, as a PV domain has no CR2.
 */
#include "console.h"
#include "event.h"
#include "hypercalls.h"
#include "machine.h"
#include "panic.h"

#define PAGE_FAULT 14

struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

#define EACH_TRAP(X) \
    X(0) X(1) X(3) X(4) X(5) X(6) X(7) X(8) X(10) X(11) X(12) X(13) X(14) X(16) X(17) X(18) X(19)

#define DECLARE(n) extern const uint8_t trap_##n[];
EACH_TRAP(DECLARE)
extern const uint8_t event_upcall[], failsafe_upcall[];

_Noreturn void trap(const struct trap_frame *frame);

void trap_init(void) {
#define ROW(n) {.vector = n, .cs = FLAT_KERNEL_CS, .address = (uint64_t)trap_##n},
    const struct trap_info table[] = {EACH_TRAP(ROW){.address = 0}};
    if (hypercall_set_trap_table(table))
        panic("Xen refuses the trap table", 0, 0);
    struct callback_register event = {.type = CALLBACKTYPE_event, .address = (uint64_t)event_upcall};
    struct callback_register failsafe = {.type = CALLBACKTYPE_failsafe, .address = (uint64_t)failsafe_upcall};
    if (hypercall_callback_op(CALLBACKOP_register, &event) || hypercall_callback_op(CALLBACKOP_register, &failsafe))
        panic("Xen refuses the callbacks", 0, 0);
}

static void print_registers(const char *const *names, const uint64_t *values, int count) {
    for (int i = 0; i < count; i++) {
        console_text(names[i]);
        console_hex(values[i]);
        if (i % 4 == 3 || i == count - 1)
            console_line_end();
    }
}

_Noreturn void trap(const struct trap_frame *frame) {
    static const char *const general[] = {"r15 ", " r14 ", " r13 ", " r12 ", "r11 ", " r10 ", " r9 ", " r8 ",
                                          "rbp ", " rdi ", " rsi ", " rdx ", "rcx ", " rbx ", " rax "};
    static const char *const place[] = {"rip ", " cs ", " rflags ", " rsp ", "ss "};
    panic_begin();
    print_registers(general, &frame->r15, 15);
    print_registers(place, &frame->rip, 5);
    console_text("vector ");
    console_decimal(frame->vector);
    console_text(" error ");
    console_hex(frame->error);
    if (frame->vector == PAGE_FAULT) {
        console_text(" address ");
        console_hex(event_fault_address());
    }
    console_line_end();
    panic("processor trap", frame->vector, frame->rip);
}
