// SPDX-License-Identifier: MIT
//
// Calls into a vGPU's module instance: a budget of fuel each, and what happens when a call does not end well.
// A module may call back into the core (irq.ts, display/scanout.ts) but is never entered twice.

import { MANIFEST_FUEL, MANIFEST_FUEL_COUNT, MANIFEST_FUEL_STATE, MANIFEST_INTERRUPTS_PER_SECOND }
  from "../../abi/manifest";
import * as S from "../../abi/shim";
import { PANIC_ENTRY, check } from "../panic";
import { Text } from "../text";
import { VGPU_FUEL_MAX, VGPU_FUEL_USED, countVgpu, vgpuCounter } from "../trace/counters";
import { onesOf } from "../trap/access";
import { lose, loseWords } from "./lose";
import { manifest, putModuleName } from "./module";
import { quarantineCount } from "./quarantine";
import { replaceTakenBack } from "./replace";
import { THRESHOLD_FAULTS, THRESHOLD_INTERRUPT_STORMS } from "./threshold";
import { Vgpu } from "./vgpu";

export function deviceRead(vgpu: Vgpu, bar: u32, offset: u32, size: u32): u64 {
  const value = call(vgpu, S.ENTRY_BAR_READ, bar, offset, size, 0);
  return S.shim_call_fault() == S.FAULT_NONE ? value : onesOf(size);
}

export function deviceWrite(vgpu: Vgpu, bar: u32, offset: u32, size: u32, value: u64): void {
  call(vgpu, S.ENTRY_BAR_WRITE, bar, offset, size, value);
}

/** A module that gives `event` no fuel does not want to hear. */
export function deviceEvent(vgpu: Vgpu, kind: u32, argument: u64): void {
  if (fuelOf(vgpu, S.ENTRY_EVENT) != 0) call(vgpu, S.ENTRY_EVENT, kind, argument, 0, 0);
}

/** 0: the device stands; else what it answered. A fault shows in shim_call_fault() and has lost the vGPU. */
export function deviceAttach(vgpu: Vgpu): i32 {
  return <i32>call(vgpu, S.ENTRY_ATTACH, 0, 0, 0, 0);
}

export function deviceReset(vgpu: Vgpu): void {
  call(vgpu, S.ENTRY_RESET, 0, 0, 0, 0);
}

/** A workload is over (WORK_*). A module that gives `work_done` no fuel does not want to hear. */
export function deviceWorkDone(vgpu: Vgpu, cookie: u64, status: u32): void {
  if (fuelOf(vgpu, S.ENTRY_WORK_DONE) != 0) call(vgpu, S.ENTRY_WORK_DONE, cookie, status, 0, 0);
}

@inline
function fuelOf(vgpu: Vgpu, entry: u32): u32 {
  const at = manifest(vgpu.module);
  if (entry >= <u32>MANIFEST_FUEL_COUNT) return load<u32>(at, MANIFEST_FUEL_STATE);
  return load<u32>(at + MANIFEST_FUEL + entry * 4);
}

function call(vgpu: Vgpu, entry: u32, a: u64, b: u64, c: u64, d: u64): u64 {
  check(vgpu.calls == 0, PANIC_ENTRY, entry);
  const answer = enter(vgpu, entry, a, b, c, d);
  const fault = S.shim_call_fault();
  if (fault == S.FAULT_NONE) return answer;
  countFault(vgpu, fault);
  if (replaceTakenBack(vgpu, entry, fault, a, b)) return again(vgpu, entry, a, b, c, d);
  markLost(vgpu, entry, fault, a, b);
  return answer;
}

@inline
function enter(vgpu: Vgpu, entry: u32, a: u64, b: u64, c: u64, d: u64): u64 {
  vgpu.calls = 1;
  const answer = S.shim_instance_call(vgpu.instance, entry, fuelOf(vgpu, entry), a, b, c, d);
  vgpu.calls = 0;
  const fuel: u64 = S.shim_call_fuel();
  countVgpu(vgpu.index, VGPU_FUEL_USED, fuel);
  const most = vgpuCounter(vgpu.index, VGPU_FUEL_MAX);
  if (fuel > load<u64>(most)) store<u64>(most, fuel);
  return answer;
}

