/* SPDX-License-Identifier: MIT */
/* The domain's console: text out, through the PV console ring. Never blocks; what finds no room is counted. */
#ifndef GLOVEBOX_CONSOLE_H
#define GLOVEBOX_CONSOLE_H

#include "abi.h"

void console_init(const struct start_info *info);
void console_bytes(const uint8_t *text, uint32_t len);
void console_text(const char *text);
void console_hex(uint64_t value);
void console_decimal(uint64_t value);
/* Ends the line and tells Dom0 that there is something to read. */
/* A line of its own: "glovebox: WHAT A B". */
void console_trouble(const char *what, uint64_t a, uint64_t b);
void console_line_end(void);
/* From now on a full ring is waited for, PANIC_YIELDS turns at most. */
void console_wait_for_room(void);
uint64_t console_dropped_bytes(void);

#endif
