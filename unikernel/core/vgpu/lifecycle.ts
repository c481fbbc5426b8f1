// SPDX-License-Identifier: MIT
//
// A vGPU from its specification to its end. create and destroy are mirror images; destroy also ends what create left
// half done, so that a refusal leaves nothing behind.

import {
  BAR_KIND,
  BAR_NO_SIZE_PARAM,
  BAR_SIZE_BYTES,
  BAR_SIZE_PARAM,
  BAR_SPACE,
  MANIFEST_BUFFER_PIECES,
  MANIFEST_MSIX_VECTORS,
  MANIFEST_MSI_VECTORS,
} from "../../abi/manifest";
import {
  FAULT_NONE,
  shim_call_fault,
  shim_instance_create,
  shim_instance_destroy,
  shim_instance_reset,
  shim_ioreq_range_map,
  shim_ioreq_range_unmap,
} from "../../abi/shim";
import { XEN_DMOP_IO_RANGE_PCI } from "../../abi/xen/dm_op";
import { SpecificationRecord } from "../control/specification";
import { statusChanged } from "../control/wish";
import { scanoutsOff } from "../display/scanout";
import { BARS, PIECES_MAX, SLOTS, VGPUS_MAX } from "../limits";
import { save } from "../restart/save";
import { Text } from "../text";
import { clearVgpuCounters } from "../trace/counters";
import { TRACE_ATTACH, TRACE_DETACH, TRACE_RESET, traceEvent } from "../trace/ring";
import { barDefine, barUnmap } from "./bar";
import { buffersClear, buffersInit } from "./buffer";
import { configInit } from "./config_init";
import { deviceAttach, deviceReset } from "./device";
import { Guest, NO_VGPU, guestAt, guestClose, guestEnable, guestOpen, slotEntry, slotRange } from "./guest";
import { lose, loseWords, reasonOf } from "./lose";
import { barRow, manifest, putModuleName } from "./module";
import { msixInit } from "./msix";
import { piecesRelease, piecesReserve } from "./pieces";
import { paramsCopy } from "./param";
import { putRefusal, quarantineCount, quarantined } from "./quarantine";
import { ramRelease } from "./ram";
import { replaceSettle } from "./replace";
import { throttleVgpu } from "./throttle";
import { THRESHOLD_RESETS } from "./threshold";
import {
  VGPU_ATTACHING,
  VGPU_DETACHING,
  VGPU_LOST,
  VGPU_READY,
  Vgpu,
  advance,
  putVgpu,
  vgpuAllocate,
  vgpuFree,
} from "./vgpu";
import { workAdmits, workAttach, workDetach, workReset, workSet } from "../work/work";

/** A READY vGPU as the specification says; null with words in `error`. */
export function vgpuCreate(domid: u32, number: u32, spec: SpecificationRecord, error: Text): Vgpu | null {
  if (quarantined(domid)) {
    putRefusal(error, domid);
    return null;
  }
  const guest = guestOpen(domid, spec.mode, error);
  if (guest == null) return null;
  const vgpu = admit(guest, number, spec, error);
  if (vgpu != null && build(vgpu, guest, spec, error)) {
    advance(vgpu, VGPU_READY);
    save(vgpu);
    traceEvent(domid, number, TRACE_ATTACH, vgpu.module, vgpu.slot);
    return vgpu;
  }
  if (vgpu != null) vgpuDestroy(vgpu);
  else if (guest.vgpus == 0) guestClose(guest);
  return null;
}

function admit(guest: Guest, number: u32, spec: SpecificationRecord, error: Text): Vgpu | null {
  const slot = spec.slot != 0 ? spec.slot : firstFreeSlot(guest);
  if (load<u8>(slotEntry(guest, slot)) != NO_VGPU) {
    error.put("guest ").number(guest.domid).put(": slot ").number(slot).put(" is taken");
    return null;
  }
  const vgpu = vgpuAllocate(guest, number, slot);
  if (vgpu == null) error.put("no room for another vGPU, limit ").number(VGPUS_MAX);
  return vgpu;
}

/** A guest has fewer vGPUs than slots, so there is one. */
function firstFreeSlot(guest: Guest): u32 {
  let slot: u32 = 1;
  while (slot < SLOTS - 1 && load<u8>(slotEntry(guest, slot)) != NO_VGPU) slot++;
  return slot;
}

function build(vgpu: Vgpu, guest: Guest, spec: SpecificationRecord, error: Text): bool {
  vgpu.module = spec.module;
  paramsCopy(vgpu.index, spec);
  save(vgpu); // a panic in what follows must not attach it again, to panic again
  clearVgpuCounters(vgpu.index);
  scanoutsOff(vgpu);
  if (!reservePieces(vgpu, error)) return false;
  for (let i: u32 = 0; i < BARS; i++) defineBar(vgpu, i, barBytes(vgpu, i, spec));
  powerOn(vgpu);
  workAttach(vgpu);
  if (!workAdmits(vgpu, spec.scheduling, error)) return false;
  workSet(vgpu, spec.scheduling);
  throttleVgpu(vgpu);
  if (!createInstance(vgpu, error) || !claimSlot(vgpu, guest, error)) return false;
  return attach(vgpu, error) && guestEnable(guest, error);
}

/** What its manifest promises to need at most is its own from here on. */
export function reservePieces(vgpu: Vgpu, error: Text): bool {
  const pieces = load<u32>(manifest(vgpu.module), MANIFEST_BUFFER_PIECES);
  buffersInit(vgpu.index);
  if (piecesReserve(vgpu.index, pieces)) return true;
  putModuleName(putVgpu(error, vgpu).put("module "), vgpu.module).put(" wants ").number(pieces);
  error.put(" pieces of buffers, of ").number(PIECES_MAX).put(" there are not so many left in a row");
  return false;
}

