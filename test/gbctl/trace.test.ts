// SPDX-License-Identifier: MIT
//
// gbctl trace: what the driver domain kept, as JSON and as a file that the host reads.

import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeRecords, decodeTrace } from "../../host/trace/index.js";
import { fails, RELEASE, RUNNING, run } from "./support.js";

const test = suite("gbctl trace");

test("trace, empty and wrong", async () => {
  const empty = `${RUNNING}on request trace 0 0 :: reply ok records=0 dropped=0\n${RELEASE}`;
  assert.is((await run(["trace", "demo", "--json"], { scenario: empty })).stdout, '{"dropped":0,"records":[]}\n');
  const wrong = `${RUNNING}on request trace 0 0 :: reply ok records=5 gref=8 pages=300 bytes=160\n`;
  await fails(["trace", "demo"], { scenario: wrong }, 1, /pages= must be 1 to 256/);
});

test("trace -o: a file that the host reads, and one that cannot be written", async () => {
  const path = join(tmpdir(), `gbctl-trace-${process.pid}.gbt`);
  const empty = `${RUNNING}on request trace 0 0 :: reply ok records=0 dropped=7\n${RELEASE}`;
  const done = await run(["trace", "demo", "-o", path], { scenario: empty });
  assert.is(done.code, 0, done.stderr);
  const trace = decodeTrace(path, new Uint8Array(readFileSync(path)));
  rmSync(path);
  assert.equal([trace.level, trace.dropped], ["core", 7]);
  const specification = decodeRecords(trace.records).map(textOf).join("");
  assert.match(specification, /^module=bochs-display guest=pvh/);
  await fails(
    ["trace", "demo", "--output", "/nowhere/x.gbt"],
    { scenario: empty },
    1,
    /cannot write \/nowhere\/x.gbt: No such/,
  );
});

function textOf(one: { addr: bigint; data: bigint; size: number }): string {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(one.addr);
  bytes.writeBigUInt64LE(one.data, 8);
  return bytes.subarray(0, one.size).toString();
}
test.run();
