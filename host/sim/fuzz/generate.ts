// SPDX-License-Identifier: MIT
//
// Inputs for core and modules together, made up and changed: guests that find their devices, program BARs and
// interrupts, draw, pause, die; a Dom0 that attaches and asks; calls that fail and panics on order. Each input has
// swarm weights of its own (Groce and others, ISSTA 2012): what is rare in one is all there is in another.

import {
  FLAG_DATA_IS_PTR,
  FLAG_DF,
  FLAG_READ,
  KIND_CONFIG,
  KIND_MEMORY,
  KIND_MMIO,
  KIND_PIO,
  KIND_TEXT,
  KIND_TIME,
  record,
  type TraceRecord,
} from "../../trace/record.js";
import { FALLIBLE } from "../faults.js";
import * as K from "../play/kinds.js";
import { below, next, pick, type Random } from "../random.js";
import { baseOf, recipe } from "./recipe.js";

export const OPERATIONS_MAX = 64;
const RECIPE_ONE_IN = 4;

/** Addresses that guests program and use: BARs of the memory and of the port space, RAM, and their edges. */
const MEMORY = [0xf0000000n, 0xf0001000n, 0xf0000100n, 0xe0000000n, 0x100000000n, 0x100000n, 0xfee00000n, 0n];
const PORTS = [0xc000n, 0xc010n, 0xcf8n, 0xcfcn, 0xfff0n, 0n];
const EDGES = [
  0n,
  1n,
  2n,
  4n,
  7n,
  8n,
  0x10n,
  0x40n,
  0x48n,
  0xffn,
  0x100n,
  0x500n,
  0x504n,
  0x506n,
  0x508n,
  0xffcn,
  0xfffn,
];
const VALUES = [
  0n,
  1n,
  2n,
  3n,
  4n,
  5n,
  6n,
  7n,
  0x10n,
  0x40n,
  0x41n,
  0xffn,
  0xffffn,
  0xffffffffn,
  0x80000000n,
  0xfee00000n,
  0xfee01000n,
  0x4041n,
  0x34325258n,
  640n,
  480n,
  0x7fffffffn,
  0x100000000n,
  0xffffffffffffffffn,
  0x1000n,
  0x4000n,
];
/** Registers of configuration space that matter: command, BARs, ROM, MSI, MSI-X. */
const CONFIG = [
  0x00, 0x04, 0x06, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30, 0x34, 0x3c, 0x40, 0x42, 0x44, 0x48, 0x4c, 0x50, 0x60,
  0x62, 0x70, 0xfc,
];
const SIZES = [1, 2, 4, 4, 4, 8];
const WORDS = [
  "module=puppet guest=pvh ram_bytes=4096",
  "module=puppet guest=hvm slot=31",
  "module=nobody guest=pvh",
  "module=puppet guest=pvh slot=0",
  "module=puppet guest=pvh ram_bytes=99999999999999999999",
  "module=puppet  guest=pvh",
  "guest=pvh",
  "stat 1 2 3 4",
  "read -1",
  "x".repeat(130),
];

const chance = (random: Random, one: number): boolean => below(random, one) === 0;

export type Weights = number[];

/** How often each operation comes; half of the strange ones not at all. */
export function swarm(random: Random): Weights {
  const calm = new Set([KIND_PIO, KIND_MMIO, KIND_CONFIG, K.KIND_ATTACH]);
  return K.OPERATIONS.map(([kind]) => {
    const weight = kind === KIND_MMIO || kind === KIND_CONFIG ? 12 : kind === K.KIND_ATTACH ? 4 : 2;
    return !calm.has(kind) && chance(random, 2) ? 0 : weight * (1 + below(random, 4));
  });
}

function chooseKind(random: Random, weights: Weights): number {
  let at = below(
    random,
    weights.reduce((sum, one) => sum + one, 0),
  );
  for (const [i, weight] of weights.entries()) {
    at -= weight;
    if (at < 0) return (K.OPERATIONS[i] as readonly [number, string])[0];
  }
  return KIND_MMIO;
}

function value(random: Random): bigint {
  return chance(random, 4) ? next(random) : pick(random, VALUES);
}

function place(random: Random, bases: readonly bigint[]): bigint {
  const at = pick(random, bases) + pick(random, EDGES);
  return chance(random, 30) ? BigInt.asUintN(64, at - 8n + (next(random) << 40n)) : at;
}

