// SPDX-License-Identifier: MIT
//
// The ioreq record of Xen (xen/hvm/ioreq.h): names and numbers as there; test/core holds them together.
// Plain constants only: imported by AssemblyScript and by the TypeScript host alike.

export const IOREQ_READ = 1;
export const IOREQ_WRITE = 0;

export const STATE_IOREQ_NONE = 0;
export const STATE_IOREQ_READY = 1;
export const STATE_IOREQ_INPROCESS = 2;
export const STATE_IORESP_READY = 3;

export const IOREQ_TYPE_PIO = 0;
export const IOREQ_TYPE_COPY = 1; // MMIO
export const IOREQ_TYPE_PCI_CONFIG = 2;
export const IOREQ_TYPE_TIMEOFFSET = 7;
export const IOREQ_TYPE_INVALIDATE = 8;
