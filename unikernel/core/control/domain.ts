// SPDX-License-Identifier: MIT
//
// What the domain says about itself: version, modules, state, last error. The same way as wishes: bits for what must
// still be said, worked off from the lowest, so that `state` = ready comes behind everything it promises.

import { XS_DIRECTORY, XS_MKDIR, XS_READ, XS_RM, XS_WATCH, XS_WRITE } from "../../abi/xen/xs_wire";
import {
  RESTART_LOSE,
  RESTART_NONE,
  STAT_RESTARTS,
  shim_module_refusal,
  shim_restart,
  shim_stat,
} from "../../abi/shim";
import { ERROR_BYTES_MAX, MODULES_MAX } from "../limits";
import { logLine, logSend } from "../log";
import { panicWords, recordsDamaged } from "../restart/restore";
import { NUL, TEXT_HEADER_BYTES, Text, textAt } from "../text";
import { moduleExists, moduleOffered, moduleWrong, putModuleTitle } from "../vgpu/module";
import { putModuleNode } from "./module_words";
import { putBase } from "./node";
import { reply } from "./reply";
import { requestDone, requestRecover } from "./request_record";
import {
  JOB_READ_REQUEST,
  JOB_RM,
  JOB_SCAN,
  JOB_WATCH,
  JOB_WRITE,
  JOB_WRITE_ERROR,
  message,
  send,
  xenstoreEpoch,
} from "./xenstore";

export const VERSION: string = "0.1.0";

const TODO_VERSION: u32 = 1;
const TODO_STARTING: u32 = 2;
const TODO_DIRECTORY: u32 = 4;
const TODO_MODULE: u32 = 8; // once for each slot in `modules`, then for each file that was refused
const TODO_WATCH_VGPU: u32 = 16;
const TODO_WATCH_REQUEST: u32 = 32;
const TODO_ERROR: u32 = 64;
const TODO_STATE: u32 = 128;
const TODO_READ_REQUEST: u32 = 256;
const TODO_REPLY: u32 = 512;
const TODO_SCAN: u32 = 1024;

const WORDS_BYTES: u32 = ERROR_BYTES_MAX + TEXT_HEADER_BYTES;
const WORDS: usize = memory.data(WORDS_BYTES, 8);
const ERROR: usize = memory.data(ERROR_BYTES_MAX + TEXT_HEADER_BYTES, 8);

let todo: u32 = 0;
let modules: u32 = 0; // a bit for each slot whose node is out of date
let refusal: u32 = 0; // the next one to publish
let failed: bool = false;

/** Everything, from the start. A domain that has failed already says so and listens to nobody. */
export function domainStart(): void {
  todo |= TODO_VERSION | TODO_STATE;
  if (shim_restart() == RESTART_NONE) todo |= TODO_STARTING;
  else domainRestarted();
  modules = slotsToSay();
  if (!failed) todo |= TODO_DIRECTORY | TODO_MODULE | TODO_WATCH_VGPU | TODO_WATCH_REQUEST;
}

/** All after a restart, whose panic may have come before a node was removed; before that only what there is. */
function slotsToSay(): u32 {
  if (shim_restart() != RESTART_NONE) return u32.MAX_VALUE;
  let slots: u32 = 0;
  for (let i: u32 = 0; i < MODULES_MAX; i++) if (moduleExists(i)) slots |= <u32>1 << i;
  return slots;
}

/** Our watches stand still and fire no more by themselves; what they would have told is read. */
function domainRestarted(): void {
  xenstoreEpoch(<u32>shim_stat(STAT_RESTARTS));
  requestRecover();
  todo |= TODO_SCAN | TODO_READ_REQUEST;
  const text = domainError().put("restarted ").number(shim_stat(STAT_RESTARTS)).put(" times, last panic: ");
  text.copy(panicWords());
  if (shim_restart() == RESTART_LOSE) text.put("; the second in a short time, all vGPUs are lost");
  if (recordsDamaged() != 0) text.put("; ").number(recordsDamaged()).put(" records are damaged");
  logSend(logLine().copy(text));
}

