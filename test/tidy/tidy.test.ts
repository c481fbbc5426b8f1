// SPDX-License-Identifier: MIT
//
// The manners that a program can check: licence lines, line lengths, no module named by core or shim, no assembly
// outside native/arch, no registry in the lock file.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { fromRoot } from "../../host/lab/paths.js";

const COLUMNS_MAX = 120;
const CODE = new Set([".ts", ".mjs", ".c", ".h", ".S", ".ld", ".sh"]);
const MODULE_FOLDERS = ["unikernel/modules", "test/modules"];
const NAMELESS = /^(unikernel\/core|native\/(xen|wasm|arch|include))\//;

/** What git knows, and what it would if it were added. */
const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: fromRoot(), encoding: "utf8" })
  .split("\n")
  .filter((name) => CODE.has(extname(name)) && existsSync(fromRoot(name)));
const read = (name: string): string => readFileSync(fromRoot(name), "utf8");

function every(fault: (text: string, name: string) => string | undefined, some = files): void {
  const faults = some.flatMap((name) => fault(read(name), name) ?? []);
  assert.equal(faults, []);
}

/** The first line for which `is` holds, as FILE:LINE. */
function firstLine(text: string, name: string, is: (line: string) => boolean): string | undefined {
  const at = text.split("\n").findIndex(is);
  return at < 0 ? undefined : `${name}:${at + 1}`;
}

test("there is something to look at", () => assert.ok(files.length > 20));

test("a licence line at the head of each source file", () => {
  every((text, name) => (/SPDX-License-Identifier: MIT/.test(text.slice(0, 200)) ? undefined : name));
});

test(`no line is longer than ${COLUMNS_MAX} columns`, () => {
  every((text, name) => firstLine(text, name, (line) => line.length > COLUMNS_MAX));
});

test("no tabs, no blanks at a line's end, a newline at the file's", () => {
  every((text, name) => firstLine(text, name, (line) => /\t|[ \t]$/.test(line)));
  every((text, name) => (text.endsWith("\n") ? undefined : name));
});

test("nothing is left to do later without a decision record", () => {
  const words = new RegExp(["TO", "FIX"].map((head) => `\\b${head}${head === "TO" ? "DO" : "ME"}\\b`).join("|"));
  every((text, name) => firstLine(text, name, (line) => words.test(line)));
});

test("neither core nor shim names a module", () => {
  const names = MODULE_FOLDERS.filter((dir) => existsSync(fromRoot(dir))).flatMap((dir) => readdirSync(fromRoot(dir)));
  assert.ok(names.length > 0);
  const words = new RegExp(names.map((name) => name.replaceAll("-", "[-_ ]?")).join("|"), "i");
  const some = files.filter((name) => NAMELESS.test(name));
  every((text, name) => firstLine(text, name, (line) => words.test(line)), some);
});

test("assembly of the driver domain is in native/arch only", () => {
  const some = files.filter((name) => /^native\/(xen|wasm|include|dom0)\/.*\.[ch]$/.test(name));
  every(
    (text, name) => firstLine(text, name, (line) => /\b(__asm__|__asm|asm)\b\s*(volatile|goto|\()/.test(line)),
    some,
  );
});

test("the lock file names no registry", () => {
  assert.not.match(read("package-lock.json"), /"resolved"/);
});

test.run();
