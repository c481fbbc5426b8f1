// SPDX-License-Identifier: MIT
//
// Guest memory: copies, RAM given, taken and moved, checksums.

import { XEN_EFAULT, XEN_EINVAL, XEN_ESRCH } from "../../../unikernel/abi/xen/errno.js";
import { shim } from "../contract.js";
import { crc32 } from "../crc32.js";
import { type Domain, readMemory, writeMemory } from "../domain.js";
import { PAGE_BYTES } from "../page.js";
import type { World } from "../world.js";
import { coreBytes, type Imports, unsigned } from "./state.js";

export function memoryImports(world: () => World): Imports {
  const copy = (name: "read" | "write") => (domid: number, gpa: bigint, at: number, length: number) => {
    if (length > shim("SHIM_COPY_BYTES_MAX")) return -XEN_EINVAL;
    const domain = world().domains.get(domid);
    const ours = coreBytes(world(), at, length);
    if (domain === undefined) return -XEN_ESRCH;
    if (name === "write") return writeMemory(domain, unsigned(gpa), ours) ? 0 : -XEN_EFAULT;
    const bytes = readMemory(domain, unsigned(gpa), length);
    if (bytes !== undefined) ours.set(bytes);
    return bytes === undefined ? -XEN_EFAULT : 0;
  };
  return {
    guest_read: copy("read"),
    guest_write: copy("write"),
    guest_populate(domid: number, gfn: bigint, pages: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      const count = Math.min(pages, domain.allowancePages);
      for (let i = 0; i < count; i++) domain.frames.set(unsigned(gfn) + BigInt(i), new Uint8Array(PAGE_BYTES));
      domain.allowancePages -= count;
      return count;
    },
    guest_depopulate(domid: number, gfn: bigint, pages: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      let count = 0;
      for (let i = 0; i < pages; i++) if (domain.frames.delete(unsigned(gfn) + BigInt(i))) count++;
      domain.allowancePages += count;
      return count;
    },
    guest_relocate(domid: number, from: bigint, to: bigint, pages: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return -XEN_ESRCH;
      return relocate(domain, unsigned(from), unsigned(to), pages);
    },
    guest_crc32(domid: number, gpa: bigint, rowBytes: number, stride: number, rows: number, crc: number) {
      const domain = world().domains.get(domid);
      if (domain === undefined) return BigInt(-XEN_ESRCH);
      let value = crc >>> 0;
      for (let row = 0; row < rows; row++) {
        const bytes = readMemory(domain, unsigned(gpa) + BigInt(row) * BigInt(stride >>> 0), rowBytes);
        if (bytes === undefined) return BigInt(-XEN_EFAULT);
        value = crc32(bytes, value);
      }
      return BigInt(value);
    },
  };
}

function relocate(domain: Domain, from: bigint, to: bigint, pages: number): number {
  for (let i = 0n; i < BigInt(pages); i++) if (!domain.frames.has(from + i)) return -XEN_EINVAL;
  const moved = Array.from({ length: pages }, (_, i) => domain.frames.get(from + BigInt(i)) as Uint8Array);
  for (let i = 0n; i < BigInt(pages); i++) domain.frames.delete(from + i);
  for (const [i, page] of moved.entries()) domain.frames.set(to + BigInt(i), page);
  return 0;
}
