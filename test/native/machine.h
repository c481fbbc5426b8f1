/* SPDX-License-Identifier: MIT */
/*
 * The host build's machine.h: the same names as native/arch/x86_64/machine.h, answered by the fake hypervisor of
 * test/native/fake. Everything else of native/xen and native/wasm is compiled as it is.
 */
#ifndef GLOVEBOX_MACHINE_H
#define GLOVEBOX_MACHINE_H

#include "abi.h"

#define PTE_READ_WRITE 0x67ul
#define PTE_READ_ONLY 0x65ul
#define PTE_FRAME_MASK 0x000ffffffffff000ul
#define FRAME_NUMBER_MAX ((1ul << 40) - 1)

long hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);
uint64_t machine_tsc(void);
static inline void machine_relax(void) {
}
void machine_init(const struct start_info *info);
void machine_protect(void);
uint64_t machine_mfn(const volatile void *va);
void *machine_va(uint64_t mfn);
uint64_t machine_pte(const volatile void *va);
uint8_t *machine_aperture(void);
bool machine_is_mapped(const volatile void *va);
uint64_t machine_image_bytes(void);
enum machine_access { MACHINE_DATA, MACHINE_CONSTANTS, MACHINE_CODE };
int machine_set_access(void *va, uint32_t pages, enum machine_access access);
void machine_keep_pristine(void);
void machine_reset_memory(void);
_Noreturn void machine_restart(void (*run)(void));

#endif
