// SPDX-License-Identifier: MIT
//
// One record of an input, played: an access of a guest, a wish of Dom0's, a stroke of fate. Numbers out of range are
// taken modulo what there is, so that every record means something.

import {
  decodeRecords,
  FLAG_DATA_IS_PTR,
  FLAG_DF,
  FLAG_READ,
  KIND_CONFIG,
  KIND_MEMORY,
  KIND_TEXT,
  KIND_TIME,
  type TraceRecord,
} from "../../trace/record.js";
import { balloonIn, balloonOut, writeMemory } from "../domain.js";
import { actNth, FALLIBLE, failNth } from "../faults.js";
import { ask, type Ioreq, invalidate, post, postPast } from "../guest.js";
import { takeAnswers } from "../ioreq.js";
import { LEFTOVER_U64 } from "../leftover.js";
import { CorePanic } from "../shim.js";
import { advanceTime, killDomain, settle, step } from "../world.js";
import { storeRemove, storeWrite } from "../xenstore.js";
import * as K from "./kinds.js";
import { bear, type Guest, guarded, guestOf, inspect, type Machine, PLANNED } from "./machine.js";
import { withSecret } from "./secret.js";

/** Calls that give something back fail for us alone, and then it stays: that is Xen's bug, not ours. */
const GIVES_BACK = new Set(["ioreq_server_destroy", "ioreq_range_unmap", "guest_depopulate"]);
const FAILING = FALLIBLE.filter(([name]) => !GIVES_BACK.has(name));

const PAGE_SHIFT = 12n;
const NTH_MAX = 64;
const BALLOON_PAGES_MAX = 64;
const STEPS_MAX = 64;
const TEXT_BYTES_MAX = 4000;
const TIME_MAX = 1n << 40n;
const REPEAT_MAX = 4096;

/** What came of it, for a log; a read's answer is its value. */
export interface Outcome {
  value?: bigint;
}

type Run = (machine: Machine, guest: Guest, one: TraceRecord) => Outcome;

/** Dom0's doing: the driver domain answers, unless the record says later. */
const dom0 =
  (run: (machine: Machine, guest: Guest, one: TraceRecord) => void): Run =>
  (machine, guest, one) => {
    run(machine, guest, one);
    if (!(one.flags & K.FLAG_LATER)) rest(machine);
    return {};
  };

const RUNS = new Map<number, Run>([
  [KIND_MEMORY, memory],
  [KIND_TIME, time],
  [KIND_TEXT, text],
  [K.KIND_ATTACH, dom0(attach)],
  [K.KIND_DETACH, dom0((machine, guest, one) => void storeRemove(machine.world.store, vgpuPath(guest, one)))],
  [K.KIND_REQUEST, dom0(request)],
  [K.KIND_FAIL, fail],
  [K.KIND_PANIC, panic],
  [K.KIND_DIE, dom0((machine, guest) => killDomain(machine.world, guest.domain.domid))],
  [K.KIND_BIRTH, birth],
  [K.KIND_BALLOON, balloon],
  [K.KIND_PAUSE, pause],
  [K.KIND_STEP, steps],
  [K.KIND_NODE, dom0(node)],
  [K.KIND_SHARE, share],
  [K.KIND_VANISH, vanish],
]);

/** Plays one record, and lets the checkers look. Throws Breach. */
export function play(machine: Machine, one: TraceRecord): Outcome {
  if (machine.ended) return {};
  machine.played.push(one);
  const guest = guestOf(machine, one.domid % K.GUESTS);
  const run = one.kind <= 0x08 ? ioreq : RUNS.get(one.kind);
  const outcome = run?.(machine, guest, one) ?? {};
  inspect(machine, false);
  return outcome;
}

export function playAll(
  machine: Machine,
  records: Uint8Array,
  each?: (one: TraceRecord, outcome: Outcome) => void,
): void {
  for (const one of decodeRecords(records)) {
    const outcome = play(machine, one);
    each?.(one, outcome);
  }
}

