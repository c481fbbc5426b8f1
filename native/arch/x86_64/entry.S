/* SPDX-License-Identifier: MIT */
/*
 * First instruction, event upcall and trap entries of a 64-bit PV domain, and the notes by which Xen's domain builder
 * knows us. Hypercalls are made by `syscall` in place (machine.h): a hypercall page would only add a call to each.
 */
#define __ASSEMBLY__
#include <xen/elfnote.h>

.macro NOTE type, kind, value:vararg
    .pushsection .note.Xen, "a", @note
    .balign 4
    .long 2f - 1f, 4f - 3f, \type
1:  .asciz "Xen"
2:  .balign 4
3:  \kind \value
4:  .balign 4
    .popsection
.endm

NOTE XEN_ELFNOTE_GUEST_OS, .asciz, "Glovebox"
NOTE XEN_ELFNOTE_LOADER, .asciz, "generic"
NOTE XEN_ELFNOTE_XEN_VERSION, .asciz, "xen-3.0"
NOTE XEN_ELFNOTE_VIRT_BASE, .quad, 0
NOTE XEN_ELFNOTE_PADDR_OFFSET, .quad, 0
NOTE XEN_ELFNOTE_ENTRY, .quad, _start

    .section .text.entry, "ax", @progbits

/* In: rsi = start_info. The boot stack is Xen's choice and size; ours has a guard page. */
    .globl _start
_start:
    cld
    rdtsc
    shl $32, %rdx
    or %rax, %rdx
    mov %rsi, %rdi
    mov %rdx, %rsi
    lea stack_top(%rip), %rsp
    xor %ebp, %ebp
    call boot
    ud2

/* In: rdi = a function that does not return. Whatever was on the stack is gone. */
    .globl machine_restart
machine_restart:
    cld
    lea stack_top(%rip), %rsp
    xor %ebp, %ebp
    call *%rdi
    ud2

/*
 * Xen pushed rcx and r11 on top of an iretq frame and masked events. The upcall does nothing: the pending bits are
 * Xen's message and the loop reads them. Events stay masked; only SCHEDOP_block opens the mask.
 */
    .globl event_upcall
event_upcall:
    pop %rcx
    pop %r11
    orb $3, 8(%rsp)             /* Xen shows CS with ring 0; the processor wants ring 3 */
    iretq

/* A return to us failed in Xen (a bad selector): our bug by definition. Frame: rcx r11 ds es fs gs rip ... */
#define FAILSAFE_VECTOR 255
    .globl failsafe_upcall
failsafe_upcall:
    pop %rcx
    pop %r11
    add $32, %rsp
    push $0
    push $FAILSAFE_VECTOR
    jmp trap_common

.macro TRAP vector, has_error
    .globl trap_\vector
trap_\vector:
    pop %rcx
    pop %r11
    .if \has_error == 0
    push $0
    .endif
    push $\vector
    jmp trap_common
.endm

TRAP 0, 0
TRAP 1, 0
TRAP 3, 0
TRAP 4, 0
TRAP 5, 0
TRAP 6, 0
TRAP 7, 0
TRAP 8, 1
TRAP 10, 1
TRAP 11, 1
TRAP 12, 1
TRAP 13, 1
TRAP 14, 1
TRAP 16, 0
TRAP 17, 1
TRAP 18, 0
TRAP 19, 0

/* The order of struct trap_frame (trap.c), from its end to its start. */
trap_common:
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, %rdi
    and $-16, %rsp
    cld
    call trap
    ud2
