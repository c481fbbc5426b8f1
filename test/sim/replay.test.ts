// SPDX-License-Identifier: MIT
//
// Recordings of a (simulated) driver domain replay with the same answers; a changed answer, a changed note, a missing
// specification and a lost beginning are told. The recording of Linux's bochs driver on a real Xen is in the tree and
// must replay for ever.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inProject } from "../../host/pipeline/paths.js";
import { play, rest } from "../../host/sim/play/operation.js";
import { replayCore } from "../../host/sim/replay/core.js";
import { treeMachine } from "../../host/sim/tree.js";
import { storeWrite } from "../../host/sim/xenstore.js";
import {
  decodeRecords,
  decodeTrace,
  encodeRecords,
  KIND_TEXT,
  record,
  type Trace,
  type TraceRecord,
} from "../../host/trace/index.js";
import { found, options, read, twoGuests, write } from "./machine.js";

const SPECIFICATION = "module=puppet guest=pvh ram_bytes=16384";

function texts(): TraceRecord[] {
  const bytes = Buffer.from(SPECIFICATION);
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, i) => {
    const piece = Buffer.alloc(16);
    const size = bytes.copy(piece, 0, 16 * i, 16 * i + 16);
    return record({ kind: KIND_TEXT, size, addr: piece.readBigUInt64LE(0), data: piece.readBigUInt64LE(8) });
  });
}

/** What `gbctl trace -o` would write about guest 0. */
function recording(): Trace {
  const machine = twoGuests();
  const domid = machine.first.domain.domid;
  for (const one of [...found(0), write(0x50, 0x1234n), read(0x50), write(8, 0n), write(0, 1n), read(0x40)])
    play(machine, one);
  storeWrite(machine.world.store, "data/glovebox/request", "900 trace 0 0");
  rest(machine);
  const bytes = machine.world.shim.share.slice(0, 64 * 32);
  const ring = decodeRecords(bytes).filter((one) => one.domid === domid && one.timeNs > 0n);
  const last = ring.findLastIndex((one) => one.kind === 0x80); // the second attach: by the text above
  const records = encodeRecords([...texts(), ...ring.slice(last)]);
  return {
    level: "core",
    name: "core",
    version: "0.1.0",
    wasmSha256: "",
    params: [],
    seed: 0n,
    dropped: 0,
    story: "",
    records,
  };
}

const changed = (trace: Trace, change: (records: TraceRecord[]) => void): Trace => {
  const records = decodeRecords(trace.records);
  change(records);
  return { ...trace, records: encodeRecords(records) };
};

test("a recording replays with the same answers and notes", () => {
  const replay = replayCore(options(), recording());
  assert.is(replay.difference, undefined);
  assert.ok(replay.compared >= 4, `${replay.compared}`);
  assert.ok(replay.steps.some((one) => one.what.includes("bar-map")));
});

test("another answer, another note: the first difference is told", () => {
  const answer = changed(recording(), (records) => {
    for (const one of records) if (one.kind === 1 && one.flags & 1) one.data ^= 1n;
  });
  assert.match(
    replayCore(options(), answer).difference ?? "",
    /record \d+: guest 10 vgpu 0 mmio read .*: answered 0x1234 here, 0x1235 there/,
  );
  const note = changed(recording(), (records) => {
    for (const one of records) if (one.kind === 0x83) one.addr += 0x1000n;
  });
  assert.match(replayCore(options(), note).difference ?? "", /it noted "guest 10 vgpu 0 bar-map .*" here/);
  assert.is(replayCore(options(), answer, 3).difference, undefined, "--until stops before it");
});

test("what a recording lacks is told", () => {
  const bare = {
    ...recording(),
    records: encodeRecords(decodeRecords(recording().records).filter((one) => one.kind !== KIND_TEXT)),
  };
  assert.throws(() => replayCore(options(), bare), /vGPU 0 has no specification here: record with gbctl trace -o/);
  const late = changed({ ...recording(), dropped: 9 }, (records) => {
    records.splice(
      texts().length,
      0,
      record({ kind: 1, domid: 10, flags: 1, size: 4, count: 1, addr: 0xf0000000n, data: 99n }),
    );
  });
  const replay = replayCore(options(), late);
  assert.equal([replay.skipped, replay.difference], [1, undefined]);
  const none = changed(late, (records) =>
    records.splice(0, records.length, ...records.filter((one) => one.kind < 0x80)),
  );
  assert.throws(() => replayCore(options(), none), /9 older records were overwritten, and what is left has no attach/);
  const buffer = changed(recording(), (records) => {
    records.push(
      record({
        ...(records.at(-1) as TraceRecord),
        kind: 1,
        flags: 4,
        addr: 0xf0000050n,
        data: 0x1000n,
        size: 4,
        count: 1,
      }),
    );
  });
  assert.is(replayCore(options(), buffer).unknown, 1);
});

const FIELD = inProject("test/corpus/field");

for (const name of existsSync(FIELD) ? readdirSync(FIELD).filter((one) => one.endsWith(".gbt")) : []) {
  test(`recorded on a real Xen: ${name}`, async () => {
    const trace = decodeTrace(name, new Uint8Array(readFileSync(join(FIELD, name))));
    const replay = replayCore(await treeMachine(), trace);
    assert.is(replay.difference, undefined);
    assert.ok(replay.compared > 100, `${replay.compared} answers compared`);
    const named = replay.steps.filter((one) => /bytes \([a-z_]+\)$/i.test(one.what));
    assert.ok(named.length > 10, "its registers by name");
  });
}

test.run();
