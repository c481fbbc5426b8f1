// SPDX-License-Identifier: MIT
//
// native/include/shim.h and unikernel/abi/shim.ts are one contract: the same constants, imports and exports, with the
// same types and words, in the same order. And core.wasm speaks it: it imports nothing else and exports all of it.

import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { fromRoot } from "../../host/lab/paths.js";

const HEADER = readFileSync(fromRoot("native/include/shim.h"), "utf8");
const SCRIPT = readFileSync(fromRoot("unikernel/abi/shim.ts"), "utf8");
const CORE = fromRoot("build/unikernel/core.wasm");

const C_TYPES: Record<string, string> = { uint32_t: "u32", uint64_t: "u64", int32_t: "i32", int64_t: "i64" };

/** One line a fact: "const NAME = 1", "import name(a: u32): i32", "export ...", "# words". */
type Facts = string[];

/** The words after the introduction, which differs: from the first section on. */
function body(text: string): string {
  return text.slice(text.search(/^\/[*/] --- limits/m));
}

function words(comment: string): string {
  return `# ${comment.replaceAll(/\n \*/g, " ").replaceAll(/-{3,}/g, "").replaceAll(/\s+/g, " ").trim()}`;
}

/** A sentence may go on in the next comment. */
function joinWords(facts: Facts): Facts {
  const joined: Facts = [];
  for (const fact of facts) {
    const last = joined.length - 1;
    if (fact.startsWith("#") && joined[last]?.startsWith("#")) joined[last] += fact.slice(1);
    else joined.push(fact);
  }
  return joined;
}

function anyOf(...patterns: RegExp[]): RegExp {
  return new RegExp(patterns.map((one) => one.source).join("|"), "gm");
}

function parameters(list: string): string {
  if (list.trim() === "void") return "";
  const pairs = list.split(",").map((one) => one.trim().split(/\s+/));
  return pairs.map(([type = "", name = ""]) => `${name}: ${C_TYPES[type] ?? type}`).join(", ");
}

function ofHeader(text: string): Facts {
  const declared = /^(?<type>\w+) (?<call>\w+)\((?<list>[^)]*)\);/;
  const constant = /^#define (?<name>\w+) (?<value>.*)/;
  const comment = /\/\*(?<words>[\s\S]*?)\*\//;
  const facts: Facts = [];
  for (const { groups = {} } of body(text).matchAll(anyOf(declared, constant, comment))) {
    const { words: said, name, value, type = "", call = "", list = "" } = groups;
    const direction = call.replace(/^shim_/, "import ").replace(/^core_/, "export ");
    if (said !== undefined) facts.push(words(said));
    else if (name !== undefined) facts.push(`const ${name} = ${value}`);
    else facts.push(`${direction}(${parameters(list)}): ${C_TYPES[type] ?? type}`);
  }
  return joinWords(facts);
}

function ofScript(text: string): Facts {
  const declared =
    /^@external\("shim", "(?<as>\w+)"\)\s+export declare function shim_(?<call>\w+)\((?<list>[^)]*)\): (?<type>\w+);/;
  const exported = /^\/\/ export function (?<out>\w+)\((?<outList>[^)]*)\): (?<outType>\w+);/;
  const constant = /^export const (?<name>\w+) = (?<value>.*);/;
  const comment = /^\/\/ (?<words>.*)/;
  const facts: Facts = [];
  const pattern = anyOf(declared, exported, constant, comment);
  for (const { groups = {} } of body(text)
    .replaceAll(/\n\/\/ {3}/g, " ")
    .matchAll(pattern)) {
    const { as, call, list = "", type, out, outList = "", outType, name, value, words: said = "" } = groups;
    const tidy = (parameters: string): string => parameters.trim().replaceAll(/\s+/g, " ");
    if (call !== undefined) facts.push(`import ${as === call ? call : `${as}?`}(${tidy(list)}): ${type}`);
    else if (out !== undefined) facts.push(`export ${out}(${tidy(outList)}): ${outType}`);
    else if (name !== undefined) facts.push(`const ${name} = ${value}`);
    else facts.push(words(said));
  }
  return joinWords(facts);
}

/** Where the same item has other neighbours, types or words. */
function differences(header: string, script: string): string[] {
  const [left, right] = [ofHeader(header), ofScript(script)];
  const pairs = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => [left[i], right[i]]);
  const different = pairs.filter(([a, b]) => a !== b).slice(0, 5); // one line too many shifts all that follow
  return different.map(([a, b]) => `${a ?? "nothing"} <> ${b ?? "nothing"}`);
}

const only = (facts: Facts, kind: string): string[] => facts.filter((fact) => fact.startsWith(kind));

test("the header and the script say the same, in the same order", () => {
  assert.equal(differences(HEADER, SCRIPT), []);
});

test("nothing was overlooked by the reading", () => {
  const facts = ofHeader(HEADER);
  assert.is(only(facts, "import ").length, HEADER.match(/^\w+ shim_/gm)?.length);
  assert.is(only(facts, "export ").length, HEADER.match(/^\w+ core_/gm)?.length);
  assert.is(only(facts, "const ").length, (HEADER.match(/^#define/gm)?.length ?? 0) - 1); // less the include guard
  assert.ok(only(facts, "import ").length > 30);
});

test("a change on one side is found", () => {
  const changes: [RegExp, string][] = [
    [/SHIM_SHARE_PAGES 256/, "SHIM_SHARE_PAGES 128"],
    [/uint32_t domid, uint32_t tag/, "uint32_t domid, uint64_t tag"],
    [/uint32_t domid, uint32_t tag/, "uint32_t tag, uint32_t domid"],
    [/int32_t shim_share_revoke\(void\);\n/, ""],
    [/uint64_t shim_time_ns/, "int64_t shim_time_ns"],
    [/void core_on_timer\(void\);\n(.*\n)/, "$1void core_on_timer(void);\n"],
    [/ns since the machine's boot/, "us since the machine's boot"],
  ];
  for (const [from, to] of changes) {
    assert.match(HEADER, from);
    assert.ok(differences(HEADER.replace(from, to), SCRIPT).length > 0, `not found: ${from} -> ${to}`);
  }
  assert.ok(differences(HEADER, SCRIPT.replace("crc: u32): i64", "crc: u32): i32")).length > 0);
  assert.ok(differences(HEADER, SCRIPT.replace('"shim", "stat"', '"shim", "status"')).length > 0);
});

test("core.wasm imports from the contract only and exports all that it owes", () => {
  if (!existsSync(CORE)) throw new Error(`${CORE} is not built: node build.mjs build`);
  const core = new WebAssembly.Module(readFileSync(CORE));
  const name = (fact: string): string => fact.replace(/^\w+ (\w+)\(.*$/, "$1");
  const facts = ofScript(SCRIPT);
  const offered = new Set(only(facts, "import ").map(name));
  for (const { module, name: wanted, kind } of WebAssembly.Module.imports(core)) {
    assert.is(`${module} ${kind}`, "shim function", wanted);
    assert.ok(offered.has(wanted), `core.wasm imports shim.${wanted}, which shim.h does not have`);
  }
  const exports = WebAssembly.Module.exports(core);
  const given = new Set(exports.filter(({ kind }) => kind === "function").map((one) => one.name));
  for (const owed of only(facts, "export ").map(name)) {
    assert.ok(given.has(owed), `core.wasm does not export ${owed}`);
  }
  assert.ok(exports.some(({ name: memory, kind }) => memory === "memory" && kind === "memory"));
});

test.run();
