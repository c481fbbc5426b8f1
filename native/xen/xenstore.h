/* SPDX-License-Identifier: MIT */
/* The xenstore ring: whole messages in, whole messages out; what they say is the core's business. */
#ifndef GLOVEBOX_XENSTORE_H
#define GLOVEBOX_XENSTORE_H

#include "abi.h"

void xenstore_init(const struct start_info *info);
/* Hands at most XENSTORE_BATCH messages to the core; true when there may be more. */
bool xenstore_service(void);

#endif
