// SPDX-License-Identifier: MIT
//
// From a ring's raw records to what one module saw of them.

import { test } from "uvu";
import * as assert from "uvu/assert";
import * as T from "../../host/trace/index.js";
import { manifestOf } from "../pipeline/host.js";

const WHO = { domid: 5, vgpu: 0 };
const manifest = manifestOf("test/modules/register-file"); // BAR 0: 4 KiB of memory, BAR 1: 16 ports
const at = (fields: Partial<T.TraceRecord> & { kind: number }): T.TraceRecord =>
  T.record({ ...WHO, count: 1, ...fields });
const MAP = at({ kind: T.KIND_BAR_MAP, addr: 0xf000_0000n, data: 0n });
const MAP_IO = at({ kind: T.KIND_BAR_MAP, addr: 0xc000n, data: 1n });
const write = (addr: bigint, fields: Partial<T.TraceRecord> = {}): T.TraceRecord =>
  at({ kind: T.KIND_MMIO, addr, size: 4, data: 7n, ...fields });
const calls = (...records: T.TraceRecord[]): T.ModuleView => T.callsOf(records, manifest, WHO);

test("an access to a mapped BAR is a call with its offset", () => {
  const { records, left } = calls(
    MAP,
    MAP_IO,
    write(0xf000_0010n),
    at({ kind: T.KIND_PIO, addr: 0xc004n, size: 2, flags: T.FLAG_READ, data: 0x1234n, timeNs: 9n }),
  );
  assert.is(left, 0);
  assert.equal(records, [
    T.record({ kind: T.KIND_CALL_WRITE, flags: 0, size: 4, addr: 0x10n, data: 7n }),
    T.record({ kind: T.KIND_CALL_READ, timeNs: 9n, flags: 1, size: 2, count: 1, addr: 4n, data: 0x1234n }),
  ]);
});

test("repeats step in memory, both ways, and stand still on ports", () => {
  const offsets = (...records: T.TraceRecord[]): bigint[] => calls(MAP, MAP_IO, ...records).records.map((r) => r.addr);
  assert.equal(offsets(write(0xf000_0010n, { count: 3 })), [0x10n, 0x14n, 0x18n]);
  assert.equal(offsets(write(0xf000_0010n, { count: 3, flags: T.FLAG_DF })), [0x10n, 0xcn, 8n]);
  assert.equal(offsets(at({ kind: T.KIND_PIO, addr: 0xc000n, size: 1, count: 2 })), [0n, 0n]);
});

test("what cannot be rebuilt is counted: data in guest memory, no such BAR, over the end, unmapped", () => {
  const { records, left } = calls(
    write(0xf000_0010n), // not mapped yet
    MAP,
    write(0xf000_0010n, { flags: T.FLAG_DATA_IS_PTR }),
    write(0xf000_0ffen), // leaves the BAR
    write(0xf000_0ffcn, { count: 2 }), // the second item does
    at({ kind: T.KIND_BAR_UNMAP, data: 0n }),
    write(0xf000_0010n),
  );
  assert.is(records.length, 1);
  assert.is(left, 5);
});

test("a read into guest memory is a read whose answer nobody knows", () => {
  const [one] = calls(MAP, write(0xf000_0000n, { flags: T.FLAG_READ | T.FLAG_DATA_IS_PTR, data: 0x1000n })).records;
  assert.is(one?.kind, T.KIND_CALL_READ);
  assert.is(one?.count, 0);
  assert.is(one?.data, 0n);
});

test("others' records do not count; a reset does", () => {
  const { records, left } = calls(
    MAP,
    write(0xf000_0000n, { domid: 6 }),
    write(0xf000_0000n, { vgpu: 1 }),
    at({ kind: T.KIND_RESET_NOTED }),
  );
  assert.is(left, 0);
  assert.equal(records, [T.record({ kind: T.KIND_CALL_RESET })]);
});

test("a raw ring becomes a file that can be read again", () => {
  const raw = T.encodeRecords([MAP, write(0xf000_0010n)]);
  const trace = T.traceOfRing("ring", raw, 12);
  assert.is(T.decodeTrace("x", T.encodeTrace(trace)).dropped, 12);
  const module = { manifest, wasmSha256: "11".repeat(32), params: [0n] };
  const made = T.moduleTrace("ring", trace, module, WHO);
  assert.is(made.left, 0);
  assert.is(T.decodeTrace("x", T.encodeTrace(made.trace)).name, "register-file");
  assert.throws(() => T.moduleTrace("ring", trace, module, { domid: 9, vgpu: 0 }), /guest 9 vgpu 0 made no call/);
});

test("a BAR whose mapping was overwritten can be named by hand", () => {
  const { records } = T.callsOf([write(0xe000_0008n)], manifest, WHO, new Map([[0, 0xe000_0000n]]));
  assert.equal(
    records.map((one) => one.addr),
    [8n],
  );
});

test("what is no ring is refused", () => {
  assert.throws(() => T.traceOfRing("r", new Uint8Array(33)), /33 bytes are no whole records/);
  assert.throws(() => T.traceOfRing("r", new Uint8Array(32).fill(0xaa)), /record 0 is of a kind/);
  assert.is(T.traceOfRing("r", new Uint8Array(0)).records.length, 0);
});

test.run();
