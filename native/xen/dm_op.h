/* SPDX-License-Identifier: MIT */
/* Device model operations on a guest, one function each; 0 (or the answer) or -errno. Needs `target` or FLASK's say. */
#ifndef GLOVEBOX_DM_OP_H
#define GLOVEBOX_DM_OP_H

#include "abi.h"

int dm_op_create_ioreq_server(domid_t domid, ioservid_t *id);
int dm_op_destroy_ioreq_server(domid_t domid, ioservid_t id);
int dm_op_set_ioreq_server_state(domid_t domid, ioservid_t id, bool enabled);
/* op: XEN_DMOP_map_io_range_to_ioreq_server or its opposite; [start, end] inclusive. */
int dm_op_io_range(domid_t domid, uint32_t op, ioservid_t id, uint32_t type, uint64_t start, uint64_t end);
int dm_op_nr_vcpus(domid_t domid);
int dm_op_inject_msi(domid_t domid, uint64_t address, uint32_t data);
int dm_op_set_pci_intx_level(domid_t domid, uint8_t device, uint8_t intx, uint8_t level);
int dm_op_relocate_memory(domid_t domid, uint64_t src_gfn, uint64_t dst_gfn, uint32_t nr_pages);

#endif
