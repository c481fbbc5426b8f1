/* SPDX-License-Identifier: MIT */
/* The core's words, one line at a time. */
#include "console.h"
#include "core.h"
#include "shim.h"

void shim_log(uint32_t text_ptr, uint32_t len) {
    uint32_t count = len < SHIM_LOG_BYTES_MAX ? len : SHIM_LOG_BYTES_MAX;
    console_bytes(core_bytes(text_ptr, count), count);
    console_line_end();
}
