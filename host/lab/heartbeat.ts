// SPDX-License-Identifier: MIT
//
// A line on the serial port now and then, which nobody reads: an interrupt. For QEMU 7.2 loses some where guests run
// under SVM: VMRUN sets CPU_INTERRUPT_VIRQ in the processor's `interrupt_request` without the lock under which a
// device's thread sets CPU_INTERRUPT_HARD there (target/i386/tcg/sysemu/svm_helper.c). When that was the timer's, Xen
// sleeps until something else wakes it, and in a machine at rest nothing does. The local APIC has kept the interrupt;
// the next one, whatever it is, brings both.
//
// Not needed where time is counted in instructions: there the processor's own thread lets the timers expire.

import type { Machine } from "./machine.js";

const PERIOD_MS = 250;

/** Until the machine has ended. */
export function heartbeat(machine: Machine): void {
  const timer = setInterval(() => machine.process.stdin?.write("\n"), PERIOD_MS);
  void machine.ended.then(() => clearInterval(timer));
}
