// SPDX-License-Identifier: MIT
//
// The trace file: what goes in comes out, and no damaged, cut, foreign or future file is believed.

import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  checkModule,
  decodeTrace,
  encodeTrace,
  STORY_BYTES,
  TRACE_HEADER_BYTES,
  TRACE_RECORDS_MAX,
  type Trace,
  traceHash,
} from "../../host/trace/file.js";
import {
  decodeRecords,
  encodeRecords,
  isKnownKind,
  KIND_CALL_READ,
  KIND_CALL_WRITE,
  kindName,
  record,
} from "../../host/trace/record.js";

const RECORDS = [
  record({ kind: KIND_CALL_WRITE, flags: 2, size: 4, addr: 0x504n, data: 0xffff_ffff_ffff_fffen }),
  record({
    timeNs: 0xffff_ffff_ffff_ffffn,
    domid: 0xfffe,
    vgpu: 0xff,
    kind: KIND_CALL_READ,
    flags: 5,
    size: 8,
    count: 0xffff,
    addr: 1n << 63n,
    data: 7n,
  }),
];

function sample(): Trace {
  return {
    level: "module",
    name: "bochs-display",
    version: "1.2.3",
    wasmSha256: "ab".repeat(32),
    params: [1n, 0xffff_ffff_ffff_ffffn],
    seed: 42n,
    dropped: 3,
    story: "a story",
    records: encodeRecords(RECORDS),
  };
}

/** The file with its checksum made right again, after `change`. */
function forged(change: (view: DataView) => void): Uint8Array {
  const bytes = encodeTrace(sample());
  const view = new DataView(bytes.buffer);
  change(view);
  view.setUint32(12, 0, true);
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  view.setUint32(12, ~crc >>> 0, true);
  return bytes;
}

const refused = (bytes: Uint8Array, words: RegExp): void => {
  assert.throws(() => decodeTrace("x.gbt", bytes), words);
};

test("what goes in comes out", () => {
  const bytes = encodeTrace(sample());
  assert.is(bytes.length, TRACE_HEADER_BYTES + 64);
  assert.equal(decodeTrace("x", bytes), sample());
  assert.equal(decodeRecords(decodeTrace("x", bytes).records), RECORDS);
});

test("twelve parameters, and no more; the story's room is what they leave", () => {
  const params = Array.from({ length: 12 }, (_, i) => BigInt(i) << 60n);
  const long = decodeTrace("x", encodeTrace({ ...sample(), params, story: "s".repeat(200) }));
  assert.equal(long.params, params);
  assert.is(long.story, "s".repeat(STORY_BYTES - 4 * 8));
});

test("an empty trace, and one of level core without a hash", () => {
  const trace: Trace = { ...sample(), level: "core", records: new Uint8Array(), wasmSha256: "", params: [] };
  assert.equal(decodeTrace("x", encodeTrace(trace)), trace);
});

test("long and strange text is cut and made printable", () => {
  const trace = decodeTrace(
    "x",
    encodeTrace({ ...sample(), story: `\x1b[2J${"y".repeat(200)}`, name: "z".repeat(40) }),
  );
  assert.is(trace.story, `?[2J${"y".repeat(STORY_BYTES - 4)}`);
  assert.is(trace.name, "z".repeat(32));
});

test("each single changed bit is noticed", () => {
  const bytes = encodeTrace(sample());
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => decodeTrace("x", bytes), /^x: /, `bit ${bit}`);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  }
});

test("each length that is too short or too long is refused", () => {
  const bytes = encodeTrace(sample());
  for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length), /no trace file|cut off/);
  refused(Uint8Array.from([...bytes, 0]), /1 bytes behind the last of its 2 records/);
});

test("fields that the checksum confirms are still checked", () => {
  refused(
    forged((view) => view.setUint16(8, 2, true)),
    /version 2; this program reads version 1/,
  );
  refused(
    forged((view) => view.setUint8(10, 9)),
    /level 9/,
  );
  refused(
    forged((view) => view.setUint8(11, 13)),
    /13 parameters; the limit is 12/,
  );
  refused(
    forged((view) => view.setUint8(127, 1)),
    /reserved/,
  );
  refused(
    forged((view) => view.setUint32(24, TRACE_RECORDS_MAX + 1, true)),
    /65537 records; the limit is 65536/,
  );
  refused(
    forged((view) => view.setUint8(TRACE_HEADER_BYTES + 32 + 11, 0x33)),
    /record 1 is of kind 0x33/,
  );
  assert.is(
    decodeTrace(
      "x",
      forged((view) => view.setUint32(28, 77, true)),
    ).dropped,
    77,
  );
});

test("a trace of another module is refused by name and by hash", () => {
  const module = { name: "bochs-display", wasmSha256: "ab".repeat(32), params: 2 };
  checkModule("x", sample(), module);
  assert.throws(() => checkModule("x", sample(), { ...module, name: "other" }), /of module bochs-display, not other/);
  const newer = { ...module, wasmSha256: "cd".repeat(32) };
  assert.throws(() => checkModule("x", sample(), newer), /another bochs-display.wasm .* --force/);
  checkModule("x", sample(), newer, true);
  assert.throws(() => checkModule("x", { ...sample(), level: "core" }, module), /ioreqs/);
  assert.throws(() => checkModule("x", sample(), { ...module, params: 3 }, true), /2 parameters, bochs-display has 3/);
});

test("the name follows parameters and records, nothing else", () => {
  const name = traceHash(sample());
  assert.match(name, /^[0-9a-f]{32}$/);
  assert.is(traceHash({ ...sample(), seed: 1n, story: "", name: "" } as Trace), name);
  assert.is.not(traceHash({ ...sample(), params: [1n, 2n] }), name);
  assert.is.not(traceHash({ ...sample(), records: encodeRecords(RECORDS.slice(1)) }), name);
});

test("kinds have names", () => {
  assert.is(kindName(KIND_CALL_WRITE), "call-write");
  assert.is(kindName(0x33), "kind-0x33");
  assert.not(isKnownKind(0x33));
  assert.ok(isKnownKind(0xe5));
});

test.run();
