// SPDX-License-Identifier: MIT
//
// Message types and limits of the xenstore wire protocol (xen/io/xs_wire.h), those that somebody here uses.
// Plain constants only: imported by AssemblyScript and by the TypeScript host alike.

export const XS_DIRECTORY = 1;
export const XS_READ = 2;
export const XS_WATCH = 4;
export const XS_UNWATCH = 5;
export const XS_TRANSACTION_START = 6;
export const XS_TRANSACTION_END = 7;
export const XS_WRITE = 11;
export const XS_MKDIR = 12;
export const XS_RM = 13;
export const XS_WATCH_EVENT = 15;
export const XS_ERROR = 16;

export const XENSTORE_RING_SIZE = 1024;
export const XENSTORE_PAYLOAD_MAX = 4096;
export const XENSTORE_ABS_PATH_MAX = 3072;
/** sizeof(struct xsd_sockmsg) */
export const XSD_SOCKMSG_BYTES = 16;
