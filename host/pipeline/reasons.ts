// SPDX-License-Identifier: MIT
//
// Why a module is refused, as data: the rule, the place in the file, what is there and what to do about it. The
// checker collects all of them; the same rule broken again in one function only counts up.

/** Rule -> what its author can do. `glovebox check --json` shows these names: they stay. */
export const REMEDIES = {
  malformed: "the file is damaged, or its compiler is wrong: build it again",
  invalid: "the file is damaged, or its compiler is wrong: build it again",
  "file-size": "make the module smaller: leave out data, split the device",
  "section-unknown": "switch the feature that it belongs to off in your compiler",
  "section-order": "build the module with a compiler that keeps the order of the specification",
  "section-twice": "build the module with a compiler that writes each section once",
  "section-name": "strip the module of all custom sections but glovebox.manifest",
  start: "nothing runs before attach: give top-level variables constant values",
  table: 'say how many entries it has in the manifest ("tables"), or use a switch instead of function pointers',
  "table-limits": 'a table has a fixed size of at most "tables" entries of the manifest, 256 at most',
  element: "table elements are active, at a constant offset, within the table, and functions",
  exception: "switch exceptions off in your compiler",
  "tail-call": "switch tail calls off in your compiler",
  reference: "switch reference types off in your compiler; modules have integers only",
  "multi-value": "switch multi-value off in your compiler",
  "garbage-collection": "switch garbage collection off; modules have linear memory only",
  type: "only i32 and i64 are allowed: compute with integers (fixed point)",
  float: "the trap path has no FPU state: compute with integers (fixed point)",
  simd: "the trap path has no vector registers: switch SIMD off in your compiler",
  atomic: "a module runs on one thread: switch threads off in your compiler",
  "memory-grow": "a module's memory is fixed: declare what it needs (memory.data) and set memoryPages",
  "memory-init": "data segments are copied at instantiation, not later: switch passive segments off",
  "opcode-unknown": "switch the feature that it belongs to off in your compiler",
  memory: 'one memory of exactly memoryPages pages (minimum = maximum), exported as "memory"',
  global: "give it a constant value",
  data: "data lies at a constant address within the memory",
  "import-unknown": "only the imports of docs/MODULE_ABI.md exist",
  "import-type": "declare it as docs/MODULE_ABI.md does",
  "import-capability": "ask for the capability in the manifest",
  "import-twice": "import it once and call that",
  "export-missing": "export a function of this name and signature",
  "export-type": "declare it as docs/MODULE_ABI.md does",
  "export-unknown": "rename it or leave it out",
  "export-reserved": "names that begin with __ belong to Glovebox: rename it or leave it out",
  functions: "split the device, or leave code out",
  locals: "split the function: each local may become 8 bytes of a stack frame",
  nesting: "split the function",
  manifest: "mend the manifest (docs/MODULE_ABI.md has the keys)",
} as const;

export type Rule = keyof typeof REMEDIES;

export interface Reason {
  rule: Rule;
  /** Byte in the file. */
  offset: number;
  /** As wasm-objdump and browsers count: imports first. */
  function?: number;
  what: string;
  remedy: string;
  /** Times in this function. */
  count: number;
}

/** What to be refused for in this file; see reasonText. */
export class Reasons {
  readonly list: Reason[] = [];
  readonly #known = new Map<string, Reason>();

  add(rule: Rule, offset: number, what: string, inFunction?: number): void {
    const key = `${rule} ${inFunction ?? `at ${offset}`} ${what}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.count++;
      return;
    }
    const place = inFunction === undefined ? {} : { function: inFunction };
    const reason = { rule, offset, ...place, what, remedy: REMEDIES[rule], count: 1 };
    this.#known.set(key, reason);
    this.list.push(reason);
  }
}

/** "at byte 0x1f: (function 3) a start function: nothing runs ..." */
export function reasonText({ offset, function: index, what, remedy, count }: Reason): string {
  const inFunction = index === undefined ? "" : `(function ${index}) `;
  const times = count === 1 ? "" : ` (${count} times in this function)`;
  return `at byte 0x${offset.toString(16)}: ${inFunction}${what}${times}; ${remedy}`;
}
