// SPDX-License-Identifier: MIT
//
// Live replacement: another version of a vGPU's module takes over while the guest runs. Configuration space, BARs,
// interrupts, parameters and handles stay, so the two must agree about all that a guest can see of the device. What a
// module says about its state is bounded; what fails leaves the old one in place.
//
//   READY ──save, create, attach, restore──> READY, on trial ──deadline──> READY, the old one is gone
//     ^            └── fails: the old goes on        │
//     └──────────── a fault of the new one ──────────┘  the old one and its state are back; it answers what faulted

import * as M from "../../abi/manifest";
import * as S from "../../abi/shim";
import { statusChanged } from "../control/wish";
import { scanoutsKeep, scanoutsOff, scanoutsPutBack } from "../display/scanout";
import { BARS, PARAMS, VGPUS_MAX } from "../limits";
import { logLine, logSend } from "../log";
import { touch } from "../restart/dirty";
import { Text, sameBytes } from "../text";
import { TRACE_REPLACE, traceEvent } from "../trace/ring";
import { barUnmap } from "./bar";
import { buffersClear, buffersKeep, buffersPlaces } from "./buffer";
import { deviceTry, faulted, putFault } from "./device";
import { powerOn } from "./lifecycle";
import { loseWords } from "./lose";
import { manifest, paramExists, paramRow, putModuleTitle } from "./module";
import { paramValues } from "./param";
import { VGPU_READY, Vgpu, putVgpu, vgpuAt } from "./vgpu";

const TRIAL_NONE: u32 = 0;
const TRIAL_STATE: u32 = 1; // the new one took the old one's state over
const TRIAL_RESET: u32 = 2; // it began anew

const HANDED_OVER: u64 = 0; // data of TRACE_REPLACE
const BEGAN_ANEW: u64 = 1;
const TAKEN_BACK: u64 = 2;
const KEPT: u64 = 3;

let trials: u32 = 0; // vGPUs on trial: nobody else pays for them

/** False: nothing has changed, `error` says why. True: the new one answers from here on. */
export function vgpuReplace(vgpu: Vgpu, module: u32, trial_ms: u64, error: Text): bool {
  putVgpu(error, vgpu);
  if (vgpu.state != VGPU_READY) return refuse(error, "is not ready: reset it first");
  if (vgpu.trial != TRIAL_NONE) return refuse(error, "a replacement is on trial already");
  const difference = firstDifference(vgpu, module);
  if (difference.length != 0) {
    putModuleTitle(error, module).put(" is another device than ");
    putModuleTitle(error, vgpu.module).put(": ").put(difference);
    return false;
  }
  const mode = replaceHandedOver(vgpu.module, module) ? TRIAL_STATE : TRIAL_RESET;
  if (mode == TRIAL_STATE && !saveState(vgpu, error)) return false;
  return change(vgpu, module, mode, trial_ms, error);
}

function refuse(error: Text, words: string): bool {
  error.put(words);
  return false;
}

@inline
function stateBytes(module: u32): u32 {
  return load<u32>(manifest(module), M.MANIFEST_STATE_BYTES);
}

/** Both speak of a state: the one hands over, the other takes. */
export function replaceHandedOver(from: u32, to: u32): bool {
  return stateBytes(from) != 0 && stateBytes(to) != 0;
}

// --- may it be? ---

/** What a guest can see and what was set aside must be the same; "" or the first thing that is not. */
function firstDifference(vgpu: Vgpu, module: u32): string {
  const a = manifest(vgpu.module);
  const b = manifest(module);
  if (differs(a, b, M.MANIFEST_VENDOR_ID, 2) || differs(a, b, M.MANIFEST_DEVICE_ID, 2)) return "vendor or device";
  if (differs(a, b, M.MANIFEST_SUBSYSTEM_VENDOR_ID, 4)) return "subsystem";
  if (differs(a, b, M.MANIFEST_CLASS_REVISION, 4)) return "revision or class";
  if (differs(a, b, M.MANIFEST_MSI_VECTORS, 6)) return "interrupts"; // both counts, pin, BAR of the table
  if (differs(a, b, M.MANIFEST_SCANOUTS, 4)) return "scanouts";
  if (differs(a, b, M.MANIFEST_BARS, M.MANIFEST_BAR_COUNT * M.MANIFEST_BAR_BYTES)) return "BARs";
  if (differs(a, b, M.MANIFEST_BUFFERS, 16)) return "quotas of buffers"; // number, bytes, pieces
  for (let i: u32 = 0; i < PARAMS; i++) if (!paramFits(vgpu, module, i)) return "parameters";
  return "";
}

