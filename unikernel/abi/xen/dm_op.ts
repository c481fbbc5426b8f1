// SPDX-License-Identifier: MIT
//
// Kinds of range that an ioreq server claims (xen/hvm/dm_op.h). Inside the core they name address spaces as well.
// Plain constants only: imported by AssemblyScript and by the TypeScript host alike.

export const XEN_DMOP_IO_RANGE_PORT = 0;
export const XEN_DMOP_IO_RANGE_MEMORY = 1;
export const XEN_DMOP_IO_RANGE_PCI = 2; // seg << 16 | bus << 8 | dev << 3 | fn
