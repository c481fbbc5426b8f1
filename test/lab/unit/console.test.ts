// SPDX-License-Identifier: MIT
//
// The marks on the serial line: found between and inside other text, cut in two by chunks; deaths are recognised.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Console, type Mark, parseLine } from "../../../host/lab/console.js";

test("marks are read", () => {
  assert.equal(parseLine("@@gb step guest: it boots"), { kind: "step", text: "guest: it boots" });
  assert.equal(parseLine("@@gb fail no such thing "), { kind: "fail", text: "no such thing" });
  assert.equal(parseLine("@@gb exit 7"), { kind: "exit", code: 7 });
  assert.equal(parseLine("@@gb saved"), { kind: "saved" });
  assert.equal(parseLine("@@gb booted"), { kind: "booted" });
  assert.equal(parseLine("(XEN) d1v0 something@@gb keep"), { kind: "keep" });
});

test("other lines are no marks", () => {
  for (const line of ["", "@@gb", "@@gb stepping", "gb step x", "[    1.0] Linux version 6.1"]) {
    assert.is(parseLine(line), undefined, line);
  }
});

test("a panic of Xen or Dom0 is a death", () => {
  for (const line of [
    "(XEN) Panic on CPU 0:",
    "[    4.3] Kernel panic - not syncing: Attempted to kill init!",
    "(XEN) Hardware Dom0 crashed: 'noreboot' set - not rebooting.",
  ]) {
    assert.is(parseLine(line)?.kind, "dead", line);
  }
});

test("the last lines keep what led to a panic", async () => {
  const dir = mkdtempSync(join(tmpdir(), "glovebox-"));
  const console = new Console(join(dir, "console.log"), () => {});
  console.feed(Buffer.from("the cause\n[    4.3] Kernel panic - not syncing: x\n"));
  for (let i = 0; i < 100; i++) console.feed(Buffer.from(`register ${i}\n`));
  assert.match(console.lastLines(), /^the cause\n.*panic.*\nregister 0\n/);
  assert.not.match(console.lastLines(), "register 50");
  await console.close();
  rmSync(dir, { recursive: true });
});

test("chunks may end anywhere, and all of it is in the log", async () => {
  const dir = mkdtempSync(join(tmpdir(), "glovebox-"));
  const marks: Mark[] = [];
  const log = join(dir, "console.log");
  const console = new Console(log, (mark) => marks.push(mark));
  const text = "hello\r\n@@gb step one\r\nx@@gb exit 3\r\nrest";
  for (const char of text) console.feed(Buffer.from(char));
  assert.equal(marks, [
    { kind: "step", text: "one" },
    { kind: "exit", code: 3 },
  ]);
  assert.is(console.lastLines(), "hello\n@@gb step one\nx@@gb exit 3\nrest");
  await console.close();
  assert.is(readFileSync(log, "latin1"), text);
  rmSync(dir, { recursive: true });
});

test.run();
