/* SPDX-License-Identifier: MIT */
/* Our grant table, version 1, one frame: pages of ours that other domains may map. */
#ifndef GLOVEBOX_GRANT_H
#define GLOVEBOX_GRANT_H

#include "abi.h"

void grant_init(void);
/* The first of `count` free, consecutive references, or -ENOSPC. Free until granted. */
int32_t grant_find_run(uint32_t count);
void grant_read_only(grant_ref_t ref, domid_t domid, uint64_t mfn);
/* False while the other side has the page mapped; the grant then stands as before. */
bool grant_end(grant_ref_t ref);

#endif
