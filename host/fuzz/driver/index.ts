// SPDX-License-Identifier: MIT
//
// The fuzzer's driver, compiled to WebAssembly: it runs a whole input (records of docs/TRACE.md) against an instance
// without a call into JavaScript, and plays the mediator: the module's imports are this one's exports.
//
// It promises the module what the core promises: BAR, offset and size of an access are such that they exist; records
// that are not so are passed over. A fault leaves it as an exception; the status then says where.
//
// AssemblyScript, though it stands on the host's side; host/fuzz/module/instance.ts is its other half.

import { EVENT_POLL, WORK_CANCELLED } from "../../../unikernel/abi/module";
import {
  ENTRY_ATTACH,
  ENTRY_BAR_READ,
  ENTRY_BAR_WRITE,
  ENTRY_EVENT,
  ENTRY_RESET,
  ENTRY_WORK_DONE,
} from "../../../unikernel/abi/shim";
import { answersHash, answersReset, capabilityFault, note } from "./answers";
import { INPUT_AT, RECORD_BYTES } from "./input";
import { irqAnswer } from "./irq";
import { isPolling, pollComes, timePasses } from "./poll";
import { guestStores, guestStoresLater } from "./ram";
import { restForget, restNew, restRestore, restSave } from "./rest";
import { doneCookie, doneStatus, over, workGoesOn, workWaits } from "./work";
import {
  TABLE,
  barBytes,
  fuelOf,
  isTrapBar,
  moduleBytes,
  noteMost,
  notePair,
  paramOf,
  status,
} from "./setup";

export { inputAt } from "./input";
export { statusAt, paramsAt, fuelAt, pairsAt, barsAt, limitsAt, manifestAt } from "./setup";
export {
  irq_raise, scanout_set, scanout_set_buffer, scanout_flush, cursor_set, cursor_move, guest_read, guest_write,
  buffer_create, buffer_append, buffer_bar, buffer_destroy, buffer_read, buffer_write, buffer_copy, work_copy,
  work_fence,
} from "./imports";
export { poll } from "./poll";

const BARS: u32 = 6;

// Kinds of docs/TRACE.md.
const CALL_RESET: u32 = 0xc1;
const CALL_READ: u32 = 0xc2;
const CALL_WRITE: u32 = 0xc3;
const CALL_EVENT: u32 = 0xc4;
const CALL_WORK_DONE: u32 = 0xc5;
const MEMORY: u32 = 0xd0;
const TIME: u32 = 0xd1;
const ANSWERS: u32 = 0xd3;
const MEMORY_LATER: u32 = 0xd4;

const ASKED_LOG: u64 = 0x4 << 56;

// --- imports of the module that need no model ---

export function param(key: u32): u64 {
  return paramOf(key);
}

export function log(at: u32, bytes: u32): void {
  if (<u64>at + bytes > <u64>moduleBytes()) capabilityFault();
  note(ASKED_LOG | bytes);
}

// --- what the instrumented module tells ---

/** A comparison had an outcome not seen before; its operands are words for the mutator. */
export function pair(site: u32, a: u64, b: u64): void {
  status().news++;
  notePair(site, a, b);
}

export function edge(site: u32): void {
  status().news++;
}

// --- runs ---

/** `attach`; its answer. */
export function attach(): i32 {
  begin();
  restNew();
  status().op = 0;
  const budget = enter(ENTRY_ATTACH);
  const answer = call_indirect<i32>(TABLE.ATTACH, budget);
  leave(ENTRY_ATTACH, budget);
  restSave();
  return answer;
}

/** The first `count` records of the input. */
export function run(count: u32): void {
  begin();
  restRestore();
  go(count);
}

/** As `run` begins; then `step` by step. For who wants to see each answer. */
export function start(): void {
  begin();
  restRestore();
}

/** Record number `op` of the input; what it read. */
export function step(op: u32): u64 {
  status().op = op;
  const at = INPUT_AT + op * RECORD_BYTES;
  if (load<u8>(at, 11) != CALL_READ) {
    one(at);
    return 0;
  }
  return read(load<u8>(at, 12), load<u8>(at, 13), load<u64>(at, 16));
}

/** The same after a reset; the guest's memory begins as zeros here, too (so does a memory record of size 0). */
export function again(count: u32): void {
  guestStores(0, 0, 0, 0);
  answersReset();
  go(count);
}

