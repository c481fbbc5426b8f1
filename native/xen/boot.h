/* SPDX-License-Identifier: MIT */
#ifndef GLOVEBOX_BOOT_H
#define GLOVEBOX_BOOT_H

#include "abi.h"

/* Everything up to the first round of the loop; the host build stops here. */
void boot_prepare(const struct start_info *info, uint64_t entry_tsc);
/* The same after a restart, where traps, maps of Xen's pages and what SURVIVES are as they were. */
void boot_again(const struct start_info *info);
_Noreturn void boot(const struct start_info *info, uint64_t entry_tsc);

#endif
