// SPDX-License-Identifier: MIT
//
// Fault injection: the nth call of a shim function fails with the errno that the test names. Everything is counted, so
// that a test can first run without faults and then let each call fail in turn.

export interface Faults {
  calls: Map<string, number>;
  planned: Map<string, { at: number; errno: number }>;
}

export function createFaults(): Faults {
  return { calls: new Map(), planned: new Map() };
}

/** Let the nth call from now (1 = the next) of `name` fail. */
export function failNth(faults: Faults, name: string, nth: number, errno: number): void {
  faults.planned.set(name, { at: (faults.calls.get(name) ?? 0) + nth, errno });
}

/** Counts a call; the errno that it must fail with, or 0. */
export function nextCall(faults: Faults, name: string): number {
  const count = (faults.calls.get(name) ?? 0) + 1;
  faults.calls.set(name, count);
  const plan = faults.planned.get(name);
  if (plan?.at !== count) return 0;
  faults.planned.delete(name);
  return plan.errno;
}
