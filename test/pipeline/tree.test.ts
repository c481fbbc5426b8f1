// SPDX-License-Identifier: MIT
//
// Promises about the tree itself: no module is special, and what is said in two places is the same in both.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MODULE_BORDER, wasmType } from "../../host/pipeline/contract.js";
import { coreGlue, moduleGlue } from "../../host/pipeline/glue.js";
import { encodeManifest } from "../../host/pipeline/manifest-binary.js";
import { moduleFolders } from "../../host/pipeline/module-images.js";
import { inProject } from "../../host/pipeline/paths.js";
import * as manifestAbi from "../../unikernel/abi/manifest.js";
import { manifestOf } from "./host.js";

/** Everything that runs in the driver domain and is no module. */
const NAMELESS = [
  "unikernel/core",
  "unikernel/abi",
  "native/include",
  "native/xen",
  "native/arch",
  "native/wasm",
  "native/bench",
];

function filesBelow(folder: string): string[] {
  return readdirSync(inProject(folder), { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath ?? one.path, one.name));
}

test("no line of core or shim names a module", () => {
  const names = moduleFolders("test").map((folder) => manifestOf(folder).name);
  assert.equal(names, ["bochs-display", "virtio-gpu", "hostile-runtime", "register-file", "tally"]);
  const words = new RegExp(["bochs", ...names, ...names.map((one) => one.replaceAll("-", "_"))].join("|"), "i");
  const found = NAMELESS.flatMap(filesBelow).flatMap((path) =>
    readFileSync(path, "utf8")
      .split("\n")
      .map((line, index) => `${path}:${index + 1}: ${line}`)
      .filter((line) => words.test(line.slice(path.length))),
  );
  assert.equal(found, []);
});

test("the SDK declares the imports of contract.ts, and no file else does", () => {
  const text = readFileSync(inProject("unikernel/sdk/capability.ts"), "utf8");
  const declared = [
    ...text.matchAll(/@external\("(\w+)", "(\w+)"\) export declare function \w+\(([^)]*)\): (\w+);/g),
  ].map(
    ([, namespace, name, list, result]) =>
      `${namespace}.${name}(${list
        ?.replace(/\w+: |,\s*$/g, "")
        .replace(/\s+/g, " ")
        .trim()}): ${result}`,
  );
  const wanted = MODULE_BORDER.imports.map(
    (one) => `${MODULE_BORDER.namespace}.${one.name}(${one.parameters.join(", ")}): ${one.result}`,
  );
  assert.equal(declared.sort(), wanted.sort());
  const elsewhere = ["unikernel", "test/modules"]
    .flatMap(filesBelow)
    .filter((path) => path.endsWith(".ts") && readFileSync(path, "utf8").includes("@external("))
    .map((path) => path.slice(inProject().length + 1));
  assert.equal(elsewhere.sort(), ["unikernel/abi/shim.ts", "unikernel/sdk/capability.ts"]);
});

test("MODULE_ABI.md describes every export, import, manifest key and fault", () => {
  const text = readFileSync(inProject("docs/MODULE_ABI.md"), "utf8");
  const schema = JSON.parse(readFileSync(inProject("host/pipeline/manifest.schema.json"), "utf8")) as {
    properties: Record<string, unknown>;
  };
  const words = [
    ...MODULE_BORDER.exports.map((one) => one.name),
    ...MODULE_BORDER.imports.map((one) => one.name),
    ...Object.keys(schema.properties),
    "fuel",
    "stack",
    "memory",
    "arithmetic",
    "unreachable",
    "table",
    "capability",
  ];
  assert.equal(
    words.filter((word) => !text.includes(`\`${word}`)),
    [],
  );
});

test("the display's parameter numbers are their places in its manifest", () => {
  const text = readFileSync(inProject("unikernel/modules/bochs-display/params.ts"), "utf8");
  const numbers = [...text.matchAll(/PARAM_(\w+): u32 = (\d+)/g)].map(([, name, value]) => [name, Number(value)]);
  const { params } = manifestOf("unikernel/modules/bochs-display");
  assert.equal(
    numbers,
    params.map((one, index) => [one.name.toUpperCase(), index]),
  );
});

test("the loader's places in the binary manifest, and its list of imports, are the pipeline's", () => {
  const text = readFileSync(inProject("native/wasm/module.h"), "utf8");
  const numbers = [...text.matchAll(/#define GB_(MANIFEST_\w+) (\d+)u/g)];
  assert.is(numbers.length, 5);
  for (const [, name, value] of numbers) {
    assert.is(Number(value), (manifestAbi as unknown as Record<string, number>)[name as string], name);
  }
  const imports = [...readFileSync(inProject("native/wasm/imports.c"), "utf8").matchAll(/X\(w2c_glovebox_(\w+)\)/g)];
  assert.equal(imports.map(([, name]) => name).sort(), MODULE_BORDER.imports.map((one) => one.name).sort());
});

test("signatures in words", () => {
  const [attach] = MODULE_BORDER.exports;
  assert.is(attach && wasmType(attach), "() -> i32");
});

test("the glue has each import that is used, no other, and NULL for an entry point that is missing", () => {
  const core = coreGlue(["panic", "time_ns"]);
  assert.match(core, /u64 w2c_shim_time_ns\(struct w2c_shim \*shim\) \{/);
  assert.match(core, /uint64_t core_on_ioreq\(uint32_t p0, /);
  assert.not.match(core, /xenstore_send/);
  const manifest = manifestOf("test/modules/register-file");
  const module = moduleGlue(manifest, {
    exports: ["attach", "reset", "bar_read", "bar_write"],
    imports: [],
    globals: [],
  });
  assert.match(module, /\.entry = \{entry_attach, entry_reset, entry_bar_read, entry_bar_write, 0, 0, 0, 0, 0\}/);
  assert.match(module, /wasm2c_registerFile_instantiate\(instance\);/);
  assert.is(module.match(/^ {4}[0-9]+, /gm)?.length, encodeManifest(manifest).length / 16);
});

test.run();
