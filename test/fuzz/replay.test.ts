// SPDX-License-Identifier: MIT
//
// From a recording or a crash to what a person reads: a recording of a real Xen becomes an input of a corpus and gives
// the same answers; a crash is played step by step, with the registers' names; made smaller it ends in the same.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { replayCalls } from "../../host/fuzz/replay.js";
import { originOf } from "../../host/fuzz/session.js";
import { buildModule } from "../../host/pipeline/module.js";
import { inProject } from "../../host/pipeline/paths.js";
import {
  decodeTrace,
  encodeRecords,
  encodeTrace,
  KIND_CALL_READ,
  KIND_CALL_RESET,
  KIND_CALL_WRITE,
  KIND_MEMORY,
  record,
  type Trace,
  type TraceRecord,
} from "../../host/trace/index.js";
import { fileOf, REGISTERS } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "glovebox-replay-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const glovebox = (...args: string[]) =>
  spawnSync(process.execPath, [inProject("build/host/glovebox.mjs"), ...args], { cwd: folder, encoding: "utf8" });

const read = (addr: number, answer?: bigint): TraceRecord =>
  record({
    kind: KIND_CALL_READ,
    size: 4,
    addr: BigInt(addr),
    data: answer ?? 0n,
    count: answer === undefined ? 0 : 1,
  });
const write = (addr: number, data: bigint): TraceRecord =>
  record({ kind: KIND_CALL_WRITE, size: 4, addr: BigInt(addr), data });

function traceOf(file: Uint8Array, records: readonly TraceRecord[], params: bigint[] = []): Trace {
  const { name, version, wasmSha256 } = originOf("x", file);
  const about = { level: "module", seed: 0n, dropped: 0, story: "made by hand" } as const;
  return { ...about, name, version, wasmSha256, params, records: encodeRecords(records) };
}

test("answers are compared, a fault is told with its place, a reset that forgets something, too", async () => {
  const file = await buildModule(REGISTERS);
  const played = (records: TraceRecord[], params = [7n]) => replayCalls("x", file, traceOf(file, records, params));
  const good = await played([write(0x24, 5n), read(0x24, 5n), read(0x18, 7n), read(0x5000)]);
  assert.equal([good.difference, good.compared], [undefined, 2]);
  assert.match(good.steps[3]?.note ?? "", /no guest can reach/);
  const wrong = await played([read(0x18, 8n), read(0x18)]);
  assert.match(wrong.difference ?? "", /record 0: read .*0x18\)?, 4 bytes: answered 0x7 here, 0x8 there/);
  assert.is(wrong.steps.length, 1, "it stops there");
  const fault = await played([write(0x14, 6n)]);
  assert.match(fault.difference ?? "", /fault: arithmetic, fuel \d+, function \d+ at byte 0x[0-9a-f]+/);
  const refused = await played([], [1n << 40n]).catch((error: Error) => error.message);
  assert.match(String(refused), /register-file takes no parameters 1099511627776/);
  const forgets = await fileOf({
    write: "(i32.store (i32.const 0) (i32.wrap_i64 (local.get $value)))",
    read: "(i64.load32_u (i32.const 0))",
  });
  const reset = await replayCalls("x", forgets, traceOf(forgets, [read(0), write(0, 5n)], [0n]));
  assert.match(reset.difference ?? "", /^after reset the same calls are answered otherwise/);
});

test("guest memory is what the trace wrote, far up, too", async () => {
  const imports = `(import "glovebox" "guest_read" (func $guest_read (param i64 i32 i32) (result i32)))`;
  const get =
    "(drop (call $guest_read (i64.const 0x100000010) (i32.const 64) (i32.const 8))) (i64.load (i32.const 64))";
  const file = await fileOf({ imports, read: get, manifest: { capabilities: ["irq", "log", "memory"] } });
  const memory = record({ kind: KIND_MEMORY, size: 4, addr: 0x1_0000_0010n, data: 0x1234n });
  const replay = await replayCalls("x", file, traceOf(file, [memory, read(0, 0x1234n)], [0n]));
  assert.equal([replay.difference, replay.compared], [undefined, 1]);
});

const FIELD = inProject("test/corpus/field/bochs-drm-start.gbt");

