// SPDX-License-Identifier: MIT
//
// A recording of a driver domain, played against core and modules in the simulator: each request again, at its time,
// each answer compared; in the end what the core noted down (BARs, interrupts, scanouts) against the recording.
//
// Inputs that a recording lacks are told, never guessed: guest memory that a device read, vGPUs without specification.

import {
  decodeRecords,
  FLAG_DATA_IS_PTR,
  FLAG_READ,
  KIND_NOTED,
  KIND_TEXT,
  kindName,
  type Trace,
  type TraceRecord,
} from "../../trace/index.js";
import { ask, invalidate } from "../guest.js";
import { bear, createMachine, type Guest, guarded, type Machine, type MachineOptions } from "../play/machine.js";
import { play, requestOf, rest } from "../play/operation.js";
import { settle } from "../world.js";
import { storeRead, storeRemove, storeWrite } from "../xenstore.js";
import { Registers } from "./registers.js";

const KIND_INVALIDATE = 0x08;
const KIND_TIMEOFFSET = 0x07;
const NOTED_ATTACH = 0x80;
const NOTED_DETACH = 0x81;
const NOTED_RESET = 0x87;
const NO_VGPU = 0xff;
/** Room for whatever its vGPUs are: the toolstack raised it there. */
const ALLOWANCE_PAGES = 1 << 18;

export interface ReplayStep {
  record: number;
  timeNs: bigint;
  what: string;
  /** What it answered here, where there is an answer to compare. */
  answer?: bigint;
  recorded?: bigint;
  note?: string;
}

export interface Replay {
  steps: ReplayStep[];
  /** Answers and notes that were compared. */
  compared: number;
  /** Requests with an input that the recording does not have. */
  unknown: number;
  /** Records before the first attach of a recording that had lost its beginning. */
  skipped: number;
  difference: string | undefined;
}

interface State {
  machine: Machine;
  replay: Replay;
  texts: Map<number, string>;
  /** What the core noted down there, in order; compared with what it notes here. */
  noted: TraceRecord[];
  registers: Registers;
}

export class ReplayError extends Error {}

/** Plays records [0, until). Stops at the first difference. */
export function replayCore(options: MachineOptions, trace: Trace, until = Number.POSITIVE_INFINITY): Replay {
  const machine = createMachine(options);
  const replay: Replay = { steps: [], compared: 0, unknown: 0, skipped: 0, difference: undefined };
  const state: State = { machine, replay, texts: new Map(), noted: [], registers: new Registers(options.modules) };
  const records = decodeRecords(trace.records);
  const first = firstRecord(trace, records);
  for (const [i, one] of records.entries()) {
    if (i >= until || replay.difference !== undefined) break;
    if (one.kind === KIND_TEXT) text(state, one);
    else if (i < first) replay.skipped++;
    else step(state, i, one);
  }
  if (replay.difference === undefined) compareNotes(state);
  return replay;
}

/** The whole recording, or the first attach of one that lost its beginning. */
function firstRecord(trace: Trace, records: readonly TraceRecord[]): number {
  const attach = records.findIndex((one) => one.kind === NOTED_ATTACH);
  if (attach >= 0) return trace.dropped > 0 ? attach : 0;
  if (trace.dropped === 0) return 0;
  throw new ReplayError(
    `${trace.dropped} older records were overwritten, and what is left has no attach to begin from`,
  );
}

function text(state: State, one: TraceRecord): void {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(one.addr);
  bytes.writeBigUInt64LE(one.data, 8);
  const more = bytes.subarray(0, Math.min(one.size, 16)).toString("latin1");
  state.texts.set(one.count, (state.texts.get(one.count) ?? "") + more);
}

function guestOf(machine: Machine, domid: number): Guest {
  return machine.guests.get(domid) ?? bear(machine, domid, { domid, allowancePages: ALLOWANCE_PAGES });
}

function step(state: State, i: number, one: TraceRecord): void {
  const { machine, replay } = state;
  const guest = guestOf(machine, one.domid);
  if (one.timeNs > machine.world.timeNs) machine.world.timeNs = one.timeNs;
  if (one.kind >= 0xd0) {
    play(machine, one); // what an input of the simulator may say besides
    return;
  }
  if (one.kind >= KIND_NOTED) {
    state.noted.push(one);
    state.registers.note(one, state.texts.get(one.vgpu));
    replay.steps.push({ record: i, timeNs: one.timeNs, what: describe(one) });
    note(state, guest, one);
    return;
  }
  request(state, guest, i, one);
}