/** One record of that kind, for any guest. */
export function makeOne(random: Random, kind: number): TraceRecord[] {
  const domid = chance(random, 3) ? below(random, K.GUESTS) : 0;
  const later = chance(random, 6) ? K.FLAG_LATER : 0;
  const common = { kind, domid, vgpu: chance(random, 4) ? below(random, 9) : 0 };
  switch (kind) {
    case KIND_MMIO:
    case KIND_PIO:
    case KIND_CONFIG:
      return [ioreq(random, kind, domid, later)];
    case KIND_MEMORY:
      return [
        record({
          ...common,
          flags: pick(random, [0, K.FLAG_SECRET]),
          size: 8,
          count: below(random, 64),
          addr: place(random, [0n, 0x100000n, 0x8000n]),
          data: value(random),
        }),
      ];
    case KIND_TIME:
      return [record({ ...common, addr: pick(random, [1n, 1_000_000n, 150_000_000n, 250_000_000n, 2_000_000_000n]) })];
    case KIND_TEXT:
      return text(random);
    case K.KIND_ATTACH:
      return [attach(random, domid, common.vgpu, later)];
    case K.KIND_REQUEST:
      return [
        record({
          ...common,
          flags: later | below(random, K.REQUESTS.length + 1),
          size: below(random, 3),
          count: below(random, 4),
          addr: value(random),
          data: pick(random, [0n, 0n, 5n, 0x7ff0n]),
        }),
      ];
    case K.KIND_FAIL:
    case K.KIND_PANIC:
    case K.KIND_VANISH:
      return [
        record({
          ...common,
          flags: below(random, FALLIBLE.length),
          size: below(random, 8) === 0 ? 1 : 0,
          count: chance(random, 3) ? below(random, 40) : below(random, 4),
          addr: place(random, [0x100000n, 0xe0000000n]),
        }),
      ];
    case K.KIND_BIRTH:
      return [
        record({
          ...common,
          flags: chance(random, 8) ? 7 : below(random, 4),
          addr: pick(random, [0n, 1n, 16n, 16384n - 1n, 4096n]),
        }),
      ];
    case K.KIND_BALLOON:
      return [
        record({
          ...common,
          flags: below(random, 2),
          count: below(random, 8),
          addr: place(random, [0x100000n, 0xe0000000n, 0x100000000n]),
        }),
      ];
    case K.KIND_NODE:
      return [
        record({
          ...common,
          flags: later | below(random, 2),
          size: below(random, K.NODES.length),
          count: below(random, 4),
        }),
      ];
    default:
      return [
        record({
          ...common,
          flags: later | below(random, 2),
          size: below(random, 8),
          count: below(random, 64),
          addr: value(random),
          data: value(random),
        }),
      ];
  }
}

function ioreq(random: Random, kind: number, domid: number, later: number): TraceRecord {
  const size = chance(random, 40) ? below(random, 256) : pick(random, SIZES);
  const forms = chance(random, 5) ? pick(random, [FLAG_DF, FLAG_DATA_IS_PTR, FLAG_DF | FLAG_DATA_IS_PTR]) : 0;
  const flags = later | forms | (chance(random, 2) ? FLAG_READ : chance(random, 4) ? K.FLAG_SECRET : 0);
  const count = forms === 0 && !chance(random, 20) ? 1 : pick(random, [0, 1, 2, 4, 64, 4096]);
  const one = { kind, domid, vgpu: chance(random, 4) ? below(random, K.VCPUS_MAX) : 0, flags, size, count };
  const data = forms & FLAG_DATA_IS_PTR ? place(random, [0x100000n, 0x8000n, 0xffc0n]) : value(random);
  if (kind === KIND_MMIO) return record({ ...one, addr: place(random, MEMORY), data });
  if (kind === KIND_PIO) return record({ ...one, addr: place(random, PORTS), data });
  const slot = BigInt(chance(random, 4) ? below(random, 32) : 1 + below(random, 2));
  const addr = (slot << 35n) | BigInt(pick(random, CONFIG) + (chance(random, 10) ? below(random, 4) : 0));
  return record({ ...one, size: Math.min(size, 8), addr, data: chance(random, 2) ? pick(random, MEMORY) : data });
}

function attach(random: Random, domid: number, vgpu: number, later: number): TraceRecord {
  const how = chance(random, 12)
    ? K.ATTACH_TEXT
    : (chance(random, 5) ? K.ATTACH_HVM : 0) | (chance(random, 3) ? K.ATTACH_SLOT : 0);
  const param = chance(random, 3) ? K.ATTACH_PARAM : 0;
  const addr = pick(random, [0x1000n, 0x2000n, 0x4000n, 0x10000n, 0x1001n]);
  return record({
    kind: K.KIND_ATTACH,
    domid,
    vgpu,
    flags: later | how | param,
    size: below(random, 8),
    count: below(random, 4),
    addr,
  });
}