/** A sentence about a fault of the whole domain; the caller puts it into the text. */
export function domainError(): Text {
  todo |= TODO_ERROR;
  return textAt(ERROR, ERROR_BYTES_MAX + TEXT_HEADER_BYTES);
}

/** The same, and the domain is of no use any more. */
export function domainFailed(): Text {
  failed = true;
  todo |= TODO_STATE;
  return domainError();
}

export function domainReadRequest(): void {
  todo |= TODO_READ_REQUEST;
}

export function domainReply(): void {
  todo |= TODO_REPLY;
}

export function domainScan(): void {
  todo |= TODO_SCAN;
}

/** A module was loaded into this slot, or has left it. */
export function domainModule(slot: u32): void {
  modules |= <u32>1 << slot;
  todo |= TODO_MODULE;
}

/** Sends one message. 1: sent, 0: nothing to send, -1: not now. */
export function domainPump(): i32 {
  if (todo == 0) return 0;
  const bit = todo & (0 - todo);
  if (!sendOne(bit)) return -1;
  if (bit == TODO_REPLY) requestDone();
  if (bit != TODO_MODULE || modulesSaid) todo &= ~bit;
  return 1;
}

function sendOne(bit: u32): bool {
  switch (bit) {
    case TODO_VERSION: return write("version", VERSION);
    case TODO_STARTING: return write("state", "starting");
    case TODO_DIRECTORY: return send(XS_MKDIR, path("vgpu"), JOB_WRITE, 0);
    case TODO_MODULE: return sendModules();
    case TODO_WATCH_VGPU: return watch("vgpu");
    case TODO_WATCH_REQUEST: return watch("request");
    case TODO_ERROR: return send(XS_WRITE, path("error").copy(changetype<Text>(ERROR)), JOB_WRITE_ERROR, 0);
    case TODO_STATE: return write("state", failed ? "failed" : "ready");
    case TODO_READ_REQUEST: return send(XS_READ, path("request"), JOB_READ_REQUEST, 0);
    case TODO_REPLY: return send(XS_WRITE, path("reply").copy(reply()), JOB_WRITE, 0);
    default: return send(XS_DIRECTORY, path("vgpu"), JOB_SCAN, 0);
  }
}

function path(node: string): Text {
  return putBase(message()).put(node).byte(NUL);
}

function write(node: string, value: string): bool {
  return send(XS_WRITE, path(node).put(value), JOB_WRITE, 0);
}

/** The token says nothing: the path tells the two watches apart. */
function watch(node: string): bool {
  return send(XS_WATCH, path(node).put("gbx").byte(NUL), JOB_WATCH, 0);
}

/** Set by sendModules() when there is nothing left to say. */
let modulesSaid: bool = false;

/** One node: module/<slot>, written or removed, or refused/<n>. */
function sendModules(): bool {
  if (MODULES_MAX > 32) ERROR("a slot is a bit of a u32");
  const slot = ctz<u32>(modules);
  const sent = modules != 0 ? sendModule(slot) : sendRefusal();
  if (sent && modules != 0) modules &= ~(<u32>1 << slot);
  return sent;
}

function sendModule(slot: u32): bool {
  modulesSaid = false;
  const wrong = moduleWrong(slot);
  if (wrong.length != 0) {
    const refused = putBase(message()).put("refused/slot").number(slot).byte(NUL);
    return send(XS_WRITE, putModuleTitle(refused, slot).put(": manifest: ").put(wrong), JOB_WRITE, 0);
  }
  const payload = putBase(message()).put("module/").number(slot).byte(NUL);
  if (!moduleOffered(slot)) return send(XS_RM, payload, JOB_RM, 0);
  return send(XS_WRITE, putModuleNode(payload, slot), JOB_WRITE, 0);
}

function sendRefusal(): bool {
  const text = textAt(WORDS, WORDS_BYTES);
  text.length = <u32>shim_module_refusal(refusal, <u32>text.bytes, text.capacity);
  modulesSaid = text.length == 0;
  if (modulesSaid) return true;
  const payload = putBase(message()).put("refused/").number(refusal).byte(NUL);
  if (!send(XS_WRITE, payload.quote(text.bytes, text.length), JOB_WRITE, 0)) return false;
  refusal++;
  return true;
}