/** The device is reset, by the guest or the operator: what it asked for is over, its surroundings are at rest. */
export function reset(): void {
  while (workWaits()) {
    over(WORK_CANCELLED);
    workDone(doneCookie, doneStatus);
  }
  restForget();
  const budget = enter(ENTRY_RESET);
  call_indirect<void>(TABLE.RESET, budget);
  leave(ENTRY_RESET, budget);
}

function begin(): void {
  const now = status();
  now.fault = 0;
  now.news = 0;
  now.fuel = 0;
  now.calls = 0;
  now.pairs = 0;
  answersReset();
}

function go(count: u32): void {
  const now = status();
  let at = INPUT_AT;
  for (let op: u32 = 0; op < count; op++, at += RECORD_BYTES) {
    now.op = op;
    one(at);
  }
  now.op = count;
  now.answers = answersHash();
}

@inline
function enter(entry: u32): u32 {
  const now = status();
  now.entry = entry;
  now.calls++;
  return fuelOf(entry);
}

@inline
function leave(entry: u32, budget: u32): void {
  const used = budget - <u32>call_indirect<i32>(TABLE.FUEL_LEFT);
  status().fuel += used;
  noteMost(entry, used);
}

@inline
function one(at: usize): void {
  const kind = <u32>load<u8>(at, 11);
  if (kind == CALL_WRITE) write(load<u8>(at, 12), load<u8>(at, 13), load<u64>(at, 16), load<u64>(at, 24));
  else if (kind == CALL_READ) read(load<u8>(at, 12), load<u8>(at, 13), load<u64>(at, 16));
  else seldom(kind, at, load<u64>(at, 16), load<u64>(at, 24));
}

function seldom(kind: u32, at: usize, addr: u64, data: u64): void {
  switch (kind) {
    case CALL_RESET: return reset();
    case CALL_EVENT: return addr == EVENT_POLL ? polled((data & 1) != 0) : event(<u32>addr, data);
    case CALL_WORK_DONE: return engineGoesOn();
    case MEMORY: return guestStores(addr, data, load<u8>(at, 13), load<u16>(at, 14));
    case MEMORY_LATER: return guestStoresLater(addr, data, load<u8>(at, 13), load<u8>(at, 12));
    case TIME: return passes(addr);
    case ANSWERS: return irqAnswer(<u32>addr);
    default: return;
  }
}

/** The loop comes by somebody who asked for it. */
function polled(over: bool): void {
  if (isPolling()) event(EVENT_POLL, pollComes(over));
}

function engineGoesOn(): void {
  if (workGoesOn()) workDone(doneCookie, doneStatus);
}

function passes(ns: u64): void {
  timePasses(ns);
  engineGoesOn();
  polled(false);
}

@inline
function isAccess(bar: u32, size: u32, addr: u64): bool {
  if (bar >= BARS || !isTrapBar(bar) || size - 1 > 7 || (size & (size - 1)) != 0) return false;
  const bytes = barBytes(bar);
  return addr < bytes && size <= bytes - addr;
}

@inline
function read(bar: u32, size: u32, addr: u64): u64 {
  if (!isAccess(bar, size, addr)) return 0;
  const budget = enter(ENTRY_BAR_READ);
  const value = call_indirect<u64>(TABLE.BAR_READ, bar, <u32>addr, size, budget);
  leave(ENTRY_BAR_READ, budget);
  const answer = value & (u64.MAX_VALUE >> (64 - (size << 3)));
  note(answer);
  return answer;
}

@inline
function write(bar: u32, size: u32, addr: u64, value: u64): void {
  if (!isAccess(bar, size, addr)) return;
  const budget = enter(ENTRY_BAR_WRITE);
  call_indirect<void>(TABLE.BAR_WRITE, bar, <u32>addr, size, value, budget);
  leave(ENTRY_BAR_WRITE, budget);
}

/** A module that gives `event` no fuel does not want to hear. */
function event(kind: u32, argument: u64): void {
  if (fuelOf(ENTRY_EVENT) == 0) return;
  const budget = enter(ENTRY_EVENT);
  call_indirect<void>(TABLE.EVENT, kind, argument, budget);
  leave(ENTRY_EVENT, budget);
}

function workDone(cookie: u64, result: u32): void {
  if (fuelOf(ENTRY_WORK_DONE) == 0) return;
  const budget = enter(ENTRY_WORK_DONE);
  call_indirect<void>(TABLE.WORK_DONE, cookie, result, budget);
  leave(ENTRY_WORK_DONE, budget);
}
