// SPDX-License-Identifier: MIT
//
// What the core must never have (a heap, a start function, growing memory, an import that is not the shim's, a float),
// and the constants that it shares with Xen and with PCI, held against the C headers.

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { check } from "../../host/pipeline/check.js";
import { coreBorder } from "../../host/pipeline/contract.js";
import { coreMemoryPages } from "../../host/pipeline/module.js";
import { inBuild, inProject } from "../../host/pipeline/paths.js";
import { sendIoreq } from "../../host/sim/guest.js";
import { CorePanic } from "../../host/sim/shim.js";
import { attached, CORE, CORE_BYTES } from "./support.js";

test("no start function, no growing memory, no table, no float: the pipeline's own check, and it can fail", () => {
  const options = { name: "core", border: coreBorder(), capabilities: 0, memoryPages: coreMemoryPages() };
  check(CORE_BYTES, options);
  assert.throws(() => check(CORE_BYTES, { ...options, memoryPages: options.memoryPages + 1 }), /memory/);
  assert.throws(() => check(CORE_BYTES, { ...options, border: { ...options.border, imports: [] } }), /import/);
});

test("the core imports from the shim only, and exports what the shim calls", () => {
  const border = coreBorder();
  const imports = WebAssembly.Module.imports(CORE);
  assert.ok(imports.every((one) => one.module === "shim" && one.kind === "function"));
  const known = new Set(border.imports.map((one) => one.name));
  assert.equal(
    imports.filter((one) => !known.has(one.name)),
    [],
  );
  const exports = WebAssembly.Module.exports(CORE);
  const functions = exports.filter((one) => one.kind === "function").map((one) => one.name);
  assert.equal(functions.sort(), border.exports.map((one) => one.name).sort());
  assert.equal(
    exports.filter((one) => one.kind !== "function").map((one) => one.name),
    ["memory"],
  );
});

test("the sources of the core make no object, and declare no import", () => {
  const folder = inProject("unikernel/core");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  assert.ok(files.length > 30);
  for (const name of files) {
    const code = readFileSync(join(folder, name), "utf8").replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "");
    assert.not.match(code, /\bnew\s|\bMap\b|\bArray\b|\bf32\b|\bf64\b|`|@external|\bmemory\.grow\b/, name);
    for (const [, rest] of code.matchAll(/\bclass (\w+)/g))
      assert.match(code, new RegExp(`@unmanaged\\s+(export )?class ${rest}`), name);
  }
});

test("our own bugs stop the domain, with a code", () => {
  const { world } = attached();
  for (const tag of [1, 63, 64, 0xffffffff]) {
    assert.throws(
      () => sendIoreq(world, tag, { type: 1, addr: 0n, size: 4 }),
      (error: Error) => error instanceof CorePanic,
    );
  }
  assert.throws(
    () => world.core.on_xenstore(2, 1, 4097),
    (error: Error) => error instanceof CorePanic,
  );
  assert.throws(
    () => world.core.irq_raise(64, 0),
    (error: Error) => error instanceof CorePanic,
  );
});

/** [file of constants, header, how a constant is written in C] */
const HEADERS: [string, string, (name: string) => string][] = [
  ["xen/ioreq", "xen/hvm/ioreq.h", (name) => name],
  ["xen/dm_op", "xen/hvm/dm_op.h", (name) => name],
  ["xen/errno", "xen/errno.h", (name) => name],
  ["xen/xs_wire", "xen/io/xs_wire.h", (name) => (name === "XSD_SOCKMSG_BYTES" ? "sizeof(struct xsd_sockmsg)" : name)],
  ["pci", "linux/pci_regs.h", (name) => name],
];

for (const [file, header, inC] of HEADERS) {
  test(`unikernel/abi/${file}.ts says what <${header}> says`, () => {
    const text = readFileSync(inProject("unikernel/abi", `${file}.ts`), "utf8");
    const ours = [...text.matchAll(/^export const (\w+) = (\w+);/gm)].map(
      ([, name, value]) => [name as string, Number(value)] as const,
    );
    assert.ok(ours.length > 0);
    assert.is(ours.length, text.match(/\bexport\b/g)?.length);
    assert.equal(
      ours,
      ours.map(([name], i) => [
        name,
        valuesInC(
          header,
          ours.map(([one]) => inC(one)),
        )[i],
      ]),
    );
  });
}

const cache = new Map<string, number[]>();

/** The compiler's own view of the header, once a header. */
function valuesInC(header: string, expressions: string[]): number[] {
  const known = cache.get(header);
  if (known !== undefined) return known;
  const directory = inBuild("test-contract");
  mkdirSync(directory, { recursive: true });
  const base = join(directory, header.replaceAll("/", "-"));
  const prints = expressions.map((one) => `printf("%lu\\n", (unsigned long)(${one}));`).join("\n");
  const types = "#define __XEN_TOOLS__ 1\n#include <stdint.h>\n#include <stdio.h>\n#include <xen/xen.h>\n";
  writeFileSync(`${base}.c`, `${types}#include <${header}>\nint main(void) {\n${prints}\nreturn 0;\n}\n`);
  execFileSync("gcc", ["-o", base, `${base}.c`]);
  const values = execFileSync(base, { encoding: "utf8" }).trim().split("\n").map(Number);
  cache.set(header, values);
  return values;
}

test.run();
