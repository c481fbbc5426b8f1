/* SPDX-License-Identifier: MIT */
/*
 * test/modules/register-file in plain C: what its code costs without WebAssembly, sandbox and fuel. The same checks,
 * the same registers, the same counts; a doorbell rings nobody.
 */
#ifndef BENCH_REGISTER_FILE_H
#define BENCH_REGISTER_FILE_H

#include <stdint.h>

void register_file_reset(void);
uint64_t register_file_read(uint32_t bar, uint32_t offset, uint32_t size);
void register_file_write(uint32_t bar, uint32_t offset, uint32_t size, uint64_t value);

#endif
