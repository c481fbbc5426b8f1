// SPDX-License-Identifier: MIT
//
// What Dom0 wants, one record per specification node, and what must still be told about it. Nothing is queued: a wish
// carries a bit for each node that is out of date, and the pump works the bits off. So a burst of changes costs room
// for none, and the last state always gets out, `state` itself last.

import { XS_READ, XS_RM, XS_WRITE } from "../../abi/xen/xs_wire";
import { ERROR_BYTES_MAX, SPECIFICATION_BYTES_MAX, VGPUS_PER_GUEST_MAX, WISHES_MAX } from "../limits";
import { explainsDamage, forgetAttach } from "../restart/restore";
import { NUL, SPACE, TEXT_HEADER_BYTES, Text, sameBytes, textAt } from "../text";
import { barsRamBytes } from "../vgpu/bar";
import { vgpuCreate, vgpuDestroy } from "../vgpu/lifecycle";
import { reasonOf } from "../vgpu/lose";
import { VGPU_LOST, Vgpu, stateName, vgpuAt } from "../vgpu/vgpu";
import { domainError } from "./domain";
import { putVgpuPath } from "./node";
import { parseSpecification } from "./specification";
import { JOB_READ_WISH, JOB_RM, JOB_WRITE, message, send } from "./xenstore";

const NONE: u32 = 0xffff;

// known from before a restart: nothing is told about it before its node was read, for it may be gone; then, as long as
// the node does not change, it is the old one
const KEPT_UNREAD: u32 = 1;
const KEPT_READ: u32 = 2;

// bits of `todo`, worked off from the lowest
const TODO_READ: u32 = 1;
const TODO_RAM_BYTES: u32 = 2;
const TODO_BDF: u32 = 4;
const TODO_ERROR: u32 = 8;
const TODO_STATE: u32 = 16;
const TODO_NODES: u32 = TODO_RAM_BYTES | TODO_BDF | TODO_ERROR | TODO_STATE;

@unmanaged
export class Wish {
  used: u32;
  domid: u32;
  number: u32;
  vgpu: u32; // index; NONE: there is none
  refused: u32;
  todo: u32;
  reads: u32; // answers that are still to come
  kept: u32; // KEPT_*
}
const WISH_BYTES: u32 = 32;
const ERROR_BYTES: u32 = ERROR_BYTES_MAX + TEXT_HEADER_BYTES;
const SPEC_BYTES: u32 = SPECIFICATION_BYTES_MAX + TEXT_HEADER_BYTES;

const TABLE: usize = memory.data(WISHES_MAX * WISH_BYTES, 8);
const ERRORS: usize = memory.data(WISHES_MAX * ERROR_BYTES, 8); // why refused
const SPECS: usize = memory.data(WISHES_MAX * SPEC_BYTES, 8); // the specification that the vGPU was made by

let next: u32 = 0; // where the pump goes on looking
let due: bool = false; // some wish may have bits to work off: the pump runs after every trap and must cost nothing

@inline
function wishAt(i: u32): Wish {
  return changetype<Wish>(TABLE + i * WISH_BYTES);
}

@inline
function indexOf(wish: Wish): u32 {
  return <u32>(changetype<usize>(wish) - TABLE) / WISH_BYTES;
}

@inline
function errorOf(wish: Wish): Text {
  return changetype<Text>(ERRORS + indexOf(wish) * ERROR_BYTES);
}

@inline
function specOf(wish: Wish): Text {
  return changetype<Text>(SPECS + indexOf(wish) * SPEC_BYTES);
}

@inline
function need(wish: Wish, bits: u32): void {
  wish.todo |= bits;
  due = true;
}

function find(domid: u32, number: u32): Wish | null {
  for (let i: u32 = 0; i < WISHES_MAX; i++) {
    const wish = wishAt(i);
    if (wish.used && wish.domid == domid && wish.number == number) return wish;
  }
  return null;
}

// --- what others report ---

/** Something may stand at vgpu/<domid>/<number>: read it. */
export function wishRead(domid: u32, number: u32): void {
  let wish = find(domid, number);
  if (wish == null) wish = create(domid, number);
  if (wish != null) need(wish, TODO_READ);
}

