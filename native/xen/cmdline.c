/* SPDX-License-Identifier: MIT */
/* The command line that the toolstack gave (xl.cfg's `extra`): kept as found, handed to the core, which reads it. */
#include "cmdline.h"

#include <string.h>

#include "core.h"
#include "shim.h"

static const char *line;
static uint32_t length;

void cmdline_init(const struct start_info *info) {
    line = (const char *)info->cmd_line;
    while (length < MAX_GUEST_CMDLINE && line[length])
        length++;
}

int32_t shim_command_line(uint32_t dst_ptr, uint32_t max) {
    uint32_t count = length < max ? length : max;
    memcpy(core_bytes(dst_ptr, count), line, count);
    return (int32_t)count;
}