function differs(a: usize, b: usize, at: u32, bytes: u32): bool {
  return !sameBytes(a + at, bytes, b + at, bytes);
}

/** The same name, and the value that the operator gave is allowed. */
function paramFits(vgpu: Vgpu, module: u32, i: u32): bool {
  const row = paramRow(module, i);
  if (!sameBytes(paramRow(vgpu.module, i), M.PARAM_NAME_BYTES, row, M.PARAM_NAME_BYTES)) return false;
  if (!paramExists(module, i)) return true;
  const value = load<u64>(paramValues(vgpu.index) + i * 8);
  return value >= load<u64>(row, M.PARAM_MIN) && value <= load<u64>(row, M.PARAM_MAX);
}

// --- the change ---

/** Of the state that is being handed over: where it lies in the old one's memory, and how long it is. */
let source: u32 = 0;
let length: u32 = 0;

/** A fault here is the old one's own: it is lost as by any other. */
function saveState(vgpu: Vgpu, error: Text): bool {
  source = <u32>deviceTry(vgpu, S.ENTRY_STATE_BUFFER, 0, 0);
  let entry = S.ENTRY_STATE_BUFFER;
  let answer: i32 = 0;
  if (S.shim_call_fault() == S.FAULT_NONE) {
    entry = S.ENTRY_STATE_SAVE;
    answer = <i32>deviceTry(vgpu, S.ENTRY_STATE_SAVE, 0, 0);
  }
  const fault = S.shim_call_fault();
  if (fault != S.FAULT_NONE) {
    putFault(error, vgpu, entry, fault, 0, 0);
    faulted(vgpu, entry, fault, 0, 0);
    return false;
  }
  length = <u32>answer;
  if (answer >= 0 && length <= stateBytes(vgpu.module)) return true;
  putModuleTitle(error, vgpu.module).put(" cannot save its state, answer ").signed(answer);
  return false;
}

function change(vgpu: Vgpu, module: u32, mode: u32, trial_ms: u64, error: Text): bool {
  const instance = S.shim_instance_create(module, vgpu.index);
  if (instance < 0) {
    putModuleTitle(error.put("no instance of "), module).put(", error ").signed(instance);
    return false;
  }
  scanoutsKeep(vgpu.index);
  vgpu.old_instance = vgpu.instance;
  vgpu.old_module = vgpu.module;
  vgpu.old_buffers = buffersPlaces(vgpu);
  vgpu.instance = instance;
  vgpu.module = module;
  if (!begin(vgpu, mode, error)) {
    putOldBack(vgpu);
    return false;
  }
  vgpu.note = 0;
  vgpu.trial = mode;
  vgpu.trial_end = S.shim_time_ns() + trial_ms * 1_000_000;
  trials++;
  touch(vgpu.index);
  statusChanged(vgpu.domid, vgpu.number);
  traceEvent(vgpu.domid, vgpu.number, TRACE_REPLACE, module, mode == TRIAL_STATE ? HANDED_OVER : BEGAN_ANEW);
  if (trial_ms == 0) replaceSettle(vgpu);
  return true;
}

function begin(vgpu: Vgpu, mode: u32, error: Text): bool {
  if (!attach(vgpu, error)) return false;
  if (mode == TRIAL_STATE) return restoreState(vgpu, error);
  // It can stand: now the guest sees the reset, and the new one begins as after it.
  if (S.shim_instance_reset(vgpu.instance) != 0) return refuse(error, "no fresh instance");
  scanoutsOff(vgpu);
  buffersClear(vgpu);
  for (let i: u32 = 0; i < BARS; i++) barUnmap(vgpu, i);
  powerOn(vgpu);
  if (attach(vgpu, error)) return true;
  scanoutsKeep(vgpu.index); // what the old one showed is gone with the reset
  return false;
}

