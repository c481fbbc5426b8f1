// SPDX-License-Identifier: MIT
//
// A request none of whose bytes lies in a range of its server is nobody's, whatever Xen thought when it sent it: no
// module hears of it, and a read is answered with ones (XSA-199: a wide address that was taken for a port).

import { shim } from "../contract.js";
import type { Checker } from "./checker.js";

export function routing(): Checker {
  let isNobodys = false;
  return {
    name: "routing",
    entry(_machine, entry) {
      if (entry.kind === "serving") isNobodys = !entry.claimed;
      if (entry.kind === "restarted") isNobodys = false;
      if (entry.kind === "called" && isNobodys && isAccess(entry.entry)) {
        return `the module of vGPU ${entry.tag} was called for a request of nobody's`;
      }
      if (entry.kind !== "served") return undefined;
      isNobodys = false;
      if (entry.claimed || !entry.read || isOnes(entry.data, entry.size)) return undefined;
      return `guest ${entry.domid}: a read of nobody's was answered with 0x${entry.data.toString(16)}`;
    },
  };
}

const isAccess = (entry: number): boolean => entry === shim("ENTRY_BAR_READ") || entry === shim("ENTRY_BAR_WRITE");

function isOnes(data: bigint, size: number): boolean {
  const bits = size >= 1 && size <= 8 ? 8 * size : 64;
  return BigInt.asUintN(bits, data) === (1n << BigInt(bits)) - 1n;
}
