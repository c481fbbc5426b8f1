// SPDX-License-Identifier: MIT
//
// Whole sessions, in child processes: the same seed leaves the same files, whatever the number of jobs; bad modules,
// foreign and damaged corpora are refused in words; an interrupted session has lost nothing.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { fuzzSession, type SessionOptions, type SessionReport } from "../../host/fuzz/session.js";
import { StoreError, saveTrace } from "../../host/fuzz/store.js";
import { inProject } from "../../host/pipeline/paths.js";
import { decodeTrace, encodeTrace } from "../../host/trace/index.js";
import { fileOf } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "glovebox-fuzz-"));
const IF_MAGIC = `(if (i64.eq (local.get $value) (i64.const 0x1122334455667788)) (then (unreachable)))
  (if (i32.eq (local.get $offset) (i32.const 0x40))
    (then (i32.store (i32.const 0) (i32.wrap_i64 (local.get $value)))))`;
const READ = "(i64.load32_u (i32.const 0))";
const RESET = "(i32.store (i32.const 0) (i32.const 0))";

async function session(name: string, options: Partial<SessionOptions> = {}): Promise<SessionReport> {
  return fuzzSession({
    subject: "small.wasm",
    file: await fileOf({ write: IF_MAGIC, read: READ, reset: RESET }),
    corpus: join(folder, name),
    seed: 3,
    jobs: 1,
    runs: 20000,
    seconds: undefined,
    recordsMax: 64,
    force: false,
    ...options,
  });
}

/** Names and contents of all files below a folder. */
function filesOf(name: string): string[] {
  const all = readdirSync(join(folder, name), { recursive: true, encoding: "utf8" }).sort();
  return all
    .filter((one) => one.endsWith(".gbt"))
    .map((one) => `${one} ${readFileSync(join(folder, name, one)).length}`);
}

test("the same seed leaves the same corpus and finds; a worker does the same beside others", async () => {
  const [one, again, two, twoAgain] = [
    await session("one"),
    await session("again"),
    await session("two", { jobs: 2 }),
    await session("two-again", { jobs: 2 }),
  ];
  assert.equal(again.corpus.hash, one.corpus.hash);
  assert.equal(filesOf("again"), filesOf("one"));
  assert.equal(two.workers[0], one.workers[0]);
  assert.equal(twoAgain.workers, two.workers);
  assert.equal(filesOf("two-again"), filesOf("two"));
  assert.is(one.status.executions, 20000);
  assert.is(one.crashes.length, 1);
  assert.match(one.crashes[0]?.story ?? "", /fault "unreachable" in bar_write/);
  const crash = decodeTrace("crash", readFileSync(one.crashes[0]?.path ?? ""));
  assert.equal([crash.name, crash.story, crash.seed], ["small", one.crashes[0]?.story, 3n]);
});

test("a session goes on from what another left", async () => {
  const before = filesOf("one").length;
  const { corpus, status } = await session("one", { runs: 2000, seed: 4 });
  assert.ok(status.executions > 2000, "the corpus is run first");
  assert.ok(corpus.files >= before - 1);
});

test("a corpus of another module is refused; --force runs it anew", async () => {
  const other = await fileOf({ write: "(nop)", manifest: { name: "other" } });
  const rejected = await session("one", { file: other }).catch((error: Error) => error.message);
  assert.match(String(rejected), /a trace of module small, not other/);
  const rebuilt = await fileOf({ write: `${IF_MAGIC} (nop)`, read: READ, reset: RESET });
  const changed = await session("one", { file: rebuilt, runs: 100 }).catch((error: Error) => error.message);
  assert.match(String(changed), /another small.wasm .*--force/);
  const forced = await session("one", { file: rebuilt, runs: 100, force: true });
  assert.ok(forced.status.executions > 100);
});

test("damaged files are named and left out, not removed", async () => {
  const path = join(folder, "two", readdirSync(join(folder, "two")).filter((one) => one.endsWith(".gbt"))[0] ?? "");
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length - 5));
  const notes: string[] = [];
  await session("two", { runs: 100, onNote: (text) => notes.push(text) });
  assert.match(notes.join(), /left out: .*cut off/);
  assert.ok(existsSync(path));
});

test("a module that does not check is refused with the packer's words", async () => {
  const rejected = await session("bad", { file: await fileOf({ rest: '(func (export "brew"))' }) }).catch(
    (error: Error) => error.message,
  );
  assert.match(String(rejected), /small: check: .*"brew" would never be called/s);
});

