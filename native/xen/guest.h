/* SPDX-License-Identifier: MIT */
/* Guest memory by guest-physical address, some pages at a time. */
#ifndef GLOVEBOX_GUEST_H
#define GLOVEBOX_GUEST_H

#include "abi.h"

enum guest_direction { FROM_GUEST, TO_GUEST };

/* Between the guest and len bytes of ours. 0 or -errno; after a failure some bytes may have been copied. */
int guest_copy(domid_t domid, uint64_t gpa, uint8_t *ours, uint32_t len, enum guest_direction direction);
/* False for what cannot be a guest's domid: the reserved ones name Xen, ourselves, devices. */
bool guest_domid_valid(uint32_t domid);

#endif
