// SPDX-License-Identifier: MIT
//
// What goes wrong around a session: options that mean nothing, folders that cannot be read, damaged inputs, a disk that
// is full, Ctrl-C, a module that takes its time or its memory. Each is said in words with its exit code, every file is
// whole afterwards, and the same command goes on.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inProject } from "../../host/pipeline/paths.js";
import { decodeTrace } from "../../host/trace/index.js";
import { fileOf } from "./support.js";

const PROGRAM = inProject("build/host/glovebox.mjs");
const folder = mkdtempSync(join(tmpdir(), "glovebox-bad-fuzz-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const glovebox = (args: readonly string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });

/** Registers that remember: many inputs reach something new. */
const BRANCHES = Array.from(
  { length: 16 },
  (_, i) => `(if (i32.eq (local.get $offset) (i32.const ${4 * i}))
    (then (i32.store (i32.const ${4 * i}) (i32.wrap_i64 (local.get $value)))))`,
).join("\n");
const module = await fileOf({
  write: BRANCHES,
  read: "(i64.load32_u (i32.and (local.get $offset) (i32.const 0x3c)))",
  reset: "(memory.fill (i32.const 0) (i32.const 0) (i32.const 64))",
});
writeFileSync(join(folder, "small.wasm"), module);
mkdirSync(join(folder, "empty"));
symlinkSync("loop", join(folder, "loop"));
writeFileSync(join(folder, "plain"), "no folder");

const FUZZ = ["fuzz", "small.wasm", "--jobs", "1"];
const CASES: [args: string[], words: RegExp][] = [
  [["fuzz", "small.wasm", "--jobs", "0"], /wanted: a whole number from 1 to 256/],
  [["fuzz", "small.wasm", "--jobs", "9999"], /wanted: a whole number from 1 to 256/],
  [["fuzz", "small.wasm", "--jobs", "two"], /wanted: a whole number/],
  [["fuzz", "small.wasm", "--time", "soon"], /wanted: a time like 60s, 10m or 1h/],
  [["fuzz", "small.wasm", "--time", "-5s"], /wanted: a time like 60s/],
  [["fuzz", "small.wasm", "--time", "0"], /wanted: a time like 60s/],
  [["fuzz", "small.wasm", "--runs", "1.5"], /wanted: a whole number/],
  [["fuzz", "small.wasm", "--seed", "-1"], /wanted: a whole number from 0/],
  [["fuzz", "small.wasm", "--records", "100000"], /wanted: a whole number from 1 to 4096/],
  [["fuzz"], /fuzz what\? A module's file, or --core/],
  [["fuzz", "small.wasm", "--core"], /fuzz what\?/],
  [["fuzz", "empty"], /there is no file .*manifest.json/],
  [[...FUZZ, "--corpus", "plain"], /plain: is no folder/],
  [[...FUZZ, "--corpus", "loop"], /loop: the folder cannot be read: ELOOP/],
  [["corpus", "stats", "none"], /there is no folder none/],
  [["corpus", "stats", "plain"], /plain: is no folder/],
  [["corpus", "merge", "new", "none"], /there is no folder none/],
  [["corpus", "merge", "new", "empty"], /no inputs in new, empty/],
  [["corpus", "add", "new", "none.raw"], /there is no file none.raw/],
  [["corpus", "add", "new", "plain"], /no ring: 9 bytes are no whole records of 32/],
  [["coverage", "small.wasm", "--corpus", "plain"], /plain: is no folder/],
  [["rig", "small.wasm", "--corpus", "plain"], /plain: is no folder/],
];

for (const [args, words] of CASES) {
  test(`refused: ${args.join(" ")}`, () => {
    const { status, stderr } = glovebox(args);
    assert.is(status, 2, stderr);
    assert.match(stderr, words);
    assert.not.match(stderr, /\n {4}at /);
  });
}

/** Every file of a folder is a whole trace. */
function wholeFiles(path: string): string[] {
  const names = readdirSync(path).filter((one) => one !== "crashes");
  for (const name of names) decodeTrace(name, readFileSync(join(path, name)));
  return names;
}

test("inputs that cannot be read are named and left out, by every verb", () => {
  assert.is(glovebox([...FUZZ, "--corpus", "damaged", "--runs", "3000"]).status, 0);
  const [name = ""] = wholeFiles(join(folder, "damaged"));
  const path = join(folder, "damaged", name);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
  writeFileSync(path, bytes);
  mkdirSync(join(folder, "damaged/folder.gbt"));
  const words = new RegExp(`left out: damaged/${name}: damaged: its checksum`);
  for (const verb of [
    [...FUZZ, "--corpus", "damaged", "--runs", "100"],
    ["coverage", "small.wasm", "--corpus", "damaged"],
    ["corpus", "merge", "sound", "damaged", "--module", "small.wasm"],
  ]) {
    const { status, stderr } = glovebox(verb);
    assert.is(status, 0, stderr);
    assert.match(stderr, words);
    assert.match(stderr, /left out: damaged\/folder.gbt: EISDIR/);
  }
  assert.match(glovebox(["corpus", "stats", "damaged"]).stdout, /unreadable: .*its checksum/);
  assert.ok(readFileSync(path).equals(bytes), "nobody touched it");
  assert.ok(wholeFiles(join(folder, "sound")).length > 5);
});

/** A disk of 128 KiB in a mount namespace of its own, filled by a session; then it gets more room. */
const FULL = `
mount -t tmpfs -o size=128k small "$1" || exit 77
shift
run() { "$@"; echo "code $?"; }
run "$@" 2>&1
find "$DISK" -name '*.partial' | sed 's/^/left: /'
cp -r "$DISK/corpus" "$KEPT"
mount -o remount,size=8m "$DISK"
run "$@" 2>&1
`;

test("a full disk is said to be full, what is there is whole, and with room the same command goes on", () => {
  const disk = join(folder, "disk");
  const kept = join(folder, "kept");
  mkdirSync(disk);
  const command = [process.execPath, PROGRAM, ...FUZZ, "--runs", "4000", "--corpus", join(disk, "corpus")];
  const { stdout, status } = spawnSync("unshare", ["--mount", "--", "sh", "-c", FULL, "sh", disk, ...command], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, DISK: disk, KEPT: kept },
  });
  if (status === 77 || status === 1) {
    process.stdout.write("(not root: cannot mount a small disk; not tried)\n");
    return;
  }
  assert.match(stdout, /disk\/corpus\/\w+.gbt: the disk is full; what was written before is whole, run the same/);
  assert.match(stdout, /code 3\n.*code 0\n/s);
  assert.not.match(stdout, /left: /);
  assert.ok(wholeFiles(kept).length > 5);
});

test("Ctrl-C: exit code 130, every file whole, the same command goes on", async () => {
  const child = spawn(process.execPath, [PROGRAM, ...FUZZ, "--time", "5m", "--corpus", "stopped"], { cwd: folder });
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const isBusy = (): boolean => {
    const names = spawnSync("ls", ["stopped"], { cwd: folder, encoding: "utf8" }).stdout.split("\n");
    return names.filter((one) => one.endsWith(".gbt")).length > 10;
  };
  for (let i = 0; i < 600 && !isBusy(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  child.kill("SIGINT");
  assert.is(await ended, 130);
  assert.match(said, /interrupted; the same command goes on from this corpus/);
  const before = wholeFiles(join(folder, "stopped"));
  assert.ok(before.length > 5);
  const again = glovebox([...FUZZ, "--runs", "100", "--corpus", "stopped"]);
  assert.is(again.status, 0, again.stderr);
  for (const one of before) assert.ok(wholeFiles(join(folder, "stopped")).includes(one), "what was there stays");
});

test("a module that takes its time is a hang, with its input; one that takes memory ends its worker only", async () => {
  const loop = `(local $n i32) (local.set $n (i32.const 20000000))
    (loop $more (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $more (local.get $n)))`;
  const fuel = { attach: 10000, reset: 10000, barRead: 10000, barWrite: 200_000_000 };
  writeFileSync(join(folder, "slow.wasm"), await fileOf({ write: loop, manifest: { fuel } }));
  const slow = ["fuzz", "slow.wasm", "--jobs", "1", "--runs", "1000"];
  const hang = glovebox(slow, { GLOVEBOX_HANG_SECONDS: "0.2" });
  assert.is(hang.status, 1, hang.stderr);
  assert.match(hang.stdout, /no answer after \d+ s of the processor: its calls have too much fuel/);
  const [crash = ""] = readdirSync(join(folder, "fuzz-slow/crashes"));
  assert.ok(decodeTrace(crash, readFileSync(join(folder, "fuzz-slow/crashes", crash))).records.length > 0);
  const hungry = glovebox(FUZZ, { GLOVEBOX_WORKER_MIB: "80" });
  assert.is(hungry.status, 3, hungry.stdout);
  assert.match(hungry.stderr, /worker 0: the fuzzing process ended with .*; it may take 80 MiB/);
  const starved = glovebox(FUZZ, { GLOVEBOX_WORKER_MIB: "40", GLOVEBOX_START_SECONDS: "5" });
  assert.is(starved.status, 3, starved.stdout);
  assert.match(
    starved.stderr,
    /worker 0: the fuzzing process (said nothing within 5 s|ended with .*); it may take 40 MiB/,
  );
});

test.run();
