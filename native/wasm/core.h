/* SPDX-License-Identifier: MIT */
/* The core's linear memory as the shim sees it. The core is ours: a bad pointer from it is a panic. */
#ifndef GLOVEBOX_CORE_H
#define GLOVEBOX_CORE_H

#include <stdint.h>

/* [ptr, ptr + len) of the core's memory; panics where that is not inside. */
uint8_t *core_bytes(uint32_t ptr, uint32_t len);

#endif
