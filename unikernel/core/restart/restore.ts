// SPDX-License-Identifier: MIT
//
// After a panic: what was saved becomes vGPUs again, by the same steps that made them (the shim knows which servers
// and ranges stand already). Records are not believed: who they speak of, every index and range is looked at first.
// What makes no sense, or was in the middle of something, is lost or refused with words; nobody else notices.

import { BAR_KIND, BAR_KIND_RAM, BAR_NO_SIZE_PARAM, BAR_SIZE_BYTES, BAR_SIZE_PARAM, BAR_SPACE, PARAM_MAX, PARAM_MIN }
  from "../../abi/manifest";
import { FORMAT_NONE } from "../../abi/module";
import {
  RESTART_KEEP, RESTART_LOSE, RESTART_NONE, shim_instance_adopt, shim_panic_words, shim_restart,
  shim_save, shim_saved,
} from "../../abi/shim";
import { XEN_EIO } from "../../abi/xen/errno";
import { DOMID_END } from "../control/arguments";
import { shareRecover } from "../control/share";
import { wishRestore } from "../control/wish";
import { Scanout, scanoutAllowed, scanoutAt, scanoutsOf } from "../display/scanout";
import {
  BARS, ERROR_BYTES_MAX, GUESTS_MAX, PAGE_SHIFT, PARAMS, RAM_BYTES_MAX, SCANOUT_BYTES, SLOTS, SPECIFICATION_BYTES_MAX,
  VGPUS_MAX, VGPUS_PER_GUEST_MAX,
} from "../limits";
import { logLine, logSend } from "../log";
import { TEXT_HEADER_BYTES, Text, textAt } from "../text";
import { barAt, barsResume, barsSettle } from "../vgpu/bar";
import { configRestore } from "../vgpu/config_space";
import { Guest, MODE_HVM, MODE_PVH, guestAt, guestClose, guestEnable, guestFind, guestOpen } from "../vgpu/guest";
import { claimSlot, defineBar, powerOn, reservePieces } from "../vgpu/lifecycle";
import { lose, loseWords } from "../vgpu/lose";
import { barRow, barSizeFits, moduleOffered, paramExists, paramRow } from "../vgpu/module";
import { msixRestore } from "../vgpu/msix";
import { paramsRestore } from "../vgpu/param";
import { pollResume } from "../vgpu/poll";
import { BOOKS_BYTES, booksRestored, booksTake } from "../vgpu/quarantine";
import { depopulate } from "../vgpu/ram";
import { throttleVgpu } from "../vgpu/throttle";
import {
  VGPU_ATTACHING, VGPU_DETACHING, VGPU_FREE, VGPU_LOST, VGPU_READY, Vgpu, advance, vgpuAt, vgpuNumbered, vgpuTake,
} from "../vgpu/vgpu";
import { Parameters } from "../sched/entity";
import { workRestore } from "../work/work";
import {
  AT_CONFIG, AT_MSIX, AT_PARAMS, AT_RAM, AT_REASON, AT_SCANOUTS, AT_SCHEDULING, AT_SPECIFICATION, RAM_BYTES,
  RECORD_BYTES, RECORD_QUARANTINE, SAVED_FORMAT, Saved, record, recordPart,
} from "./record";

const WORDS_BYTES: u32 = ERROR_BYTES_MAX + TEXT_HEADER_BYTES;
const CAUSE: usize = memory.data(WORDS_BYTES, 8);
const ERROR_TEXT: usize = memory.data(WORDS_BYTES, 8);

let damaged: u32 = 0;
let unexplained: u32 = 0; // of these, how many specifications have not turned up yet

/** The last panic in words; empty when there was none. */
export function panicWords(): Text {
  const text = textAt(CAUSE, WORDS_BYTES);
  text.length = <u32>max<i32>(0, shim_panic_words(<u32>text.bytes, text.capacity));
  return text;
}

/** Records that were there and cannot be read. */
export function recordsDamaged(): u32 {
  return damaged;
}

/** A specification that nobody remembers is taken for one of a damaged record's, once for each. */
export function explainsDamage(): bool {
  if (unexplained == 0) return false;
  unexplained--;
  return true;
}

export function restoreAll(): void {
  if (shim_restart() == RESTART_NONE) return;
  shareRecover();
  booksRestored(shim_saved(RECORD_QUARANTINE, <u32>booksTake(), BOOKS_BYTES) == <i32>BOOKS_BYTES, DOMID_END);
  for (let i: u32 = 0; i < VGPUS_MAX; i++) {
    const length = shim_saved(i, <u32>recordPart(0), RECORD_BYTES);
    if (length == 0) continue;
    if (length != <i32>RECORD_BYTES || !restoreOne(i, record())) dropRecord(i);
  }
  for (let i: u32 = 0; i < GUESTS_MAX; i++) if (guestAt(i).used) settle(guestAt(i));
}

