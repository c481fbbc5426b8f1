// SPDX-License-Identifier: MIT
//
// How deep calls may nest: as deep as in the driver domain. Most modules cannot come near that, and are not counted.

import { OP } from "./opcode.js";
import { nextInstruction, type WasmModule } from "./reader.js";

/** Calls nested in calls: MODULE_DEPTH_MAX of native/include/shim_limits.h. */
export const DEPTH_MAX = 64;

/** Could calls nest deeper than DEPTH_MAX? Only with a cycle, a very long chain, or by way of the table. */
export function canNestDeep(module: WasmModule): boolean {
  if (module.elements.length > 0) return true;
  const imported = module.imports.length;
  const calls = module.bodies.map((body) => {
    const cursor = { ...body.code };
    const targets = new Set<number>();
    while (cursor.at < cursor.end) {
      const one = nextInstruction(cursor);
      if (one.opcode === OP.call && one.operand >= imported) targets.add(Number(one.operand) - imported);
    }
    return targets;
  });
  const height = new Map<number, number>();
  const visit = (index: number, above: number): number => {
    const known = height.get(index);
    if (known !== undefined) return known;
    if (above > DEPTH_MAX) return Number.POSITIVE_INFINITY;
    let most = 0;
    for (const target of calls[index] ?? []) most = Math.max(most, visit(target, above + 1));
    height.set(index, most + 1);
    return most + 1;
  };
  return calls.some((_, index) => visit(index, 1) > DEPTH_MAX);
}
