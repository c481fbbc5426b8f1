// SPDX-License-Identifier: MIT
//
// A trace of one module's calls, played against the module behind the real core: attached to a guest, its entry points
// called with the manifest's fuel, guest memory as the trace wrote it. Capabilities are the core's own.

import { MANIFEST_FUEL } from "../../../unikernel/abi/manifest.js";
import type { Manifest } from "../../pipeline/manifest.js";
import {
  decodeRecords,
  isCall,
  KIND_CALL,
  KIND_CALL_ATTACH,
  KIND_CALL_READ,
  KIND_CALL_RESET,
  KIND_CALL_WORK_DONE,
  KIND_CALL_WRITE,
  KIND_MEMORY,
  KIND_TIME,
  kindName,
  record,
  type Trace,
  type TraceRecord,
} from "../../trace/index.js";
import { addMemory } from "../domain.js";
import { ModuleFault } from "../module.js";
import { bear, createMachine, type MachineOptions } from "../play/machine.js";
import { play, rest } from "../play/operation.js";
import { storeRead, storeWrite } from "../xenstore.js";
import { type Replay, ReplayError, type ReplayStep } from "./core.js";

const FAULTS = ["none", "fuel", "stack", "memory", "arithmetic", "unreachable", "table", "capability", "promise"];
const GUEST_PAGES = 256;

export function replayModule(
  options: MachineOptions,
  manifest: Manifest,
  trace: Trace,
  until = Number.POSITIVE_INFINITY,
): Replay {
  const machine = createMachine({ ...options, checkers: [] });
  const { domain } = bear(machine, 0);
  addMemory(domain, 0n, GUEST_PAGES);
  const params = manifest.params.map((one, i) => ` ${one.name}=${trace.params[i] ?? one.default}`).join("");
  const path = `data/glovebox/vgpu/${domain.domid}/0`;
  storeWrite(machine.world.store, path, `module=${manifest.name} guest=pvh${params}`);
  rest(machine);
  const state = storeRead(machine.world.store, `${path}/state`);
  if (state !== "ready")
    throw new ReplayError(`${manifest.name} is ${state}: ${storeRead(machine.world.store, `${path}/error`) ?? ""}`);
  const replay: Replay = { steps: [], compared: 0, unknown: 0, skipped: 0, difference: undefined };
  const [own] = machine.world.shim.instances.values();
  const bytes = machine.world.modules.find((_, i) => options.modules[i]?.name === manifest.name)
    ?.manifest as Uint8Array;
  const fuel = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [i, one] of decodeRecords(trace.records).entries()) {
    if (i >= until || replay.difference !== undefined) break;
    const here: ReplayStep = { record: i, timeNs: one.timeNs, what: describeCall(manifest, one) };
    replay.steps.push(here);
    if (one.kind === KIND_MEMORY || one.kind === KIND_TIME) play(machine, record({ ...one, domid: 0, vgpu: 0 }));
    if (!isCall(one.kind) || one.kind > KIND_CALL_WORK_DONE || own === undefined) continue;
    if (one.kind === KIND_CALL_ATTACH) continue; // attached already
    const entry = one.kind - KIND_CALL;
    try {
      const { value } = own.code.call(entry, fuel.getUint32(MANIFEST_FUEL + 4 * entry, true), argumentsOf(one));
      answered(replay, here, one, value);
    } catch (error) {
      if (!(error instanceof ModuleFault)) throw error;
      here.note = `fault: ${FAULTS[error.fault] ?? error.fault}, fuel ${error.fuel}`;
      replay.difference = `record ${i}: ${here.what}: ${here.note}`;
    }
  }
  return replay;
}

function argumentsOf(one: TraceRecord): [bigint, bigint, bigint, bigint] {
  if (one.kind === KIND_CALL_READ || one.kind === KIND_CALL_WRITE) {
    return [BigInt(one.flags), one.addr & 0xffff_ffffn, BigInt(one.size), one.data];
  }
  return one.kind === KIND_CALL_RESET ? [0n, 0n, 0n, 0n] : [one.addr, one.data, 0n, 0n];
}

/** A read whose answer the trace has. */
function answered(replay: Replay, here: ReplayStep, one: TraceRecord, value: bigint): void {
  if (one.kind !== KIND_CALL_READ) return;
  const answer = BigInt.asUintN(8 * Math.min(one.size, 8), value);
  here.answer = answer;
  if (one.count !== 1) return;
  here.recorded = BigInt.asUintN(8 * Math.min(one.size, 8), one.data);
  replay.compared++;
  if (answer === here.recorded) return;
  const both = `answered 0x${answer.toString(16)} here, 0x${here.recorded.toString(16)} there`;
  replay.difference = `record ${here.record}: ${here.what}: ${both}`;
}

/** The manifest may give registers names: "registers": [{ bar, offset, size, name }]. */
function registerName(manifest: Manifest, bar: number, offset: bigint): string {
  const rows = (manifest as { registers?: { bar: number; offset: number; name: string }[] }).registers ?? [];
  const row = rows.find((one) => one.bar === bar && BigInt(one.offset) === offset);
  return row === undefined
    ? `BAR ${bar} 0x${offset.toString(16)}`
    : `${row.name} (BAR ${bar} 0x${offset.toString(16)})`;
}

export function describeCall(manifest: Manifest, one: TraceRecord): string {
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  if (one.kind === KIND_CALL_READ) return `read ${registerName(manifest, one.flags, one.addr)}, ${one.size} bytes`;
  if (one.kind === KIND_CALL_WRITE) {
    return `write ${hex(one.data)} to ${registerName(manifest, one.flags, one.addr)}, ${one.size} bytes`;
  }
  return `${kindName(one.kind)} ${hex(one.addr)} ${hex(one.data)}`;
}