/** The guest's directory, or all of them (domid = u32.MAX_VALUE), changed as a whole. */
export function wishesRead(domid: u32): void {
  for (let i: u32 = 0; i < WISHES_MAX; i++) {
    const wish = wishAt(i);
    if (wish.used && (domid == u32.MAX_VALUE || wish.domid == domid)) need(wish, TODO_READ);
  }
}

/** The text that this vGPU is or was made by; null: nobody remembers. */
export function wishSpecification(domid: u32, number: u32): Text | null {
  const wish = find(domid, number);
  return wish == null ? null : specOf(wish);
}

/**
 * After a restart: what was known of it, attached as `vgpu` or refused for `error`. The node is read again, because its
 * change may have been told to us just before; the same text is no new wish.
 */
export function wishRestore(
  domid: u32, number: u32, vgpu: Vgpu | null, spec: usize, length: u32, error: Text | null,
): void {
  let wish = find(domid, number);
  if (wish == null) wish = create(domid, number);
  if (wish == null) return;
  wish.vgpu = vgpu == null ? NONE : vgpu.index;
  wish.refused = error == null ? 0 : 1;
  specOf(wish).clear().quote(spec, length);
  if (error != null) errorOf(wish).clear().copy(error);
  wish.kept = KEPT_UNREAD;
  need(wish, vgpu == null && error == null ? TODO_READ | TODO_NODES : TODO_READ);
}

/** A vGPU was lost or came back. */
export function statusChanged(domid: u32, number: u32): void {
  const wish = find(domid, number);
  if (wish != null && wish.kept != KEPT_UNREAD) need(wish, TODO_ERROR | TODO_STATE);
}

function create(domid: u32, number: u32): Wish | null {
  for (let i: u32 = 0; i < WISHES_MAX; i++) {
    const wish = wishAt(i);
    if (wish.used) continue;
    memory.fill(changetype<usize>(wish), 0, WISH_BYTES);
    wish.used = 1;
    wish.domid = domid;
    wish.number = number;
    wish.vgpu = NONE;
    textAt(changetype<usize>(errorOf(wish)), ERROR_BYTES);
    textAt(changetype<usize>(specOf(wish)), SPEC_BYTES);
    return wish;
  }
  domainError().put("vgpu/").number(domid).put("/").number(number).put(": no room, limit ").number(WISHES_MAX)
    .put(" specifications");
  return null;
}

// --- the pump's side ---

/** Sends one message about some wish. 1: sent, 0: nothing to send, -1: not now. */
export function wishesPump(): i32 {
  if (!due) return 0;
  for (let i: u32 = 0; i < WISHES_MAX; i++) {
    const wish = wishAt((next + i) % WISHES_MAX);
    if (!wish.used || wish.todo == 0) continue;
    const bit = wish.todo & (0 - wish.todo);
    if (!(bit == TODO_READ ? sendRead(wish) : sendNode(wish, bit))) return -1;
    wish.todo &= ~bit;
    if (wish.todo == 0) next = (next + i + 1) % WISHES_MAX;
    forgetIfIdle(wish);
    return 1;
  }
  due = false;
  return 0;
}

function sendRead(wish: Wish): bool {
  const path = putVgpuPath(message(), wish.domid, wish.number).byte(NUL);
  if (!send(XS_READ, path, JOB_READ_WISH, indexOf(wish))) return false;
  wish.reads++;
  return true;
}

/** Writes the node, or removes it when there is nothing to say. */
function sendNode(wish: Wish, bit: u32): bool {
  const payload = putVgpuPath(message(), wish.domid, wish.number).put("/").put(nodeName(bit)).byte(NUL);
  if (!hasNode(wish, bit)) return send(XS_RM, payload, JOB_RM, 0);
  putNode(payload, wish, bit);
  return send(XS_WRITE, payload, JOB_WRITE, 0);
}

function nodeName(bit: u32): string {
  switch (bit) {
    case TODO_RAM_BYTES: return "ram_bytes";
    case TODO_BDF: return "bdf";
    case TODO_ERROR: return "error";
    default: return "state";
  }
}

