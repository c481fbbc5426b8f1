/* SPDX-License-Identifier: MIT */
/* What a restart does with the ranges of a server. For the files server*.c only. */
#ifndef GLOVEBOX_SERVER_RANGE_H
#define GLOVEBOX_SERVER_RANGE_H

#include "server.h"

/* Those that Xen may have wait for the core to map them again ... */
void server_keep_ranges(struct server *server);
/* ... and what it did not goes. */
void server_drop_ranges(struct server *server);

#endif
