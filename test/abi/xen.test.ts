// SPDX-License-Identifier: MIT
//
// The constants of unikernel/abi/xen are Xen's: a small C program, compiled against Debian's libxen-dev, prints what
// the headers say. A constant has the header's own name, or its comment gives the C expression: "sizeof(struct x)".

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BUILD, fromRoot } from "../../host/lab/paths.js";

const FOLDER = "unikernel/abi/xen";
const SCRATCH = join(BUILD, "test/abi");

interface Constant {
  file: string;
  name: string;
  value: bigint;
  /** What the C program prints for it. */
  expression: string;
}

function constants(file: string, text: string): Constant[] {
  const pattern = /(?:^\/\*\* (.*) \*\/\n)?^export const (\w+)(?:: \w+)? = ([^;]+);/gm;
  return [...text.matchAll(pattern)].map(([, comment, name = "", value = ""]) => ({
    file,
    name,
    value: BigInt(value),
    expression: /(?:sizeof|offsetof)\(.*?\)/.exec(comment ?? "")?.[0] ?? name,
  }));
}

function all(): Constant[] {
  return readdirSync(fromRoot(FOLDER))
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => constants(name, readFileSync(fromRoot(FOLDER, name), "utf8")));
}

/** What Xen's headers say of each expression, by the compiler. */
function headersSay(expressions: readonly string[]): bigint[] {
  mkdirSync(SCRATCH, { recursive: true });
  const source = join(SCRATCH, "xen.c");
  const lines = expressions.map((one) => `    printf("%llu\\n", (unsigned long long)(${one}));`);
  writeFileSync(source, `#include "abi.h"\n#include <stdio.h>\nint main(void) {\n${lines.join("\n")}\n}\n`);
  const program = join(SCRATCH, "xen");
  execFileSync("gcc", ["-std=c11", "-iquote", fromRoot("native/xen"), source, "-o", program]);
  return execFileSync(program, { encoding: "utf8" }).trim().split("\n").map(BigInt);
}

function wrong(list: readonly Constant[]): string[] {
  const said = headersSay(list.map((one) => one.expression));
  return list.flatMap((one, i) =>
    said[i] === one.value ? [] : [`${FOLDER}/${one.file}: ${one.name} is ${one.value}, Xen's header says ${said[i]}`],
  );
}

test("every constant of unikernel/abi/xen is what Xen's headers say", () => {
  const list = all();
  assert.ok(list.length > 20);
  assert.equal(wrong(list), []);
});

test("no constant is overlooked", () => {
  for (const name of readdirSync(fromRoot(FOLDER))) {
    const text = readFileSync(fromRoot(FOLDER, name), "utf8");
    assert.is(constants(name, text).length, text.match(/^export /gm)?.length, name);
  }
});

test("a wrong constant is found", () => {
  const list = all().map((one) => (one.name === "XS_WATCH_EVENT" ? { ...one, value: one.value + 1n } : one));
  assert.equal(wrong(list), [`${FOLDER}/xs_wire.ts: XS_WATCH_EVENT is 16, Xen's header says 15`]);
});

test.run();
