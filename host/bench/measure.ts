// SPDX-License-Identifier: MIT
//
// What gb-measure printed in a guest: one JSON line a run, times in nanoseconds of the guest's clock.

import { readOutput, type ScenarioResult } from "../lab/scenario.js";

export interface Timing {
  min: number;
  median: number;
  mean: number;
}

export const KINDS = ["mmio_read", "mmio_write", "port_in", "port_out"] as const;
export type Kind = (typeof KINDS)[number];

export interface Measurement {
  label: string;
  count: number;
  clock: Timing;
  timings: Partial<Record<Kind, Timing>>;
}

/** The lines of outputs/NAME.jsonl by their label. */
export function readMeasurements(result: ScenarioResult, name: string): Map<string, Measurement> {
  const lines = readOutput(result, `${name}.jsonl`).trim().split("\n");
  return new Map(lines.map((line) => [parse(line, name).label, parse(line, name)]));
}

function parse(line: string, name: string): Measurement {
  const raw = JSON.parse(line) as Record<string, unknown>;
  const timings: Partial<Record<Kind, Timing>> = {};
  for (const kind of KINDS) if (raw[kind] !== undefined) timings[kind] = timing(raw[kind], `${name}: ${kind}`);
  return { label: String(raw.label), count: Number(raw.count), clock: timing(raw.clock, `${name}: clock`), timings };
}

function timing(value: unknown, what: string): Timing {
  const { min, median, mean } = (value ?? {}) as Partial<Timing>;
  if (![min, median, mean].every((figure) => typeof figure === "number" && Number.isFinite(figure))) {
    throw new Error(`gb-measure in guest ${what}: wanted min, median and mean, got ${JSON.stringify(value)}`);
  }
  return { min, median, mean } as Timing;
}
