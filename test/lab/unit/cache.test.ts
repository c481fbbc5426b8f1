// SPDX-License-Identifier: MIT
//
// The lab's cache: made once, remade when broken, never half there.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CacheRequest, cached } from "../../../host/lab/cache.js";
import { DiskFull } from "../../../host/lab/exec.js";

interface Context {
  root: string;
  made: number;
  said: string[];
  request: CacheRequest;
}

const test = suite<Context>("cache");

test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), "glovebox-"));
  context.made = 0;
  context.said = [];
  context.request = {
    name: "thing",
    recipe: "one",
    make: async (dir) => {
      context.made++;
      writeFileSync(join(dir, "data"), "0123456789");
    },
    onProgress: (text) => context.said.push(text),
  };
});
test.after.each((context) => rmSync(context.root, { recursive: true, force: true }));

test("made once, by recipe", async (context) => {
  const dir = await cached(context.request, context.root);
  assert.is(await cached(context.request, context.root), dir);
  assert.is(context.made, 1);
  assert.is.not(await cached({ ...context.request, recipe: "two" }, context.root), dir);
  assert.is(context.made, 2);
});

const BREAKAGES: Record<string, (dir: string) => void> = {
  "a truncated file": (dir) => writeFileSync(join(dir, "data"), "01234"),
  "a longer file": (dir) => appendFileSync(join(dir, "data"), "x"),
  "a changed byte": (dir) => writeFileSync(join(dir, "data"), "012345678X"),
  "a missing file": (dir) => rmSync(join(dir, "data")),
  "no list": (dir) => rmSync(join(dir, "CHECKSUMS.json")),
  "half a list": (dir) => writeFileSync(join(dir, "CHECKSUMS.json"), '{"data": {'),
};

for (const [name, breakIt] of Object.entries(BREAKAGES)) {
  test(`${name} is seen, said and made good`, async (context) => {
    const dir = await cached(context.request, context.root);
    breakIt(dir);
    await cached(context.request, context.root);
    assert.is(context.made, 2);
    assert.match(context.said.join("\n"), /is broken \(.+\): making it again/);
    assert.is(readFileSync(join(dir, "data"), "utf8"), "0123456789");
  });
}

test("a touched but equal file is no breakage", async (context) => {
  const dir = await cached(context.request, context.root);
  writeFileSync(join(dir, "data"), "0123456789");
  await cached(context.request, context.root);
  assert.is(context.made, 1);
});

test("what fails half-way leaves nothing", async (context) => {
  const make = async (dir: string): Promise<void> => {
    writeFileSync(join(dir, "half"), "x");
    throw new Error("out of luck");
  };
  const error = await cached({ ...context.request, make }, context.root).catch((caught: Error) => caught);
  assert.is((error as Error).message, "out of luck");
  assert.equal(readdirSync(context.root), []);
});

test("a full disk is called a full disk", async (context) => {
  const make = async (): Promise<void> => {
    throw Object.assign(new Error("write"), { code: "ENOSPC" });
  };
  const error = await cached({ ...context.request, make }, context.root).catch((caught: Error) => caught);
  assert.instance(error, DiskFull);
  assert.match((error as Error).message, context.root);
  assert.equal(readdirSync(context.root), []);
});

test("leftovers of a dead program are swept", async (context) => {
  const beyondPidMax = 4_194_305; // kernel: PID_MAX_LIMIT is 4 Mi
  const leftover = join(context.root, `tmp-${beyondPidMax}-thing`);
  mkdirSync(leftover, { recursive: true });
  await cached(context.request, context.root);
  assert.not.ok(existsSync(leftover));
});

/** apt's lists and archives lie in the cache: two programs that fetch at once would take each other's files away. */
test("one at a time makes something, and what one has made the other need not make", async (context) => {
  let making = 0;
  let most = 0;
  const make = async (dir: string): Promise<void> => {
    most = Math.max(most, ++making);
    await setTimeout(50);
    await context.request.make(dir);
    making--;
  };
  const request = { ...context.request, make };
  const dirs = await Promise.all([
    cached(request, context.root),
    cached(request, context.root),
    cached({ ...request, name: "other" }, context.root),
  ]);
  assert.is(dirs[0], dirs[1]);
  assert.is(context.made, 2);
  assert.is(most, 1);
  assert.match(context.said.join("\n"), /^waiting for another program that fills the cache$/m);
  assert.is(readFileSync(join(dirs[2], "data"), "utf8"), "0123456789");
});

test("the lock of a program that is gone is taken over", async (context) => {
  const lock = join(context.root, "lock");
  mkdirSync(lock);
  utimesSync(lock, new Date(0), new Date(0));
  await cached(context.request, context.root);
  assert.is(context.made, 1);
  assert.not.ok(existsSync(lock));
});

test.run();