function hasNode(wish: Wish, bit: u32): bool {
  if (bit == TODO_STATE) return wish.refused != 0 || wish.vgpu != NONE;
  if (bit == TODO_ERROR) return wish.refused != 0 || (wish.vgpu != NONE && hasWords(vgpuAt(wish.vgpu)));
  return wish.vgpu != NONE;
}

function hasWords(vgpu: Vgpu): bool {
  return vgpu.state == VGPU_LOST || vgpu.note != 0;
}

function putNode(payload: Text, wish: Wish, bit: u32): void {
  if (wish.refused) {
    if (bit == TODO_STATE) payload.put("refused");
    else payload.copy(errorOf(wish));
    return;
  }
  const vgpu = vgpuAt(wish.vgpu);
  switch (bit) {
    case TODO_RAM_BYTES: payload.number(barsRamBytes(vgpu.index)); break;
    case TODO_BDF: payload.put("0000:00:").digits(vgpu.slot, 2).put(".0"); break;
    case TODO_ERROR: payload.copy(reasonOf(vgpu.index)); break;
    default: payload.put(stateName(vgpu.state));
  }
}

function forgetIfIdle(wish: Wish): void {
  if (wish.todo == 0 && wish.reads == 0 && wish.vgpu == NONE && !wish.refused) wish.used = 0;
}

// --- the answer to TODO_READ ---

/** What stands at the node now; nothing (length 0) when it is gone. */
export function wishAnswered(index: u32, at: usize, length: u32): void {
  const wish = wishAt(index);
  wish.reads--;
  while (length != 0 && isBlank(load<u8>(at + length - 1))) length--;
  if (wish.kept == KEPT_UNREAD) wish.kept = KEPT_READ;
  if (wish.kept && wish.refused && sameBytes(at, length, specOf(wish).bytes, specOf(wish).length)) {
    need(wish, TODO_NODES); // it broke us once: not again before it was removed or changed
    return;
  }
  wish.kept = 0;
  if (wish.vgpu != NONE) {
    if (sameBytes(at, length, specOf(wish).bytes, specOf(wish).length)) {
      need(wish, TODO_NODES); // somebody wrote it anew: the nodes below may be gone
      return;
    }
    detach(wish);
  }
  if (wish.refused) forgetAttach(wish.domid, wish.number);
  if (length != 0) attach(wish, at, length);
  else if (wish.refused) {
    wish.refused = 0;
    need(wish, TODO_ERROR | TODO_STATE);
  }
  forgetIfIdle(wish);
}

@inline
function isBlank(byte: u32): bool {
  return byte == SPACE || byte == 0x0a || byte == NUL;
}

function detach(wish: Wish): void {
  vgpuDestroy(vgpuAt(wish.vgpu));
  wish.vgpu = NONE;
  need(wish, TODO_NODES);
}

function attach(wish: Wish, at: usize, length: u32): void {
  const error = errorOf(wish).clear();
  specOf(wish).clear().quote(at, min<u32>(length, SPECIFICATION_BYTES_MAX));
  const vgpu = make(wish, at, length, error);
  need(wish, wish.refused || vgpu == null ? TODO_ERROR | TODO_STATE : 0);
  wish.refused = vgpu == null ? 1 : 0;
  if (vgpu == null) return;
  wish.vgpu = vgpu.index;
  need(wish, TODO_RAM_BYTES | TODO_BDF | TODO_STATE);
}

function make(wish: Wish, at: usize, length: u32, error: Text): Vgpu | null {
  if (explainsDamage()) {
    error.put("guest ").number(wish.domid).put(" vgpu ").number(wish.number);
    error.put(": its record was damaged when the driver domain panicked; write the specification again");
    return null;
  }
  if (wish.number >= VGPUS_PER_GUEST_MAX) {
    error.put("vgpu ").number(wish.number).put(": numbers go from 0 to ").number(VGPUS_PER_GUEST_MAX - 1);
    return null;
  }
  if (length > SPECIFICATION_BYTES_MAX) {
    error.put("specification of ").number(length).put(" bytes, limit ").number(SPECIFICATION_BYTES_MAX);
    return null;
  }
  const spec = parseSpecification(at, length, error);
  return spec == null ? null : vgpuCreate(wish.domid, wish.number, spec, error);
}