/** The version that was replaced is back and answers what the new one could not. */
function again(vgpu: Vgpu, entry: u32, a: u64, b: u64, c: u64, d: u64): u64 {
  const answer = enter(vgpu, entry, a, b, c, d);
  if (S.shim_call_fault() != S.FAULT_NONE) faulted(vgpu, entry, S.shim_call_fault(), a, b);
  return answer;
}

/** A call whose fault the caller deals with (shim_call_fault). */
export function deviceTry(vgpu: Vgpu, entry: u32, a: u64, b: u64): u64 {
  check(vgpu.calls == 0, PANIC_ENTRY, entry);
  return enter(vgpu, entry, a, b, 0, 0);
}

export function faulted(vgpu: Vgpu, entry: u32, fault: u32, a: u64, b: u64): void {
  countFault(vgpu, fault);
  markLost(vgpu, entry, fault, a, b);
}

function countFault(vgpu: Vgpu, fault: u32): void {
  quarantineCount(vgpu.domid, THRESHOLD_FAULTS);
  if (fault == S.FAULT_PROMISE) quarantineCount(vgpu.domid, THRESHOLD_INTERRUPT_STORMS);
}

function markLost(vgpu: Vgpu, entry: u32, fault: u32, a: u64, b: u64): void {
  putFault(loseWords(vgpu), vgpu, entry, fault, a, b);
  lose(vgpu, fault, entry);
}

/** "module probe: out of fuel after 1000 in bar_read of BAR 0 at 0x10" */
export function putFault(words: Text, vgpu: Vgpu, entry: u32, fault: u32, a: u64, b: u64): Text {
  putModuleName(words.put("module "), vgpu.module).put(": ").put(faultName(fault));
  if (fault == S.FAULT_FUEL) words.put(" after ").number(fuelOf(vgpu, entry));
  if (fault == S.FAULT_PROMISE) putPromise(words, vgpu);
  words.put(" in ").put(entryName(entry));
  if (entry == S.ENTRY_BAR_READ || entry == S.ENTRY_BAR_WRITE) putPlace(words, a, b);
  return words;
}

/** The one promise whose breach is a fault. */
function putPromise(words: Text, vgpu: Vgpu): void {
  words.number(load<u32>(manifest(vgpu.module), MANIFEST_INTERRUPTS_PER_SECOND)).put(" a second");
}

function putPlace(words: Text, bar: u64, offset: u64): void {
  words.put(" of BAR ").number(bar).put(" at ").hex(offset);
}

function faultName(fault: u32): string {
  switch (fault) {
    case S.FAULT_FUEL: return "out of fuel";
    case S.FAULT_STACK: return "stack too deep";
    case S.FAULT_MEMORY: return "access outside its memory";
    case S.FAULT_ARITHMETIC: return "division by zero or overflow";
    case S.FAULT_UNREACHABLE: return "unreachable";
    case S.FAULT_TABLE: return "bad indirect call";
    case S.FAULT_PROMISE: return "more interrupts than its manifest promises, ";
    default: return "bad argument to a capability";
  }
}

function entryName(entry: u32): string {
  switch (entry) {
    case S.ENTRY_ATTACH: return "attach";
    case S.ENTRY_RESET: return "reset";
    case S.ENTRY_BAR_READ: return "bar_read";
    case S.ENTRY_BAR_WRITE: return "bar_write";
    case S.ENTRY_EVENT: return "event";
    case S.ENTRY_STATE_BUFFER: return "state_buffer";
    case S.ENTRY_STATE_SAVE: return "state_save";
    case S.ENTRY_STATE_RESTORE: return "state_restore";
    default: return "work_done";
  }
}
