// SPDX-License-Identifier: MIT
//
// Figures for `stat`: of the domain, and of one vGPU.

import * as S from "../../abi/shim";
import { MANIFEST_BUFFERS, MANIFEST_BUFFER_BYTES, MANIFEST_BUFFER_PIECES } from "../../abi/manifest";
import { FORMAT_NONE } from "../../abi/module";
import { cursorPlane, formatName, scanoutAt, scanoutsOf } from "../display/scanout";
import { PAGE_SHIFT } from "../limits";
import { panicWords } from "../restart/restore";
import { Text } from "../text";
import {
  GUEST_COUNTERS,
  VGPU_COUNTERS,
  VGPU_FUEL_USED,
  guestCounter,
  guestCounterName,
  vgpuCounter,
  vgpuCounterName,
} from "../trace/counters";
import { traceDropped, traceRecords } from "../trace/ring";
import { barsRamBytes, barsRamPages } from "../vgpu/bar";
import { bufferBytesOf, buffersOf } from "../vgpu/buffer";
import { guestCount } from "../vgpu/guest";
import { manifest, moduleCount, putModuleName, putModuleTitle } from "../vgpu/module";
import { piecesUsed } from "../vgpu/pieces";
import { isThrottled, quarantineCounted, quarantined } from "../vgpu/quarantine";
import { THRESHOLDS, settingName } from "../vgpu/threshold";
import { Vgpu, stateName, vgpuCount } from "../vgpu/vgpu";
import { putPair } from "./reply";
import { xenstoreDropped } from "./xenstore";

export function putDomainStat(text: Text): void {
  putPair(text, "entry_ns", S.shim_stat(S.STAT_ENTRY_NS));
  putPair(text, "ready_ns", S.shim_stat(S.STAT_READY_NS));
  putPair(text, "now_ns", S.shim_time_ns());
  putPair(text, "image_bytes", S.shim_stat(S.STAT_IMAGE_BYTES));
  putPair(text, "memory_pages", S.shim_stat(S.STAT_MEMORY_PAGES));
  putPair(text, "arena_pages", S.shim_stat(S.STAT_ARENA_PAGES_USED));
  putPair(text, "events", S.shim_stat(S.STAT_EVENTS));
  putPair(text, "blocks", S.shim_stat(S.STAT_BLOCKS));
  putPair(text, "console_dropped", S.shim_stat(S.STAT_CONSOLE_DROPPED));
  putPair(text, "xenstore_dropped", xenstoreDropped());
  putPair(text, "trace_records", traceRecords());
  putPair(text, "trace_dropped", traceDropped());
  putPair(text, "modules", moduleCount());
  putPair(text, "guests", guestCount());
  putPair(text, "vgpus", vgpuCount());
  putPair(text, "restarts", S.shim_stat(S.STAT_RESTARTS));
  if (panicWords().length != 0) text.put(" last_panic=\"").copy(panicWords()).put("\"");
}

export function putVgpuState(text: Text, vgpu: Vgpu): void {
  putModuleTitle(text.put(" module="), vgpu.module).put(" hash=").digits(S.shim_instance_hash(vgpu.instance), 8);
  putPair(text, "fuel_used", load<u64>(vgpuCounter(vgpu.index, VGPU_FUEL_USED)));
}

export function putVgpuStat(text: Text, vgpu: Vgpu): void {
  putModuleName(text.put(" module="), vgpu.module).put(" state=").put(stateName(vgpu.state));
  for (let i: u32 = 0; i < VGPU_COUNTERS; i++) {
    putPair(text, vgpuCounterName(i), load<u64>(vgpuCounter(vgpu.index, i)));
  }
  for (let i: u32 = 0; i < GUEST_COUNTERS; i++) {
    putPair(text, guestCounterName(i), load<u64>(guestCounter(vgpu.guest, i)));
  }
  putPair(text, "ram_pages", barsRamPages(vgpu.index));
  putPair(text, "buffers", buffersOf(vgpu));
  putPair(text, "buffer_bytes", bufferBytesOf(vgpu));
  putPair(text, "buffer_pieces", piecesUsed(vgpu.index));
  putQuota(text, vgpu);
  putPair(text, "quarantined", quarantined(vgpu.domid) ? 1 : 0);
  putPair(text, "throttled", isThrottled(vgpu.domid) ? 1 : 0);
  for (let i: u32 = 0; i < THRESHOLDS; i++) {
    text.put(" recent_").put(settingName(i)).put("=").number(quarantineCounted(vgpu.domid, i));
  }
  for (let i: u32 = 0; i < scanoutsOf(vgpu); i++) putScanout(text, vgpu, i);
  for (let i: u32 = 0; i < scanoutsOf(vgpu); i++) putCursor(text, vgpu, i);
}

/** What it may have at most, in the order of what it has. */
function putQuota(text: Text, vgpu: Vgpu): void {
  const at = manifest(vgpu.module);
  putPair(text, "quota_ram_pages", barsRamBytes(vgpu.index) >> PAGE_SHIFT);
  putPair(text, "quota_buffers", load<u32>(at, MANIFEST_BUFFERS));
  putPair(text, "quota_bytes", load<u64>(at, MANIFEST_BUFFER_BYTES));
  putPair(text, "quota_pieces", load<u32>(at, MANIFEST_BUFFER_PIECES));
}

function putScanout(text: Text, vgpu: Vgpu, i: u32): void {
  const scanout = scanoutAt(vgpu.index, i);
  text.put(" scanout").number(i).put("=");
  if (scanout.format == FORMAT_NONE) text.put("off");
  else text.number(scanout.width).put("x").number(scanout.height).put("/").put(formatName(scanout.format));
}

/** Where it is, when there is one. */
function putCursor(text: Text, vgpu: Vgpu, i: u32): void {
  text.put(" cursor").number(i).put("=");
  const cursor = scanoutAt(vgpu.index, cursorPlane(i));
  if (cursor.format == FORMAT_NONE) text.put("off");
  else text.signed(cursor.x).put(",").signed(cursor.y);
}