/** What Dom0 did: the core noted it down. Everything else that it noted is its own doing and only compared. */
function note(state: State, guest: Guest, one: TraceRecord): void {
  const { store } = state.machine.world;
  const path = `data/glovebox/vgpu/${guest.domain.domid}/${one.vgpu}`;
  if (one.kind === NOTED_ATTACH) {
    const specification = state.texts.get(one.vgpu);
    if (specification === undefined) {
      throw new ReplayError(`vGPU ${one.vgpu} has no specification here: record with gbctl trace -o FILE`);
    }
    storeWrite(store, path, specification);
  } else if (one.kind === NOTED_DETACH) storeRemove(store, path);
  else if (one.kind === NOTED_RESET) {
    const words = `${++state.machine.requests} reset ${guest.domain.domid} ${one.vgpu}`;
    storeWrite(store, "data/glovebox/request", words);
  } else return;
  rest(state.machine);
  const told = storeRead(store, `${path}/state`);
  if (one.kind === NOTED_ATTACH && told !== "ready") {
    state.replay.difference = `attached there, ${told ?? "nothing"} here: ${storeRead(store, `${path}/error`) ?? ""}`;
  }
}

function request(state: State, guest: Guest, i: number, one: TraceRecord): void {
  const { machine, replay } = state;
  const here: ReplayStep = { record: i, timeNs: one.timeNs, what: `${describe(one)}${state.registers.named(one)}` };
  replay.steps.push(here);
  if (one.kind === KIND_INVALIDATE || one.kind === KIND_TIMEOFFSET) {
    guarded(machine, () => invalidate(machine.world, guest.domain));
    return;
  }
  const isRead = (one.flags & FLAG_READ) !== 0;
  if (one.flags & FLAG_DATA_IS_PTR && !isRead) {
    replay.unknown++;
    here.note = "its data lay in guest memory, which no recording has";
  }
  const asked = {
    ...requestOf({ ...one, vgpu: 0 }, 0),
    ...(isRead && !(one.flags & FLAG_DATA_IS_PTR) ? { data: 0n } : {}),
  };
  let answer = 0n;
  guarded(machine, () => {
    answer = ask(machine.world, guest.domain, 0, asked);
    settle(machine.world);
  });
  if (!isRead || one.flags & FLAG_DATA_IS_PTR) return;
  here.answer = answer;
  here.recorded = one.data;
  replay.compared++;
  if (answer !== one.data) {
    const both = `answered 0x${answer.toString(16)} here, 0x${one.data.toString(16)} there`;
    replay.difference = `record ${i}: ${here.what}: ${both}`;
  }
}

export function describe(one: TraceRecord): string {
  const who = one.vgpu === NO_VGPU ? `guest ${one.domid}` : `guest ${one.domid} vgpu ${one.vgpu}`;
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  if (one.kind >= KIND_NOTED) return `${who} ${kindName(one.kind)} ${hex(one.addr)} ${hex(one.data)}`;
  const way = one.flags & FLAG_READ ? "read" : `write ${hex(one.data)} to`;
  const items = one.count === 1 ? "" : ` ${one.count} x`;
  return `${who} ${kindName(one.kind)} ${way} ${hex(one.addr)}${items} ${one.size} bytes`;
}

// --- what the core noted: there by the ring's records, here by the ring of the simulated domain ---

const keyOf = (one: TraceRecord): string => {
  const namesModule = one.kind === NOTED_ATTACH || one.kind === NOTED_DETACH || one.kind === NOTED_RESET;
  const addr = namesModule ? 0n : one.addr; // an index that is the image's own
  return describe({ ...one, addr });
};

function compareNotes(state: State): void {
  const { machine, replay } = state;
  if (replay.unknown > 0) return;
  const here = notedHere(machine).map(keyOf);
  const there = state.noted.map(keyOf).slice(-here.length);
  const from = here.length - there.length;
  for (const [i, key] of there.entries()) {
    replay.compared++;
    if (here[from + i] === key) continue;
    replay.difference = `it noted "${here[from + i] ?? "nothing"}" here, "${key}" there`;
    return;
  }
}

/** `trace` of the simulated domain, through the share as gbctl reads it. */
function notedHere(machine: Machine): TraceRecord[] {
  const { store } = machine.world;
  storeWrite(store, "data/glovebox/request", `${++machine.requests} trace 0 0`);
  rest(machine);
  const reply = storeRead(store, "data/glovebox/reply") ?? "";
  const count = Number(/ records=(\d+)/.exec(reply)?.[1] ?? 0);
  const bytes = machine.world.shim.share.slice(0, count * 32);
  return decodeRecords(bytes).filter((one) => one.kind >= KIND_NOTED);
}