function dropRecord(i: u32): void {
  damaged++;
  unexplained++;
  shim_save(i, 0, 0);
  logSend(logLine().put("restart: record ").number(i).put(" is damaged, what it spoke of is lost"));
}

/** The specification in whose attach we panicked is another now, or gone: its record has said what it had to say. */
export function forgetAttach(domid: u32, number: u32): void {
  if (shim_restart() == RESTART_NONE) return;
  for (let i: u32 = 0; i < VGPUS_MAX; i++) {
    if (vgpuAt(i).state != VGPU_FREE || shim_saved(i, <u32>recordPart(0), RECORD_BYTES) != <i32>RECORD_BYTES) continue;
    const saved = record();
    if (saved.state == VGPU_ATTACHING && saved.domid == domid && saved.number == number) shim_save(i, 0, 0);
  }
}

/** False: it is not even known whom it speaks of. */
function restoreOne(i: u32, saved: Saved): bool {
  if (saved.format != SAVED_FORMAT) return false;
  if (saved.domid >= <u32>DOMID_END || saved.number >= VGPUS_PER_GUEST_MAX) return false;
  if (saved.specification > SPECIFICATION_BYTES_MAX || saved.reason > ERROR_BYTES_MAX) return false;
  if (saved.state == VGPU_DETACHING) {
    releaseRam(saved);
    shim_save(i, 0, 0);
    wishRestore(saved.domid, saved.number, null, recordPart(AT_SPECIFICATION), 0, null);
    return true;
  }
  const error = textAt(ERROR_TEXT, WORDS_BYTES);
  error.put("guest ").number(saved.domid).put(" vgpu ").number(saved.number).put(": ");
  if (saved.state == VGPU_ATTACHING) {
    const known = guestFind(saved.domid);
    if (known != null && vgpuNumbered(known, saved.number) != null) shim_save(i, 0, 0); // it came good later
    else refuse(saved, error.put("the driver domain panicked while it attached this: ").copy(panicWords()));
    return true;
  }
  if (saved.state <= VGPU_LOST && !moduleOffered(saved.module)) {
    refuse(saved, error.put("its module is not loaded any more after the driver domain's panic: ").copy(panicWords()));
    shim_save(i, 0, 0);
    return true;
  }
  const wrong = firstWrong(saved);
  if (wrong.length != 0) {
    refuse(saved, error.put("its saved state makes no sense: ").put(wrong));
    shim_save(i, 0, 0);
    return true;
  }
  error.clear();
  const guest = guestOpen(saved.domid, saved.mode, error);
  if (guest == null) {
    releaseRam(saved);
    refuse(saved, error);
    shim_save(i, 0, 0);
    return true;
  }
  rebuild(guest, i, saved);
  return true;
}

function refuse(saved: Saved, error: Text): void {
  logSend(logLine().put("restart: ").copy(error));
  wishRestore(saved.domid, saved.number, null, recordPart(AT_SPECIFICATION), saved.specification, error);
}

// --- does it make sense? "" or the word for what does not ---

function firstWrong(saved: Saved): string {
  if (saved.state != VGPU_READY && saved.state != VGPU_LOST) return "state";
  if (saved.mode != MODE_PVH && saved.mode != MODE_HVM) return "mode";
  if (saved.slot == 0 || saved.slot >= SLOTS) return "slot";
  for (let i: u32 = 0; i < PARAMS; i++) {
    const value = load<u64>(recordPart(AT_PARAMS + i * 8));
    if (!paramExists(saved.module, i)) continue;
    const row = paramRow(saved.module, i);
    if (value < load<u64>(row, PARAM_MIN) || value > load<u64>(row, PARAM_MAX)) return "parameter";
  }
  for (let i: u32 = 0; i < BARS; i++) if (!barMakesSense(saved, i)) return "BAR";
  return "";
}

function sizeOf(saved: Saved, i: u32): u64 {
  const row = barRow(saved.module, i);
  const param: u32 = load<u8>(row, BAR_SIZE_PARAM);
  return param == BAR_NO_SIZE_PARAM ? load<u64>(row, BAR_SIZE_BYTES) : load<u64>(recordPart(AT_PARAMS + param * 8));
}

/** RAM is there as a whole or not at all. */
function barMakesSense(saved: Saved, i: u32): bool {
  const row = barRow(saved.module, i);
  const kind: u32 = load<u8>(row, BAR_KIND);
  const pages: u64 = load<u32>(recordPart(AT_RAM + i * RAM_BYTES), 8);
  if (kind == 0) return pages == 0;
  const bytes = sizeOf(saved, i);
  if (!barSizeFits(kind, load<u8>(row, BAR_SPACE), bytes)) return false;
  return pages == 0 || (kind == <u32>BAR_KIND_RAM && pages == bytes >> PAGE_SHIFT);
}

// --- the vGPU again ---

