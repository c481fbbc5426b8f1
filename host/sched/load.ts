// SPDX-License-Identifier: MIT
//
// Loads: what the guests of a simulation ask of the engine, and when. From a file (load.schema.json,
// docs/SCHEDULING.md) or synthetic: every guest floods.

import Ajv from "ajv";
import schema from "./load.schema.json";
import { exponential, type Random } from "./random.js";
import type { Parameters, PolicyName } from "./scheduler.js";

/** Microseconds: always so many, evenly between two, or exponential with a mean. */
export type Distribution = number | { min: number; max: number } | { mean: number };

export type Arrivals =
  /** Always `queue` workloads under way (2). */
  | { kind: "flood"; queue?: number }
  | { kind: "periodic"; everyUs: number; offsetUs?: number }
  | { kind: "poisson"; meanUs: number }
  /** The next one so long after the last was done. */
  | { kind: "closed"; thinkUs: Distribution };

export interface GuestLoad extends Parameters {
  name: string;
  /** So many alike, named name-0, name-1, ... */
  count?: number;
  arrivals: Arrivals;
  /** Engine time of a workload (1000). */
  costUs?: Distribution;
  /** A workload is late when it is not done so long after its arrival. */
  deadlineUs?: number;
  fromMs?: number;
  untilMs?: number;
  /** The workload that runs then, or the next one, does not stop any more. */
  hangsAtMs?: number;
}

export interface Change extends Parameters {
  atMs: number;
  policy?: PolicyName;
  guest?: string;
  /** Percent of the engine at most, as the domain does it to a guest over a threshold; 0: no more. */
  throttle?: number;
}

export interface Load {
  format: 1;
  engine?: { preemptUs?: number; resetUs?: number };
  guests: GuestLoad[];
  changes?: Change[];
}

/** A load that cannot be used: says what is wrong and where. */
export class BadLoad extends Error {}

export const GUESTS_MAX = 10_000;

/** From a file's text; `name` is for messages. */
export function parseLoad(name: string, text: string): Load {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadLoad(`${name}: not JSON: ${(error as Error).message}`);
  }
  const ajv = new Ajv({ allErrors: false });
  if (!ajv.validate(schema, value)) {
    const [first] = ajv.errors ?? [];
    throw new BadLoad(`${name}: ${first?.instancePath || "the whole"}: ${first?.message}`);
  }
  return expand(name, value as Load);
}

/** Each guest by itself, and names that changes can mean. */
export function expand(name: string, load: Load): Load {
  const guests = load.guests.flatMap((guest) => copies(guest));
  if (guests.length > GUESTS_MAX) throw new BadLoad(`${name}: ${guests.length} guests, limit ${GUESTS_MAX}`);
  const names = new Set<string>();
  for (const guest of guests) {
    if (names.has(guest.name)) throw new BadLoad(`${name}: two guests are named ${guest.name}`);
    names.add(guest.name);
  }
  for (const { guest, atMs } of load.changes ?? []) {
    if (guest !== undefined && !names.has(guest)) throw new BadLoad(`${name}: change at ${atMs} ms: no guest ${guest}`);
  }
  return { ...load, guests };
}

function copies(guest: GuestLoad): GuestLoad[] {
  const { count, ...one } = guest;
  if (count === undefined) return [one];
  return Array.from({ length: count }, (_, i) => ({ ...one, name: `${guest.name}-${i}` }));
}

/** `guests` guests that all flood, with these weights in turn. */
export function syntheticLoad(guests: number, weights: readonly number[] = [1]): Load {
  if (!Number.isSafeInteger(guests) || guests < 1 || guests > GUESTS_MAX) {
    throw new BadLoad(`--guests ${guests}: must be 1 to ${GUESTS_MAX}`);
  }
  return {
    format: 1,
    guests: Array.from({ length: guests }, (_, i) => ({
      name: `guest-${i}`,
      weight: weights[i % weights.length] as number,
      arrivals: { kind: "flood" },
      costUs: { min: 200, max: 5000 },
    })),
  };
}

/** Nanoseconds, at least 1. */
export function draw(random: Random, distribution: Distribution): number {
  return Math.max(1, Math.round(1000 * drawUs(random, distribution)));
}

function drawUs(random: Random, distribution: Distribution): number {
  if (typeof distribution === "number") return distribution;
  if ("mean" in distribution) return exponential(random, distribution.mean);
  return distribution.min + random() * (distribution.max - distribution.min);
}