/** The driver domain does what there is to do. */
export function rest(machine: Machine): void {
  guarded(machine, () => settle(machine.world));
}

export function requestOf(one: TraceRecord, secret: number): Ioreq {
  const read = (one.flags & FLAG_READ) !== 0;
  return {
    type: one.kind,
    addr: one.addr,
    size: one.size,
    count: one.count,
    data: dataOf(one, secret),
    read,
    df: (one.flags & FLAG_DF) !== 0,
    dataIsPtr: (one.flags & FLAG_DATA_IS_PTR) !== 0,
  };
}

function dataOf({ flags, data, size }: TraceRecord, secret: number): bigint {
  if (!(flags & K.FLAG_SECRET)) return data;
  return flags & FLAG_READ && !(flags & FLAG_DATA_IS_PTR) ? LEFTOVER_U64 : withSecret(data, size, secret);
}

function ioreq(machine: Machine, guest: Guest, one: TraceRecord): Outcome {
  const { domain } = guest;
  const request = requestOf(one, guest.secret);
  const vcpu = one.vgpu % domain.vcpus;
  if (one.kind === KIND_CONFIG) request.addr &= 0xffff_0000_0fffn;
  let value = 0n;
  const send = one.flags & K.FLAG_PAST ? postPast : post;
  guarded(machine, () => {
    if (one.kind >= 0x07) invalidate(machine.world, domain, one.kind);
    else if (one.flags & K.FLAG_LATER || domain.paused) send(machine.world, domain, vcpu, request);
    else if (domain.vcpuStates[vcpu]?.waits === undefined) value = ask(machine.world, domain, vcpu, request, send);
  });
  return { value };
}

function memory(_machine: Machine, guest: Guest, one: TraceRecord): Outcome {
  const size = Math.min(Math.max(one.size, 1), 8);
  const word = Buffer.alloc(8);
  const data = one.flags & K.FLAG_SECRET ? withSecret(one.data, size, guest.secret) : one.data;
  word.writeBigUInt64LE(BigInt.asUintN(64, data));
  const repeat = Math.min(Math.max(one.count, 1), REPEAT_MAX);
  const bytes = new Uint8Array(size * repeat);
  for (let i = 0; i < repeat; i++) bytes.set(word.subarray(0, size), i * size);
  writeMemory(guest.domain, one.addr, bytes);
  return {};
}

function time(machine: Machine, _guest: Guest, one: TraceRecord): Outcome {
  guarded(machine, () => advanceTime(machine.world, one.addr % TIME_MAX));
  rest(machine);
  return {};
}

function text(machine: Machine, _guest: Guest, one: TraceRecord): Outcome {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(one.addr);
  bytes.writeBigUInt64LE(one.data, 8);
  const known = machine.texts.get(one.count) ?? "";
  const more = bytes.subarray(0, Math.min(one.size, 16)).toString("latin1");
  if (known.length < TEXT_BYTES_MAX) machine.texts.set(one.count, known + more);
  return {};
}

function vgpuPath(guest: Guest, one: TraceRecord): string {
  return `data/glovebox/vgpu/${guest.domain.domid}/${one.vgpu}`;
}

function attach(machine: Machine, guest: Guest, one: TraceRecord): void {
  storeWrite(machine.world.store, vgpuPath(guest, one), specificationOf(machine, one));
}

export function specificationOf(machine: Machine, one: TraceRecord): string {
  if (one.flags & K.ATTACH_TEXT) return machine.texts.get(one.count) ?? "";
  const module = machine.options.modules[one.size % machine.options.modules.length];
  const words = [`module=${module?.name}`, `guest=${one.flags & K.ATTACH_HVM ? "hvm" : "pvh"}`];
  if (one.flags & (K.ATTACH_SLOT | K.ATTACH_HVM)) words.push(`slot=${1 + (one.count % 31)}`);
  const bytes = one.flags & K.ATTACH_PARAM ? one.addr : module?.ram?.bytes;
  if (module?.ram !== undefined) words.push(`${module.ram.param}=${bytes}`);
  return words.join(" ");
}

