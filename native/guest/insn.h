/* SPDX-License-Identifier: MIT */
/*
 * Single x86 instructions that touch a device: each function is exactly one instruction that the hypervisor has to
 * emulate. Sizes are 1, 2, 4, 8 bytes (ports: 1, 2, 4). The string functions take the first item's address; with
 * `down` the items lie below it (the direction flag).
 */
#ifndef GUEST_INSN_H
#define GUEST_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t insn_load(const volatile void *at, uint32_t size);
void insn_store(volatile void *at, uint32_t size, uint64_t value);
/* add value to memory: a read and a write by one instruction. */
void insn_add(volatile void *at, uint32_t size, uint64_t value);
void insn_movs(volatile void *to, const volatile void *from, size_t count, uint32_t size, bool down);
void insn_stos(volatile void *to, uint64_t value, size_t count, uint32_t size, bool down);
uint32_t insn_in(uint16_t port, uint32_t size);
void insn_out(uint16_t port, uint32_t size, uint32_t value);
void insn_ins(void *to, uint16_t port, size_t count, uint32_t size, bool down);
void insn_outs(const void *from, uint16_t port, size_t count, uint32_t size, bool down);

#endif
