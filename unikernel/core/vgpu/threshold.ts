// SPDX-License-Identifier: MIT
//
// Thresholds: what should not happen often, how often it may within the window, and what follows. One table; the
// operator's words change it, on the command line or while guests run. Names and meaning are those of Intel Xe's
// thresholds for SR-IOV functions, where there is such a one.

import { QUARANTINE_WINDOW_MS_MAX, STORM_MS_MAX, THRESHOLD_MAX } from "../limits";
import { Text, equals, parseNumber, parsed } from "../text";

export const THRESHOLD_FAULTS: u32 = 0; // calls of a module that ended in a fault
export const THRESHOLD_INTERRUPT_STORMS: u32 = 1; // of these: more interrupts than promised
export const THRESHOLD_RESETS: u32 = 2; // resets asked for by the operator or a tool of his
export const THRESHOLD_REFUSED: u32 = 3; // what a vGPU asked for and did not get
export const THRESHOLD_DOORBELL_STORMS: u32 = 4; // STORM_TRAPS traps in less than storm_ms
export const THRESHOLD_ENGINE_TIMEOUTS: u32 = 5; // workloads that took more than any may, or did not stop in time
export const THRESHOLDS: u32 = 6;
const WINDOW_MS: u32 = THRESHOLDS;
const STORM_MS: u32 = THRESHOLDS + 1;
export const SETTINGS: u32 = THRESHOLDS + 2;

export const ACTION_WARN: u32 = 0;
export const ACTION_THROTTLE: u32 = 1;
export const ACTION_QUARANTINE: u32 = 2;
export const ACTIONS: u32 = 3;

//                       ┌ how many within the window; 0: not looked at ┬ what follows ┐
const TABLE: usize = memory.data<u32>([
  /* faults */             8, 2,
  /* interrupt_storms */   3, 2,
  /* resets */             0, 2,
  /* refused */            0, 2,
  /* doorbell_storms */  100, 0,
  /* engine_timeouts */    3, 2,
  /* window_ms */      60000, 0,
  /* storm_ms */          10, 0,
]);
export const TABLE_BYTES: u32 = SETTINGS * 8;

export function settingName(which: u32): string {
  switch (which) {
    case THRESHOLD_FAULTS: return "faults";
    case THRESHOLD_INTERRUPT_STORMS: return "interrupt_storms";
    case THRESHOLD_RESETS: return "resets";
    case THRESHOLD_REFUSED: return "refused";
    case THRESHOLD_DOORBELL_STORMS: return "doorbell_storms";
    case THRESHOLD_ENGINE_TIMEOUTS: return "engine_timeouts";
    case WINDOW_MS: return "window_ms";
    default: return "storm_ms";
  }
}

export function actionName(action: u32): string {
  switch (action) {
    case ACTION_WARN: return "warn";
    case ACTION_THROTTLE: return "throttle";
    default: return "quarantine";
  }
}

@inline
export function thresholdLimit(which: u32): u32 {
  return load<u32>(TABLE + which * 8);
}

@inline
export function thresholdAction(which: u32): u32 {
  return load<u32>(TABLE + which * 8, 4);
}

@inline
export function windowMs(): u64 {
  return thresholdLimit(WINDOW_MS);
}

@inline
export function stormNs(): u64 {
  return <u64>thresholdLimit(STORM_MS) * 1_000_000;
}

function least(which: u32): u64 {
  return which < THRESHOLDS ? 0 : 1;
}

function most(which: u32): u64 {
  if (which == WINDOW_MS) return QUARANTINE_WINDOW_MS_MAX;
  return which == STORM_MS ? STORM_MS_MAX : THRESHOLD_MAX;
}

// --- words: <name>=<number>[:<action>], with ':' for '=' on the command line ---

// what thresholdParse() took apart
let which: u32 = 0;
let number: u64 = 0;
let action: u32 = 0;

/** False: that is no setting, or its value is out of range. Nothing is changed. */
export function thresholdParse(at: usize, length: u32, separator: u32): bool {
  const name = until(at, length, separator);
  for (which = 0; which < SETTINGS && !equals(at, name, settingName(which)); ) which++;
  if (which == SETTINGS || name == length) return false;
  const value = at + name + 1;
  const left = length - name - 1;
  const digits = until(value, left, COLON);
  if (!parseNumber(value, digits) || parsed < least(which) || parsed > most(which)) return false;
  number = parsed;
  action = thresholdAction(which);
  return digits == left || (which < THRESHOLDS && parseAction(value + digits + 1, left - digits - 1));
}

const COLON: u32 = 0x3a;

function until(at: usize, length: u32, byte: u32): u32 {
  let i: u32 = 0;
  while (i < length && <u32>load<u8>(at + i) != byte) i++;
  return i;
}

function parseAction(at: usize, length: u32): bool {
  for (action = 0; action < ACTIONS; action++) if (equals(at, length, actionName(action))) return true;
  return false;
}

/** What was parsed last counts from now on. */
export function thresholdApply(): void {
  store<u32>(TABLE + which * 8, <u32>number);
  store<u32>(TABLE + which * 8, action, 4);
}

/** "faults, ... =0 to N[:warn|throttle|quarantine], window_ms=1 to N, storm_ms=1 to N" */
export function putSettings(text: Text): Text {
  for (let i: u32 = 0; i < THRESHOLDS; i++) text.put(i == 0 ? "" : "|").put(settingName(i));
  text.put("=0 to ").number(THRESHOLD_MAX).put("[:warn|throttle|quarantine]");
  for (let i = THRESHOLDS; i < SETTINGS; i++) {
    text.put(", ").put(settingName(i)).put("=1 to ").number(most(i));
  }
  return text;
}

/** " faults=8:quarantine ... window_ms=60000 storm_ms=10" */
export function putTable(text: Text): Text {
  for (let i: u32 = 0; i < SETTINGS; i++) {
    text.put(" ").put(settingName(i)).put("=").number(thresholdLimit(i));
    if (i < THRESHOLDS) text.put(":").put(actionName(thresholdAction(i)));
  }
  return text;
}

// --- across a restart, behind the books ---

export function tableSave(to: usize): void {
  memory.copy(to, TABLE, TABLE_BYTES);
}

/** What makes no sense stays as the command line has it. */
export function tableRestore(from: usize): void {
  for (let i: u32 = 0; i < SETTINGS; i++) {
    const limit = load<u32>(from + i * 8);
    const then = load<u32>(from + i * 8, 4);
    if (limit < least(i) || limit > most(i) || then >= ACTIONS) return;
  }
  memory.copy(TABLE, from, TABLE_BYTES);
}