function text(random: Random): TraceRecord[] {
  const words = Buffer.from(pick(random, WORDS), "latin1");
  const count = below(random, 4);
  return Array.from({ length: Math.ceil(words.length / 16) }, (_, i) => {
    const piece = Buffer.alloc(16);
    const size = words.copy(piece, 0, i * 16, i * 16 + 16);
    return record({ kind: KIND_TEXT, count, size, addr: piece.readBigUInt64LE(0), data: piece.readBigUInt64LE(8) });
  });
}

const bar = (domid: number, slot: number, register: number, size: number, data: bigint): TraceRecord =>
  record({ kind: KIND_CONFIG, domid, size, count: 1, addr: (BigInt(slot << 3) << 32n) | BigInt(register), data });

/** A guest with a device that works: what most of the interesting things need first. */
export function opening(random: Random, domid: number): TraceRecord[] {
  const module = below(random, 3);
  const base = baseOf(domid);
  return [
    record({ kind: K.KIND_BIRTH, domid, flags: below(random, 4), addr: 16383n }),
    record({ kind: K.KIND_ATTACH, domid, size: module, flags: chance(random, 5) ? K.ATTACH_HVM : 0 }),
    bar(domid, 1, 0x10, 4, module === 1 ? 0xe0000000n : base),
    bar(domid, 1, 0x14, 4, 0xc000n),
    bar(domid, 1, 0x18, 4, module === 1 ? base : 0xe0000000n),
    bar(domid, 1, 0x20, 4, base + 0x10000n),
    bar(domid, 1, 0x04, 2, 7n),
  ];
}

export function generate(random: Random): TraceRecord[] {
  const weights = swarm(random);
  const records = chance(random, 6) ? [] : opening(random, 0);
  if (chance(random, 2)) records.push(...opening(random, chance(random, 2) ? 1 : 1 + below(random, K.GUESTS - 1)));
  const length = 1 + below(random, OPERATIONS_MAX);
  while (records.length < length) records.push(...more(random, weights));
  return records;
}

/** One record, or what belongs together, of a guest that most likely has a device. */
function more(random: Random, weights: Weights): TraceRecord[] {
  if (chance(random, RECIPE_ONE_IN)) return recipe(random, chance(random, 2) ? below(random, K.GUESTS) : 0);
  return makeOne(random, chooseKind(random, weights));
}

/** A neighbour of an input: records changed, put in, taken out, doubled, swapped, or a tail of another. */
export function mutate(random: Random, records: readonly TraceRecord[], other: readonly TraceRecord[]): TraceRecord[] {
  const result = records.map((one) => ({ ...one }));
  const weights = swarm(random);
  for (let turn = 0; turn <= below(random, 4); turn++) change(random, result, other, weights);
  return result.slice(0, 4 * OPERATIONS_MAX);
}

function change(random: Random, list: TraceRecord[], other: readonly TraceRecord[], weights: Weights): void {
  const at = below(random, list.length + 1);
  const one = list[at];
  switch (below(random, 7)) {
    case 0:
    case 1:
      return void list.splice(at, 0, ...more(random, weights));
    case 2:
      return void list.splice(at, 1 + below(random, 4));
    case 3:
      return void list.splice(at, 0, ...other.slice(below(random, other.length + 1)).map((each) => ({ ...each })));
    case 4:
      return void (one !== undefined && list.splice(below(random, list.length), 0, { ...one }));
    default:
      if (one !== undefined) tweak(random, one);
  }
}

function tweak(random: Random, one: TraceRecord): void {
  switch (below(random, 7)) {
    case 0:
      one.addr = BigInt.asUintN(64, one.addr + pick(random, EDGES) - pick(random, EDGES));
      break;
    case 1:
      one.data = value(random);
      break;
    case 2:
      one.size = pick(random, SIZES);
      break;
    case 3:
      one.flags ^= 1 << below(random, 8);
      break;
    case 4:
      one.domid = below(random, K.GUESTS);
      break;
    case 5:
      one.count = pick(random, [0, 1, 2, 3, 64, 4096, 65535]);
      break;
    default:
      one.vgpu = below(random, 9);
  }
}
