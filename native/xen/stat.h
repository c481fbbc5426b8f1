/* SPDX-License-Identifier: MIT */
/* Figures of the domain itself that the boot has to note down. */
#ifndef GLOVEBOX_STAT_H
#define GLOVEBOX_STAT_H

#include "abi.h"

void stat_note_start(const struct start_info *info, uint64_t entry_tsc);
void stat_note_ready(void);

#endif
