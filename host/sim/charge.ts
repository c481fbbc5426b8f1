// SPDX-License-Identifier: MIT
//
// Fuel for what an import does beyond the packer's fixed price (instrument.ts): by length, and for reaching into guest
// memory or the buffers' tables. The same sums as in native/wasm/charge.h: the same module burns the same on both.

import { CHARGE_BYTES_PER_UNIT, CHARGE_REACH } from "../../unikernel/abi/module.js";
import { PAGE_BYTES } from "./page.js";

/** One reach with `bytes` carried. */
export function chargeOf(bytes: number): number {
  return CHARGE_REACH + Math.floor(bytes / CHARGE_BYTES_PER_UNIT) + 1;
}

/** Rows reach one by one, each started page of a row for itself. */
export function chargeOfRows(rowBytes: number, rows: number): number {
  const pages = rows === 0 ? 0 : Math.ceil(rowBytes / PAGE_BYTES);
  return CHARGE_REACH + rows * pages * CHARGE_REACH + Math.floor((rows * rowBytes) / CHARGE_BYTES_PER_UNIT) + 1;
}