function named(pattern: string, guest: Guest, one: TraceRecord): string {
  const values: Record<string, string> = {
    G: `${guest.domain.domid}`,
    N: `${one.vgpu}`,
    S: `${one.size}`,
    ADDR: `${one.addr}`,
    DATA: `${one.data}`,
  };
  return pattern.replace(/\b(G|N|S|ADDR|DATA)\b/g, (word) => values[word] as string);
}

function request(machine: Machine, guest: Guest, one: TraceRecord): void {
  const verb = K.REQUESTS[(one.flags & 0x3f) % (K.REQUESTS.length + 1)];
  const words = verb === undefined ? (machine.texts.get(one.count) ?? "") : named(verb, guest, one);
  storeWrite(machine.world.store, "data/glovebox/request", `${++machine.requests} ${words}`);
}

function callOf(one: TraceRecord, calls = FALLIBLE): { name: string; errno: number; nth: number } {
  const [name, errno] = calls[one.flags % calls.length] as (typeof calls)[number];
  return { name, errno, nth: 1 + (one.count % NTH_MAX) };
}

function fail(machine: Machine, _guest: Guest, one: TraceRecord): Outcome {
  const { name, errno, nth } = callOf(one, FAILING);
  failNth(machine.world.faults, name, nth, errno);
  return {};
}

function panic(machine: Machine, _guest: Guest, one: TraceRecord): Outcome {
  const { name, nth } = callOf(one);
  actNth(machine.world.faults, name, nth, () => {
    machine.plannedPanics++;
    throw new CorePanic(PLANNED, BigInt(nth));
  });
  return {};
}

function birth(machine: Machine, guest: Guest, one: TraceRecord): Outcome {
  bear(machine, guest.number, {
    vcpus: 1 + (one.flags & 3),
    ours: !(one.flags & K.BIRTH_FOREIGN),
    allowancePages: Number(one.addr % BigInt(1 << 14)),
  });
  rest(machine);
  return {};
}

function balloon(_machine: Machine, guest: Guest, one: TraceRecord): Outcome {
  const move = one.flags & K.BALLOON_IN ? balloonIn : balloonOut;
  const pages = 1 + (one.count % BALLOON_PAGES_MAX);
  for (let i = 0n; i < BigInt(pages); i++) move(guest.domain, (one.addr >> PAGE_SHIFT) + i);
  return {};
}

function pause(machine: Machine, guest: Guest, one: TraceRecord): Outcome {
  guest.domain.paused = (one.flags & K.PAUSE_ON) !== 0;
  takeAnswers(machine.world, guest.domain);
  return {};
}

function steps(machine: Machine, _guest: Guest, one: TraceRecord): Outcome {
  for (let i = 0; i <= one.count % STEPS_MAX; i++) guarded(machine, () => void step(machine.world));
  return {};
}

function node(machine: Machine, guest: Guest, one: TraceRecord): void {
  const path = `data/glovebox/${named(K.NODES[one.size % K.NODES.length] as string, guest, one)}`;
  if (one.flags & K.NODE_WRITE) storeWrite(machine.world.store, path, machine.texts.get(one.count) ?? "");
  else storeRemove(machine.world.store, path);
}

/** Dom0 maps what is granted to it, or unmaps it. */
function share(machine: Machine, _guest: Guest, one: TraceRecord): Outcome {
  const { granted } = machine.world.shim;
  if (granted !== undefined) granted.mapped = (one.flags & K.SHARE_MAP) !== 0;
  return {};
}

/** Just before the nth call: a page of the guest's goes, or the guest. */
function vanish(machine: Machine, guest: Guest, one: TraceRecord): Outcome {
  const { name, nth } = callOf(one);
  actNth(machine.world.faults, name, nth, () => {
    if (one.size & 1) killDomain(machine.world, guest.domain.domid);
    else balloonOut(guest.domain, one.addr >> PAGE_SHIFT);
  });
  return {};
}
