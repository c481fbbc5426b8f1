/* SPDX-License-Identifier: MIT */
/* Bytes out of pages that another domain has granted to us: Xen copies, nothing of theirs is ever mapped. */
#ifndef GLOVEBOX_GRANT_COPY_H
#define GLOVEBOX_GRANT_COPY_H

#include "abi.h"

/*
 * `bytes` bytes (at most GBX_BYTES_MAX) to `to`, a page of ours. The directory page holds a 32-bit grant reference for
 * each page of the file. What cannot be copied is a negated errno: a reference that is not ours to read, a domain that
 * is gone.
 */
int grant_copy_file(domid_t domid, grant_ref_t directory, uint8_t *to, uint32_t bytes);

#endif
