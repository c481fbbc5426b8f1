// SPDX-License-Identifier: MIT
//
// What chance alone does not put together: the puppet's arguments and the command behind them, an MSI set up and
// masked, a copy from where no memory is, a handle that is another's. Every record of a recipe is one like others, so
// what mutation does to records makes the wrong orders and values out of it.

import {
  FLAG_DATA_IS_PTR,
  FLAG_READ,
  KIND_CONFIG,
  KIND_MMIO,
  KIND_PIO,
  record,
  type TraceRecord,
} from "../../trace/record.js";
import { FLAG_PAST, FLAG_SECRET, GUESTS } from "../play/kinds.js";
import { below, pick, type Random } from "../random.js";

/** Where openings put a guest's BAR 0 (generate.ts): two guests, two addresses. */
export const baseOf = (domid: number): bigint => 0xf0000000n + BigInt(domid & 1) * 0x1000n;
const PUPPET_PORTS = 0xc000n;
const [ARGUMENTS, ANSWER, DATA] = [0x08n, 0x40n, 0x48n];
const MSI = 0x40;
const FORMATS = [0x34325258n, 0x34324752n, 0x36314752n, 0n];
const RAM = [0x100000n, 0x101000n, 0x8000n, 0n];
/** Where no guest has memory. */
const NO_RAM = [0x40000000n, 0x10fffcn, 0xfffcn];

/** One guest's device; all records are this guest's. */
interface Place {
  random: Random;
  domid: number;
  base: bigint;
}

const write = ({ domid, base }: Place, offset: bigint, data: bigint, size = 8, flags = 0): TraceRecord =>
  record({ kind: KIND_MMIO, domid, size, count: 1, flags, addr: base + offset, data });

const read = ({ domid, base }: Place, offset: bigint, size = 8, flags = 0): TraceRecord =>
  record({ kind: KIND_MMIO, domid, size, count: 1, flags: flags | FLAG_READ, addr: base + offset });

const config = ({ domid }: Place, register: number, size: number, data: number): TraceRecord =>
  record({ kind: KIND_CONFIG, domid, size, count: 1, addr: (8n << 32n) | BigInt(register), data: BigInt(data) });

function command(place: Place, number: number, ...values: bigint[]): TraceRecord[] {
  const all = values.map((value, i) => write(place, ARGUMENTS + 8n * BigInt(i), value));
  return [...all, write(place, 0n, BigInt(number), 4)];
}

/** As the core makes them (unikernel/core/vgpu/buffer.ts): generation, vGPU, place. */
const handle = (generation: number, vgpu: number, at: number): bigint => BigInt((((generation << 6) | vgpu) << 6) | at);

const enablesMsi = (place: Place): TraceRecord[] => [
  config(place, MSI + 0x04, 4, 0xfee00000),
  config(place, MSI + 0x0c, 2, 0x4041),
  config(place, MSI + 0x02, 2, 1 | (below(place.random, 3) << 4)),
];

const RECIPES: readonly ((place: Place) => TraceRecord[])[] = [
  function raises(place) {
    const raise = command(place, 1, BigInt(below(place.random, 4)));
    const all = [...raise, ...Array.from({ length: below(place.random, 12) }, () => raise.at(-1) as TraceRecord)];
    return below(place.random, 2) === 0 ? all : [...enablesMsi(place), ...all];
  },
  function showsAndFaults(place) {
    const { random } = place;
    const [width, height] = [1 + below(random, 64), 1 + below(random, 64)];
    const numbers = [below(random, 5), 2, 0, width, height, 4 * width].map(BigInt);
    const shown = command(place, 2, ...numbers, pick(random, FORMATS));
    return below(random, 2) === 0 ? shown : [...shown, ...command(place, 5, 0n)];
  },
  function isMaskedThenNot(place) {
    const { random } = place;
    const vector = below(random, 4);
    return [
      ...enablesMsi(place),
      config(place, MSI + 0x10, 4, pick(random, [0xf, 1 << vector])),
      ...command(place, 1, BigInt(vector)),
      config(place, MSI + 0x10, 4, pick(random, [0, 0, 1])),
    ];
  },
  function makesBuffer(place) {
    const { random } = place;
    const made = command(place, 7, pick(random, RAM), pick(random, [8n, 0x1000n, 0x4000n, 0x5000n]));
    return [...made, ...Array.from({ length: below(random, 5) }, () => made.at(-1) as TraceRecord)];
  },
  function usesBuffer(place) {
    const { random } = place;
    const whose = below(random, 2) === 0 ? handle(1, below(random, 2), 0) : handle(2, below(random, 3), 1);
    const used = command(place, pick(random, [8, 8, 9, 10]), whose, pick(random, [0n, 0n, 8n, 0xfffn]));
    return [...used, read(place, DATA)];
  },
  function usesAnothers(place) {
    const { random } = place;
    const domid = below(random, 2) === 0 ? place.domid ^ 1 : below(random, GUESTS);
    const other = { random, domid, base: baseOf(domid) };
    const made = command(place, 7, pick(random, RAM), 0x1000n);
    return [...made, ...command(other, 8, handle(1, below(random, 2), 0), 0n), read(other, DATA)];
  },
  function usesMemory(place) {
    const { random } = place;
    return [...command(place, pick(random, [11, 12]), pick(random, [...RAM, ...NO_RAM])), read(place, DATA)];
  },
  function copiesFromNowhere(place) {
    const { random } = place;
    const at = pick(random, NO_RAM);
    return [{ ...write(place, DATA, at, pick(random, [4, 8]), FLAG_DATA_IS_PTR), count: 1 + below(random, 8) }];
  },
  function readsWhatStoodThere(place) {
    const { random } = place;
    return [read(place, pick(random, [0n, ANSWER, DATA]), pick(random, [1, 2, 4, 8]), FLAG_SECRET)];
  },
  function asksPastXen(place) {
    const { random, domid } = place;
    const far = BigInt(1 + below(random, 3)) << pick(random, [16n, 32n, 48n]);
    const flags = FLAG_PAST | (below(random, 2) === 0 ? FLAG_READ : 0);
    const kind = pick(random, [KIND_PIO, KIND_MMIO, KIND_CONFIG]);
    const near = kind === KIND_PIO ? PUPPET_PORTS : kind === KIND_MMIO ? place.base : 8n << 32n;
    return [record({ kind, domid, flags, size: pick(random, [1, 2, 4]), count: 1, addr: near + far, data: 1n })];
  },
  function asksForWork(place) {
    return Array.from({ length: 1 + below(place.random, 5) }, (_, i) => command(place, 13, BigInt(i))).flat();
  },
];

export function recipe(random: Random, domid: number): TraceRecord[] {
  return pick(random, RECIPES)({ random, domid, base: baseOf(domid) });
}
