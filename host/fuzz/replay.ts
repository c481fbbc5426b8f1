// SPDX-License-Identifier: MIT
//
// A trace of one module's calls, played step by step on the fuzzer's own engine: an input of a corpus, a crash, what a
// module saw in a recording. Each answer is told, and compared where the trace has one; a fault, or an answer that is
// another after a reset, is the difference.

import type { Manifest } from "../pipeline/manifest.js";
import { type Replay, ReplayError, type ReplayStep } from "../sim/replay/core.js";
import {
  decodeRecords,
  KIND_CALL_ATTACH,
  KIND_CALL_READ,
  KIND_CALL_WRITE,
  kindName,
  type Trace,
  type TraceRecord,
} from "../trace/index.js";
import { prepareFuzz } from "./module/prepare.js";
import { ModuleTarget } from "./module/target.js";
import { RECORD_WORDS } from "./target.js";

/** Plays records [0, until). Stops at the first difference. */
export async function replayCalls(
  subject: string,
  file: Uint8Array,
  trace: Trace,
  until = Number.POSITIVE_INFINITY,
): Promise<Replay> {
  const module = await prepareFuzz(subject, file);
  const target = new ModuleTarget(module, [trace.params]);
  const set = standing(target, trace);
  const { words, records } = inputOf(trace);
  target.input.set(words);
  target.instance.start();
  const replay: Replay = { steps: [], compared: 0, unknown: 0, skipped: 0, difference: undefined };
  for (const [i, one] of records.entries()) {
    if (i >= until || replay.difference !== undefined) break;
    step(target, replay, i, one);
  }
  if (replay.difference === undefined && until >= records.length) {
    const finding = target.secondLook(set, records.length);
    if (finding !== undefined) replay.difference = finding.story;
  }
  return replay;
}

/** The trace's parameters, with which a device must stand. */
function standing(target: ModuleTarget, trace: Trace): number {
  const { manifest } = target.module;
  const values = trace.params.length > 0 ? trace.params : manifest.params.map((one) => BigInt(one.default));
  const set = target.setOf(values);
  if (target.params(set).join() !== values.join())
    throw new ReplayError(`${manifest.name} takes no parameters ${values.join(", ")}`);
  const { attached, fault } = target.instance.select(set);
  if (fault !== undefined) throw new ReplayError(`${manifest.name}: fault "${fault.fault}" in attach`);
  if (attached !== 0) throw new ReplayError(`${manifest.name}: attach answers ${attached}, no device stands`);
  return set;
}

function inputOf(trace: Trace): { words: Int32Array; records: TraceRecord[] } {
  const bytes = trace.records.slice();
  const words = new Int32Array(bytes.buffer, 0, bytes.length / 4);
  return { words, records: decodeRecords(bytes).slice(0, words.length / RECORD_WORDS) };
}

function step(target: ModuleTarget, replay: Replay, i: number, one: TraceRecord): void {
  const here: ReplayStep = { record: i, timeNs: one.timeNs, what: describeCall(target.module.manifest, one) };
  replay.steps.push(here);
  const outcome = target.instance.step(i);
  if (outcome === undefined) {
    const { fault, fuel, place } = target.instance.fault();
    const where = place === undefined ? "" : `, function ${place.function} at byte 0x${place.offset.toString(16)}`;
    here.note = `fault: ${fault}, fuel ${fuel}${where}`;
    replay.difference = `record ${i}: ${here.what}: ${here.note}`;
  } else if (outcome.calls === 0 && (one.kind === KIND_CALL_READ || one.kind === KIND_CALL_WRITE)) {
    here.note = "passed over: no guest can reach that";
  } else if (one.kind === KIND_CALL_READ) answered(replay, here, one, outcome.answer);
}

/** Compared when the trace has the answer. */
function answered(replay: Replay, here: ReplayStep, one: TraceRecord, answer: bigint): void {
  here.answer = answer;
  if (one.count !== 1) return;
  here.recorded = BigInt.asUintN(8 * Math.min(one.size, 8), one.data);
  replay.compared++;
  if (answer === here.recorded) return;
  const both = `answered 0x${answer.toString(16)} here, 0x${here.recorded.toString(16)} there`;
  replay.difference = `record ${here.record}: ${here.what}: ${both}`;
}

/** By the manifest's names of registers, where it has them. */
export function registerName(manifest: Manifest, bar: number, offset: bigint): string {
  const place = `BAR ${bar} 0x${offset.toString(16)}`;
  const known = manifest.registers?.find(
    (one) => one.bar === bar && BigInt(one.offset) <= offset && offset < BigInt(one.offset + one.size),
  );
  if (known === undefined) return place;
  const within = offset - BigInt(known.offset);
  return `${known.name}${within === 0n ? "" : `+${within}`} (${place})`;
}

export function describeCall(manifest: Manifest, one: TraceRecord): string {
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  const { kind, size, addr, data } = one;
  if (kind === KIND_CALL_READ) return `read ${registerName(manifest, one.flags, addr)}, ${size} bytes`;
  if (kind === KIND_CALL_WRITE)
    return `write ${hex(data)} to ${registerName(manifest, one.flags, addr)}, ${size} bytes`;
  if (kind === KIND_CALL_ATTACH) return "attach, which has been already";
  return `${kindName(kind)} ${hex(addr)} ${hex(data)}`;
}