function barBytes(vgpu: Vgpu, i: u32, spec: SpecificationRecord): u64 {
  const row = barRow(vgpu.module, i);
  const size_param: u32 = load<u8>(row, BAR_SIZE_PARAM);
  return size_param == BAR_NO_SIZE_PARAM ? load<u64>(row, BAR_SIZE_BYTES) : spec.param(size_param);
}

export function defineBar(vgpu: Vgpu, i: u32, size_bytes: u64): void {
  const row = barRow(vgpu.module, i);
  barDefine(vgpu.index, i, load<u8>(row, BAR_KIND), load<u8>(row, BAR_SPACE), size_bytes);
}

/** The device as it comes out of power-on; BARs are defined and unmapped. */
export function powerOn(vgpu: Vgpu): void {
  vgpu.msi_vectors = load<u16>(manifest(vgpu.module), MANIFEST_MSI_VECTORS);
  vgpu.msix_vectors = load<u16>(manifest(vgpu.module), MANIFEST_MSIX_VECTORS);
  configInit(vgpu);
  msixInit(vgpu);
}

function createInstance(vgpu: Vgpu, error: Text): bool {
  vgpu.instance = shim_instance_create(vgpu.module, vgpu.index);
  if (vgpu.instance >= 0) return true;
  putModuleName(putVgpu(error, vgpu).put("no instance of module "), vgpu.module).put(", error ").signed(vgpu.instance);
  return false;
}

export function claimSlot(vgpu: Vgpu, guest: Guest, error: Text): bool {
  const range = slotRange(vgpu.slot);
  const result = shim_ioreq_range_map(guest.server, XEN_DMOP_IO_RANGE_PCI, range, range);
  vgpu.claimed_slot = result == 0 ? 1 : 0;
  if (result == 0) return true;
  putVgpu(error, vgpu).put("slot ").number(vgpu.slot).put(" not claimed, error ").signed(result);
  return false;
}

function attach(vgpu: Vgpu, error: Text): bool {
  const answer = deviceAttach(vgpu);
  if (shim_call_fault() != FAULT_NONE) {
    error.copy(reasonOf(vgpu.index));
    return false;
  }
  if (answer == 0) return true;
  putModuleName(putVgpu(error, vgpu).put("module "), vgpu.module).put(": attach answered ").signed(answer);
  return false;
}

/** Mirror of vgpuCreate; the guest goes with its last vGPU. */
export function vgpuDestroy(vgpu: Vgpu): void {
  const guest = guestAt(vgpu.guest);
  if (vgpu.state != VGPU_ATTACHING) traceEvent(vgpu.domid, vgpu.number, TRACE_DETACH, vgpu.module, vgpu.slot);
  advance(vgpu, VGPU_DETACHING);
  save(vgpu); // a panic in what follows must not bring it back
  scanoutsOff(vgpu);
  for (let i: u32 = 0; i < BARS; i++) barUnmap(vgpu, i);
  if (vgpu.claimed_slot) {
    shim_ioreq_range_unmap(guest.server, XEN_DMOP_IO_RANGE_PCI, slotRange(vgpu.slot), slotRange(vgpu.slot));
  }
  ramRelease(vgpu);
  workDetach(vgpu);
  replaceSettle(vgpu);
  if (vgpu.instance >= 0) shim_instance_destroy(vgpu.instance);
  piecesRelease(vgpu.index);
  vgpuFree(vgpu);
  if (guest.vgpus == 0) guestClose(guest);
  save(vgpu); // now: a record of the next one with its name must not meet this one's after a panic
}

/**
 * The device as it came out of power-on, in the same slot. One that works resets itself; a lost one gets a fresh
 * instance. RAM stays parked. True: it is READY again.
 */
export function vgpuReset(vgpu: Vgpu): bool {
  const lost = vgpu.state == VGPU_LOST;
  replaceSettle(vgpu);
  vgpu.note = 0;
  quarantineCount(vgpu.domid, THRESHOLD_RESETS);
  workReset(vgpu);
  if (!lost && vgpu.state == VGPU_LOST) return false; // it took the news badly
  advance(vgpu, VGPU_ATTACHING);
  traceEvent(vgpu.domid, vgpu.number, TRACE_RESET, vgpu.module, vgpu.slot);
  scanoutsOff(vgpu);
  buffersClear(vgpu);
  for (let i: u32 = 0; i < BARS; i++) barUnmap(vgpu, i);
  powerOn(vgpu);
  if (!(lost ? freshInstance(vgpu) : resetInstance(vgpu))) return false;
  advance(vgpu, VGPU_READY);
  statusChanged(vgpu.domid, vgpu.number);
  return true;
}

function resetInstance(vgpu: Vgpu): bool {
  deviceReset(vgpu);
  return vgpu.state == VGPU_ATTACHING;
}

function freshInstance(vgpu: Vgpu): bool {
  const result = vgpu.instance >= 0 ? shim_instance_reset(vgpu.instance) : newInstance(vgpu);
  if (result < 0) return lostInReset(vgpu, result);
  const answer = deviceAttach(vgpu);
  if (vgpu.state == VGPU_LOST) return false;
  return answer == 0 || lostInReset(vgpu, answer);
}

/** Lost by a restart, which took the instance. */
function newInstance(vgpu: Vgpu): i32 {
  vgpu.instance = shim_instance_create(vgpu.module, vgpu.index);
  return vgpu.instance;
}

function lostInReset(vgpu: Vgpu, answer: i32): bool {
  putModuleName(loseWords(vgpu).put("module "), vgpu.module).put(": no reset, answer ").signed(answer);
  lose(vgpu, <u64>answer, 0);
  return false;
}
