// SPDX-License-Identifier: MIT
//
// The mutator: what it makes is always valid and never longer than allowed; chance comes from the seed alone.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { Mutator } from "../../host/fuzz/mutate/mutator.js";
import { derivedSeed, Random } from "../../host/fuzz/random.js";
import { RECORD_WORDS, type Vocabulary } from "../../host/fuzz/target.js";
import {
  decodeRecords,
  isKnownKind,
  KIND_CALL_READ,
  KIND_CALL_WRITE,
  type TraceRecord,
} from "../../host/trace/index.js";

const VOCABULARY: Vocabulary = {
  registers: [
    { bar: 0, offset: 4, size: 4, values: [0xbeef] },
    { bar: 2, offset: 15, size: 0, values: [] },
  ],
  bars: [
    { index: 0, bytes: 4096 },
    { index: 2, bytes: 16 },
    { index: 3, bytes: 4 },
  ],
  constants: [0x1337, 77, -5],
  hasEvent: true,
  hasWorkDone: true,
  hasMemory: true,
  hasInterrupts: true,
};
const RECORDS = 20;

function records(words: Int32Array, count: number): TraceRecord[] {
  return decodeRecords(new Uint8Array(words.buffer, words.byteOffset, count * 32));
}

function isValid(one: TraceRecord): boolean {
  if (!isKnownKind(one.kind)) return false;
  if (one.kind !== KIND_CALL_READ && one.kind !== KIND_CALL_WRITE) return true;
  const bytes = VOCABULARY.bars.find((bar) => bar.index === one.flags)?.bytes ?? 0;
  return [1, 2, 4, 8].includes(one.size) && one.addr + BigInt(one.size) <= BigInt(bytes);
}

/** 20000 inputs, each made of one before; their hash and what was in them. */
function run(seed: number): { sum: number; kinds: Map<number, number>; values: Set<bigint> } {
  const random = new Random(seed);
  const mutator = new Mutator(random, VOCABULARY, RECORDS);
  const words = new Int32Array((RECORDS + 8) * RECORD_WORDS);
  let parent = { params: 0, words: words.slice(0, mutator.create(words) * RECORD_WORDS) };
  let other = parent;
  const kinds = new Map<number, number>();
  const values = new Set<bigint>();
  let sum = 0;
  for (let i = 0; i < 20000; i++) {
    const count = mutator.mutate(words, parent, Int32Array.from([123, 0x4242]), other);
    assert.ok(count >= 1 && count <= RECORDS, `${count} records`);
    for (const one of records(words, count)) {
      assert.ok(isValid(one), JSON.stringify({ ...one, addr: `${one.addr}`, data: "", timeNs: "" }));
      kinds.set(one.kind, (kinds.get(one.kind) ?? 0) + 1);
      values.add(one.data);
    }
    for (const word of words.subarray(0, count * RECORD_WORDS)) sum = (Math.imul(sum, 31) + word) | 0;
    if (i % 5 === 0) [other, parent] = [parent, { params: 0, words: words.slice(0, count * RECORD_WORDS) }];
  }
  return { sum, kinds, values };
}

test("everything made is valid, whatever it was made of, and nothing is left out", () => {
  const { kinds, values } = run(1);
  for (const kind of [0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xd0, 0xd3]) assert.ok((kinds.get(kind) ?? 0) > 50, `kind ${kind}`);
  for (const value of [0xbeefn, 0x1337n, 77n, 0x4242n]) assert.ok(values.has(value), `${value}`);
});

test("chance is the seed's", () => {
  assert.is(run(7).sum, run(7).sum);
  assert.is.not(run(7).sum, run(8).sum);
});

test("the stream is spread evenly, and workers' seeds are far apart", () => {
  const random = new Random(3);
  const counts = new Array<number>(16).fill(0);
  for (let i = 0; i < 16000; i++) counts[random.below(16)] = (counts[random.below(16)] ?? 0) + 1;
  assert.ok(Math.min(...counts) > 800 && Math.max(...counts) < 1200, counts.join());
  const seeds = new Set(Array.from({ length: 1000 }, (_, worker) => derivedSeed(1, worker)));
  assert.is(seeds.size, 1000);
  assert.is(derivedSeed(99, 0), 99);
});

test.run();