function rebuild(guest: Guest, i: u32, saved: Saved): void {
  const vgpu = vgpuTake(i, guest, saved.number, saved.slot);
  if (vgpu == null) {
    if (guest.vgpus == 0) guestClose(guest);
    dropRecord(i);
    return;
  }
  guest.cf8 = saved.cf8;
  vgpu.module = saved.module;
  paramsRestore(i, recordPart(AT_PARAMS));
  for (let bar: u32 = 0; bar < BARS; bar++) restoreBar(vgpu, bar, saved);
  powerOn(vgpu);
  workRestore(vgpu, changetype<Parameters>(recordPart(AT_SCHEDULING)));
  throttleVgpu(vgpu);
  configRestore(vgpu, recordPart(AT_CONFIG));
  msixRestore(vgpu, recordPart(AT_MSIX), saved.msix_pending);
  wishRestore(saved.domid, saved.number, vgpu, recordPart(AT_SPECIFICATION), saved.specification, null);
  const error = textAt(ERROR_TEXT, WORDS_BYTES);
  const claimed = reservePieces(vgpu, error) && claimSlot(vgpu, guest, error);
  advance(vgpu, VGPU_READY);
  if (!claimed) loseWith(vgpu, error);
  else keepOrLose(vgpu, saved);
}

function restoreBar(vgpu: Vgpu, i: u32, saved: Saved): void {
  defineBar(vgpu, i, sizeOf(saved, i));
  const bar = barAt(vgpu.index, i);
  bar.ram_gfn = load<u64>(recordPart(AT_RAM + i * RAM_BYTES));
  bar.ram_pages = load<u32>(recordPart(AT_RAM + i * RAM_BYTES), 8);
  bar.was_mapped = load<u32>(recordPart(AT_RAM + i * RAM_BYTES), 12);
}

function loseWith(vgpu: Vgpu, words: Text): void {
  loseWords(vgpu).copy(words);
  lose(vgpu, 0, 0);
}

function keepOrLose(vgpu: Vgpu, saved: Saved): void {
  if (saved.state == VGPU_LOST) {
    const reason = textAt(ERROR_TEXT, WORDS_BYTES).quote(recordPart(AT_REASON), saved.reason);
    loseWords(vgpu).clear().copy(reason);
    return lose(vgpu, 0, 0);
  }
  if (shim_restart() != RESTART_KEEP) {
    loseWords(vgpu).put("the driver domain panicked twice in a short time, last: ").copy(panicWords());
    return lose(vgpu, RESTART_LOSE, 0);
  }
  if (saved.moving != 0) {
    loseWords(vgpu).put("the driver domain panicked while its RAM was placed: ").copy(panicWords());
    return lose(vgpu, 0, 0);
  }
  if (saved.buffers != 0) {
    loseWords(vgpu).put("its buffers are gone after the driver domain's panic: ").copy(panicWords());
    return lose(vgpu, saved.buffers, 0);
  }
  const result = saved.instance < 0 ? saved.instance : shim_instance_adopt(saved.instance, saved.module, vgpu.index);
  if (result == 0) {
    vgpu.instance = saved.instance;
    restoreScanouts(vgpu);
    pollResume(vgpu);
    return;
  }
  const words = loseWords(vgpu);
  if (result == -XEN_EIO) words.put("its module was in a call when the driver domain panicked: ");
  else words.put("its module's instance is gone after the driver domain's panic: ");
  words.copy(panicWords());
  lose(vgpu, 0, 0);
}

/** A picture that does not fit is off; the module sets it again. */
function restoreScanouts(vgpu: Vgpu): void {
  for (let i: u32 = 0; i < scanoutsOf(vgpu); i++) {
    const from = recordPart(AT_SCANOUTS + i * SCANOUT_BYTES);
    if (!scanoutAllowed(vgpu, changetype<Scanout>(from))) store<u32>(from, FORMAT_NONE);
    memory.copy(changetype<usize>(scanoutAt(vgpu.index, i)), from, SCANOUT_BYTES);
  }
}

/** Requests come again; addresses are claimed as configuration space says. */
function settle(guest: Guest): void {
  const error = textAt(ERROR_TEXT, WORDS_BYTES);
  const enabled = guestEnable(guest, error);
  let ready: Vgpu | null = null;
  for (let n: u32 = 0; n < VGPUS_PER_GUEST_MAX; n++) {
    const vgpu = vgpuNumbered(guest, n);
    if (vgpu == null || vgpu.state != VGPU_READY) continue;
    if (!enabled) {
      loseWith(vgpu, error);
      continue;
    }
    barsResume(vgpu);
    ready = vgpu;
  }
  if (ready != null) barsSettle(ready);
}

/** Of a vGPU that does not come back: what the guest still has from it goes back. */
function releaseRam(saved: Saved): void {
  for (let i: u32 = 0; i < BARS; i++) {
    const gfn = load<u64>(recordPart(AT_RAM + i * RAM_BYTES));
    const pages = load<u32>(recordPart(AT_RAM + i * RAM_BYTES), 8);
    if (pages != 0 && pages <= <u32>(RAM_BYTES_MAX >> PAGE_SHIFT)) depopulate(saved.domid, gfn, pages);
  }
}