test("a recording of a real Xen becomes an input: same answers, played by name, part of a corpus", () => {
  const recorded = JSON.parse(glovebox("replay", FIELD, "--json").stdout) as { compared: number; difference?: string };
  assert.ok(recorded.compared > 100 && recorded.difference === undefined, JSON.stringify(recorded).slice(0, 300));
  const added = glovebox("corpus", "add", "corpus", FIELD, "--json");
  assert.is(added.status, 0, added.stderr);
  const { path, module, calls, left } = JSON.parse(added.stdout) as Record<string, string>;
  assert.equal([module, left], ["bochs-display", 0]);
  assert.ok(Number(calls) > 50);
  const replay = glovebox("replay", path as string, "--json");
  assert.is(replay.status, 0, replay.stdout.slice(-400));
  const { steps, compared } = JSON.parse(replay.stdout) as { steps: { what: string }[]; compared: number };
  assert.ok(compared > 50, `${compared} answers compared`);
  assert.ok(steps.some((one) => /^(read|write 0x\w+ to) [a-z_]+(\+\d)? \(BAR \d 0x/i.test(one.what)));
  const until = glovebox("replay", path as string, "--until", "3").stdout;
  assert.match(until, /^ {4}0 .*\n {4}1 .*\n {4}2 .*\n3 steps/m);
  const fuzzed = glovebox("fuzz", inProject("unikernel/modules/bochs-display"), "--corpus", "corpus", "--runs", "500");
  assert.is(fuzzed.status, 0, fuzzed.stderr);
  assert.ok(readdirSync(join(folder, "corpus")).length > 1);
});

test("a recording of another module, of no guest, of several is refused", async () => {
  const other = glovebox("corpus", "add", "corpus", FIELD, "--module", inProject(REGISTERS));
  assert.is(other.status, 2);
  assert.match(other.stderr, /vGPU 0 has module bochs-display, not register-file/);
  const none = glovebox("corpus", "add", "corpus", FIELD, "--guest", "99");
  assert.is(none.status, 2);
  assert.match(none.stderr, /guest 99 vgpu 0 made no call of its module/);
  const two = decodeTrace("x", readFileSync(FIELD));
  const stranger = encodeRecords([record({ kind: 1, domid: 99, size: 4, count: 1 })]);
  writeFileSync(
    join(folder, "two.gbt"),
    encodeTrace({ ...two, records: Uint8Array.from([...two.records, ...stranger]) }),
  );
  assert.match(glovebox("corpus", "add", "corpus", "two.gbt").stderr, /two.gbt has 2 guests: which\? --guest DOMID/);
});

test("a crash: found, played, made smaller, played again", async () => {
  const manifest = { registers: [{ name: "doorbell", bar: 0, offset: 0x40, size: 4 }] };
  const fall = `(if (i32.and (i32.and (i32.eqz (local.get $bar)) (i32.eq (local.get $offset) (i32.const 0x40)))
      (i64.eq (local.get $value) (i64.const 0x4d5a)))
    (then (unreachable)))`;
  writeFileSync(join(folder, "small.wasm"), await fileOf({ write: fall, manifest }));
  const found = glovebox("fuzz", "small.wasm", "--runs", "20000", "--jobs", "1", "--corpus", "small");
  assert.is(found.status, 1, found.stderr);
  const crash = join("small/crashes", readdirSync(join(folder, "small/crashes"))[0] ?? "");
  const words = /write 0x\w*4d5a to doorbell \(BAR 0 0x40\), \d bytes {2}fault: unreachable, fuel \d+, function \d+ at/;
  const played = glovebox("replay", crash, "--module", "small.wasm");
  assert.is(played.status, 1);
  assert.match(played.stdout, words);
  assert.is(glovebox("minimize", crash, "--module", "small.wasm", "--out", "least.gbt").status, 0);
  const least = glovebox("replay", "least.gbt", "--module", "small.wasm");
  assert.is(least.status, 1);
  assert.match(least.stdout, /^1 steps, 0 answers compared; DIFFERENT/m);
  assert.match(least.stdout, words);
  assert.match(glovebox("replay", "least.gbt").stderr, /no module "small" in this tree: give its file with --module/);
});

test("a fault after a reset replays as that", async () => {
  const file = await fileOf({
    reset: "(i32.store (i32.const 0) (i32.const 1))",
    write: "(if (i32.load (i32.const 0)) (then (unreachable)))",
  });
  const records = [write(0, 1n), record({ kind: KIND_CALL_RESET }), write(0, 1n)];
  const replay = await replayCalls("x", file, traceOf(file, records, [0n]));
  assert.match(replay.difference ?? "", /^record 2: write 0x1 to .*: fault: unreachable/);
});

test.run();
