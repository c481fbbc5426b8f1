/* SPDX-License-Identifier: MIT */
/*
 * The test modules' file of registers in plain C: what its code costs without WebAssembly, sandbox and fuel. The same
 * checks, the same registers, the same counts; a doorbell rings nobody.
 */
#ifndef BENCH_PLAIN_DEVICE_H
#define BENCH_PLAIN_DEVICE_H

#include <stdint.h>

void plain_device_reset(void);
uint64_t plain_device_read(uint32_t bar, uint32_t offset, uint32_t size);
void plain_device_write(uint32_t bar, uint32_t offset, uint32_t size, uint64_t value);

#endif
