/* SPDX-License-Identifier: MIT */
#ifndef GLOVEBOX_CMDLINE_H
#define GLOVEBOX_CMDLINE_H

#include "abi.h"

void cmdline_init(const struct start_info *info);

#endif
