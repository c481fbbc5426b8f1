// SPDX-License-Identifier: MIT
//
// Error numbers that the shim answers, negated (xen/errno.h), those that somebody here uses.
// Plain constants only: imported by AssemblyScript and by the TypeScript host alike.

export const XEN_EPERM = 1;
export const XEN_ENOENT = 2;
export const XEN_ESRCH = 3;
export const XEN_EIO = 5;
export const XEN_EAGAIN = 11;
export const XEN_ENOMEM = 12;
export const XEN_EACCES = 13;
export const XEN_ENOEXEC = 8;
export const XEN_EFAULT = 14;
export const XEN_EBUSY = 16;
export const XEN_EEXIST = 17;
export const XEN_EINVAL = 22;
export const XEN_ENOSPC = 28;
export const XEN_ERANGE = 34;
export const XEN_EOPNOTSUPP = 95;