function attach(vgpu: Vgpu, error: Text): bool {
  const answer = <i32>deviceTry(vgpu, S.ENTRY_ATTACH, 0, 0);
  return ended(vgpu, S.ENTRY_ATTACH, answer, error);
}

function ended(vgpu: Vgpu, entry: u32, answer: i32, error: Text): bool {
  const fault = S.shim_call_fault();
  if (fault != S.FAULT_NONE) putFault(error, vgpu, entry, fault, 0, 0);
  else if (answer != 0) {
    putModuleTitle(error, vgpu.module).put(entry == S.ENTRY_ATTACH ? ": attach" : ": state_restore");
    error.put(" answered ").signed(answer);
  }
  return fault == S.FAULT_NONE && answer == 0;
}

function restoreState(vgpu: Vgpu, error: Text): bool {
  if (length > stateBytes(vgpu.module)) {
    putModuleTitle(error, vgpu.module).put(" takes a state of ").number(stateBytes(vgpu.module));
    error.put(" bytes, the old one's has ").number(length);
    return false;
  }
  const target = <u32>deviceTry(vgpu, S.ENTRY_STATE_BUFFER, 0, 0);
  if (!ended(vgpu, S.ENTRY_STATE_BUFFER, 0, error)) return false;
  if (S.shim_instance_copy(vgpu.instance, target, vgpu.old_instance, source, length) != 0) {
    return refuse(error, "a state that is not in the memory of its module");
  }
  const format = load<u32>(manifest(vgpu.old_module), M.MANIFEST_STATE_FORMAT);
  const answer = <i32>deviceTry(vgpu, S.ENTRY_STATE_RESTORE, format, length);
  return ended(vgpu, S.ENTRY_STATE_RESTORE, answer, error);
}

/** The new one goes, with what it made and showed; the old one is as it was frozen. */
function putOldBack(vgpu: Vgpu): void {
  S.shim_instance_destroy(vgpu.instance);
  vgpu.instance = vgpu.old_instance;
  vgpu.module = vgpu.old_module;
  vgpu.old_instance = -1;
  buffersKeep(vgpu, vgpu.old_buffers);
  scanoutsPutBack(vgpu.index);
  touch(vgpu.index);
}

// --- the trial ---

/** A fault within the trial: true when the old one is back and must be asked again. */
export function replaceTakenBack(vgpu: Vgpu, entry: u32, fault: u32, a: u64, b: u64): bool {
  if (vgpu.trial == TRIAL_NONE) return false;
  if (S.shim_time_ns() > vgpu.trial_end) {
    replaceSettle(vgpu);
    return false;
  }
  const words = putModuleTitle(loseWords(vgpu).put("replacement by "), vgpu.module).put(" taken back: ");
  putFault(words, vgpu, entry, fault, a, b);
  const mode = vgpu.trial;
  vgpu.trial = TRIAL_NONE;
  trials--;
  if (mode == TRIAL_RESET) {
    scanoutsOff(vgpu); // the old one's pictures went with the reset
    scanoutsKeep(vgpu.index);
  }
  putOldBack(vgpu);
  if (mode == TRIAL_RESET) deviceTry(vgpu, S.ENTRY_RESET, 0, 0);
  vgpu.note = 1;
  traceEvent(vgpu.domid, vgpu.number, TRACE_REPLACE, vgpu.module, TAKEN_BACK);
  logSend(logLine().copy(words));
  statusChanged(vgpu.domid, vgpu.number);
  return true;
}

/** The new one stays, or the vGPU goes: the old one is given back. */
export function replaceSettle(vgpu: Vgpu): void {
  if (vgpu.trial == TRIAL_NONE) return;
  vgpu.trial = TRIAL_NONE;
  trials--;
  S.shim_instance_destroy(vgpu.old_instance);
  vgpu.old_instance = -1;
  traceEvent(vgpu.domid, vgpu.number, TRACE_REPLACE, vgpu.module, KEPT);
}

/** At the end of events: trials whose time is over. */
export function replacesSettle(): void {
  if (trials == 0) return;
  const now = S.shim_time_ns();
  for (let i: u32 = 0; i < VGPUS_MAX; i++) {
    const vgpu = vgpuAt(i);
    if (vgpu.trial != TRIAL_NONE && now > vgpu.trial_end) replaceSettle(vgpu);
  }
}
