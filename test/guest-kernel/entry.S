/* SPDX-License-Identifier: MIT */
/*
 * From Xen's PVH entry (32-bit, flat, paging off, ebx = hvm_start_info) to 64-bit C with 5 GiB mapped one to one by
 * 2 MiB pages; the fifth GiB is a window that can be pointed elsewhere (cpu.c). And 256 interrupt entries.
 */
#define __ASSEMBLY__
#include <xen/elfnote.h>

#define PRESENT_WRITE 3
#define LARGE 0x80
#define PAGE_DIRECTORIES 5
#define EFER 0xc0000080

    .pushsection .note.Xen, "a", @note
    .balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long pvh_start
    .popsection

    .section .text.entry, "ax", @progbits
    .code32
    .globl pvh_start
pvh_start:
    cld
    mov $stack_top, %esp
    mov %ebx, %esi
    movl $page_directory_pointers + PRESENT_WRITE, page_map
    mov $page_directories + PRESENT_WRITE, %eax
    mov $page_directory_pointers, %edi
    mov $PAGE_DIRECTORIES, %ecx
1:  mov %eax, (%edi)
    add $4096, %eax
    add $8, %edi
    loop 1b
    mov $page_directories, %edi
    xor %ecx, %ecx
2:  mov %ecx, %eax
    shl $21, %eax
    or $PRESENT_WRITE + LARGE, %eax
    mov %ecx, %edx
    shr $11, %edx
    mov %eax, (%edi)
    mov %edx, 4(%edi)
    add $8, %edi
    inc %ecx
    cmp $PAGE_DIRECTORIES * 512, %ecx
    jb 2b
    mov $page_map, %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x20, %eax              /* PAE */
    mov %eax, %cr4
    mov $EFER, %ecx
    rdmsr
    or $0x100, %eax             /* long mode */
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax        /* paging, protection */
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $long_start

    .code64
long_start:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %esi, %edi
    call kernel_start
    ud2

/* The second vCPU: Xen starts it in 64-bit mode with rsp and rdi as asked. */
    .globl second_start
second_start:
    lgdt gdt_pointer
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    push $8
    lea 1f(%rip), %rax
    push %rax
    lretq
1:  call second_main
    ud2

    .balign 16
    .globl interrupt_entries
interrupt_entries:
    vector = 0
    .rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
    push $0                     /* the processor gives these no error code */
    .endif
    push $vector
    jmp interrupt_common
    vector = vector + 1
    .endr

interrupt_common:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    cld
    mov 72(%rsp), %rdi          /* vector */
    mov 80(%rsp), %rsi          /* error code */
    mov 88(%rsp), %rdx          /* rip */
    call interrupt
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

/* The 32-bit start loads this table too: its base is 32 bits then, and the two bytes behind are zero. */
    .section .rodata
    .balign 8
gdt:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
    .short 23
    .quad gdt

    .bss
    .balign 4096
    .globl page_map, page_directories, hypercall_page
page_map: .skip 4096
page_directory_pointers: .skip 4096
page_directories: .skip 4096 * PAGE_DIRECTORIES
hypercall_page: .skip 4096
    .skip 16384
stack_top:
    .section .note.GNU-stack, "", @progbits