test("interrupted, it ends in order and has kept what it had", async () => {
  const controller = new AbortController();
  const report = await session("stopped", {
    runs: 0,
    signal: controller.signal,
    onStatus: (status) => {
      if (status.executions > 0) controller.abort();
    },
  });
  assert.ok(report.interrupted);
  assert.ok(report.corpus.files > 0);
  assert.equal(
    readdirSync(join(folder, "stopped")).filter((one) => one.endsWith(".partial")),
    [],
  );
});

test("a disk that takes no more is said to be full", () => {
  const trace = decodeTrace("x", readFileSync(join(folder, "one", readdirSync(join(folder, "one"))[0] ?? "")));
  assert.throws(
    () => saveTrace("/dev/null/corpus", trace),
    (error: Error) => error instanceof StoreError,
  );
  assert.match(new StoreError("x.gbt", { code: "ENOSPC", message: "no" }).message, /x.gbt: the disk is full; .*go on/);
  assert.ok(encodeTrace(trace).length > 0);
});

test("the program: exit code 1 for a find, 2 for what cannot be fuzzed, JSON for machines", async () => {
  const glovebox = (...args: string[]) =>
    spawnSync(process.execPath, [inProject("build/host/glovebox.mjs"), ...args], { cwd: folder, encoding: "utf8" });
  const path = join(folder, "small.wasm");
  writeFileSync(path, await fileOf({ write: IF_MAGIC, read: READ, reset: RESET }));
  const found = glovebox("fuzz", path, "--runs", "20000", "--jobs", "1", "--json");
  assert.is(found.status, 1, found.stderr);
  assert.is((JSON.parse(found.stdout) as SessionReport).crashes.length, 1);
  assert.match(found.stderr, /found: .*fault "unreachable"/);
  assert.is(glovebox("fuzz", join(folder, "missing.wasm")).status, 2);
  writeFileSync(path, "no wasm");
  const refused = glovebox("fuzz", path);
  assert.is(refused.status, 2);
  assert.match(refused.stderr, /no WebAssembly file/);
  assert.is(glovebox("fuzz", path, "--runs", "0").status, 2);
  assert.is(glovebox("fuzz", path, "--time", "soon").status, 2);
});

test("minimize leaves a smaller file, corpus stats and merge tell what they saw", () => {
  const glovebox = (...args: string[]) =>
    spawnSync(process.execPath, [inProject("build/host/glovebox.mjs"), ...args], { cwd: folder, encoding: "utf8" });
  const crashes = join(folder, "one/crashes");
  const crash = join(crashes, readdirSync(crashes)[0] ?? "");
  const path = join(folder, "good.wasm");
  return fileOf({ write: IF_MAGIC, read: READ, reset: RESET }).then((file) => {
    writeFileSync(path, file);
    const out = join(folder, "least.gbt");
    const done = glovebox("minimize", crash, "--module", path, "--out", out);
    assert.is(done.status, 0, done.stderr);
    assert.is(decodeTrace(out, readFileSync(out)).records.length, 32, done.stdout);
    assert.is(glovebox("minimize", join(folder, "missing.gbt"), "--module", path).status, 2);
    writeFileSync(join(folder, "cut.gbt"), readFileSync(crash).subarray(0, 330));
    const cut = glovebox("minimize", join(folder, "cut.gbt"), "--module", path);
    assert.is(cut.status, 2);
    assert.match(cut.stderr, /cut off/);
    const stats = JSON.parse(glovebox("corpus", "stats", join(folder, "again"), "--json").stdout) as { files: number };
    assert.is(stats.files, filesOf("again").filter((one) => !one.startsWith("crashes")).length);
    const merged = glovebox("corpus", "merge", join(folder, "new"), join(folder, "again"), "--module", path, "--json");
    assert.is(merged.status, 0, merged.stderr);
    const { given, needed, added } = JSON.parse(merged.stdout) as Record<string, number>;
    assert.is(given, stats.files);
    const least = glovebox("corpus", "merge", join(folder, "few"), join(folder, "again"), "--module", path, "--least");
    assert.is(least.status, 0, least.stderr);
    const few = readdirSync(join(folder, "few")).map((name) => readFileSync(join(folder, "few", name)).length);
    const all = filesOf("again").filter((one) => !one.startsWith("crashes"));
    assert.ok(few.length > 0 && few.length < all.length, `${few.length} of ${all.length}`);
    assert.ok((needed ?? 0) > 0 && needed === added && (needed ?? 0) <= (given ?? 0), merged.stdout);
  });
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
