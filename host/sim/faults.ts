// SPDX-License-Identifier: MIT
//
// Fault injection: the nth call of a shim function fails with the errno that the test names, or something happens just
// before it: a page goes, the guest dies, we panic. Everything is counted, so that a test can first run without faults
// and then let each call fail in turn.

export interface Faults {
  calls: Map<string, number>;
  planned: Map<string, { at: number; errno: number; act?: () => void }>;
  /** Plans that came true, in order: the call, and whom it was about (its first argument). */
  struck: string[];
}

export function createFaults(): Faults {
  return { calls: new Map(), planned: new Map(), struck: [] };
}

/** Let the nth call from now (1 = the next) of `name` fail. */
export function failNth(faults: Faults, name: string, nth: number, errno: number): void {
  faults.planned.set(name, { at: (faults.calls.get(name) ?? 0) + nth, errno });
}

/** Let `act` happen just before the nth call from now of `name`, which then goes its way. */
export function actNth(faults: Faults, name: string, nth: number, act: () => void): void {
  faults.planned.set(name, { at: (faults.calls.get(name) ?? 0) + nth, errno: 0, act });
}

/** Counts a call about `whom`; the errno that it must fail with, or 0. */
export function nextCall(faults: Faults, name: string, whom: unknown = "nobody"): number {
  const count = (faults.calls.get(name) ?? 0) + 1;
  faults.calls.set(name, count);
  const plan = faults.planned.get(name);
  if (plan?.at !== count) return 0;
  faults.planned.delete(name);
  faults.struck.push(`${name} ${whom}`);
  plan.act?.();
  return plan.errno;
}

/** Calls of the contract that can fail at all (native/include/shim.h), and an errno that each may answer. */
export const FALLIBLE: readonly (readonly [name: string, errno: number])[] = [
  ["xenstore_send", 11],
  ["ioreq_server_create", 12],
  ["ioreq_server_enable", 28],
  ["ioreq_server_destroy", 1],
  ["ioreq_range_map", 12],
  ["ioreq_range_unmap", 12],
  ["guest_read", 22],
  ["guest_write", 22],
  ["guest_populate", 12],
  ["guest_depopulate", 12],
  ["guest_relocate", 22],
  ["guest_crc32", 22],
  ["inject_msi", 22],
  ["set_pci_intx_level", 22],
  ["share_grant", 28],
  ["share_revoke", 16],
  ["share_copy_guest", 22],
  ["share_write", 22],
  ["instance_create", 28],
];
