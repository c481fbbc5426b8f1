// SPDX-License-Identifier: MIT
//
// Requests: one line in, one line out (docs/CONTROL.md). What takes long (a picture) goes on in slices of background
// work and is answered when it is done; a new request ends it, because the one who asked has gone.

import { EVENT_OUTPUT } from "../../abi/module";
import { XEN_EBUSY } from "../../abi/xen/errno";
import {
  PICTURE_CRC,
  PICTURE_IDLE,
  SLICE_CHANGED,
  SLICE_DONE,
  SLICE_MORE,
  pictureCancel,
  pictureCrc,
  pictureIsCursor,
  pictureScanout,
  pictureSlice,
  pictureStartCrc,
  pictureStartRead,
  pictureWork,
} from "../display/picture";
import { Scanout, formatName, rowBytes, scanoutAt, scanoutsOf } from "../display/scanout";
import { REQUEST_BYTES_MAX, SCANOUT_EXTENT_MAX, SHARE_BYTES, TRACE_RECORDS, TRACE_RECORD_BYTES, TRIAL_MS_MAX }
  from "../limits";
import { SPACE, Text, WORDS_BYTES, Words, parsed } from "../text";
import { traceDropped, traceRecord, traceRecords } from "../trace/ring";
import { deviceEvent } from "../vgpu/device";
import { vgpuReset } from "../vgpu/lifecycle";
import { moduleFind, putModuleTitle } from "../vgpu/module";
import { putRefusal, quarantineImpose, quarantineLift, quarantined } from "../vgpu/quarantine";
import { replaceHandedOver, vgpuReplace } from "../vgpu/replace";
import { VGPU_READY } from "../vgpu/vgpu";
import { DOMID_END, argument, atEnd, take, takePlane, takeScanout, takeVgpu } from "./arguments";
import { domainReply } from "./domain";
import { describe, loadModule, unloadModule } from "./modules";
import { putPair, replyError, replyOk, replyTo } from "./reply";
import { requestBegun, requestInterrupted, requestOld } from "./request_record";
import { engine, policy, set } from "./scheduling_request";
import { shareClose, shareOpen, sharePages, shareWrite } from "./share";
import { putDomainStat, putVgpuState, putVgpuStat } from "./stat";
import { book, threshold } from "./threshold_request";

const WORDS: usize = memory.data(WORDS_BYTES, 8);

// of a `read` under way
let peer: u32 = 0;
let bytes: u32 = 0;

/** The request node was read; empty when there is none. */
export function requestAnswered(at: usize, length: u32): void {
  if (length == 0) return;
  replyTo(0);
  const words = changetype<Words>(WORDS).open(at, length);
  while (length != 0 && load<u8>(at + length - 1) <= SPACE) words.open(at, --length);
  if (words.next(SPACE) && words.number() && requestOld(parsed)) return;
  words.open(at, length);
  pictureCancel();
  if (length > REQUEST_BYTES_MAX) malformed("request too long");
  else if (!words.next(SPACE) || !words.number()) malformed("malformed request: it begins with a decimal number");
  else run(words);
  if (pictureWork() == PICTURE_IDLE) domainReply();
}

function malformed(words: string): void {
  replyError().put(words);
}

function run(words: Words): void {
  replyTo(parsed);
  if (requestInterrupted(parsed)) return malformed("the driver domain restarted while it worked on this");
  requestBegun(parsed);
  const busy = shareClose();
  words.next(SPACE);
  if (words.is("stat")) return stat(words);
  if (words.is("crc")) return crc(words);
  if (words.is("reset")) return reset(words);
  if (words.is("output")) return output(words);
  if (words.is("replace")) return replace(words);
  if (words.is("quarantine")) return quarantine(words);
  if (words.is("lift")) return lift(words);
  if (words.is("threshold")) return threshold(words);
  if (words.is("book")) return book(words);
  if (words.is("state")) return state(words);
  if (words.is("module")) return describe(words);
  if (words.is("load")) return loadModule(words);
  if (words.is("unload")) return unloadModule(words);
  if (words.is("set")) return set(words);
  if (words.is("policy")) return policy(words);
  if (words.is("engine")) return engine(words);
  const needs_share = words.is("read") || words.is("trace") || words.is("release");
  if (needs_share && busy == -XEN_EBUSY) return malformed("share busy: the peer still maps it");
  if (needs_share && busy < 0) {
    replyError().put("share not released, error ").signed(busy);
    return;
  }
  if (words.is("read")) return read(words);
  if (words.is("trace")) return trace(words);
  if (words.is("release")) return release(words);
  replyError().put("malformed request: no verb \"").quote(words.at, min<u32>(words.length, 32)).put("\"");
}

// --- the verbs ---

function stat(words: Words): void {
  if (!words.next(SPACE)) return putDomainStat(replyOk());
  words.open(words.at, <u32>(words.end - words.at)); // back to the word just read
  const vgpu = takeVgpu(words);
  if (vgpu != null && atEnd(words)) putVgpuStat(replyOk(), vgpu);
}

/** Of the module's instance: what it is by content, and what it took to get there. */
function state(words: Words): void {
  const vgpu = takeVgpu(words);
  if (vgpu == null || !atEnd(words)) return;
  if (vgpu.instance >= 0) putVgpuState(replyOk(), vgpu);
  else malformed("no instance: it was lost in a restart");
}

function reset(words: Words): void {
  const vgpu = takeVgpu(words);
  if (vgpu == null || !atEnd(words)) return;
  if (quarantined(vgpu.domid)) {
    putRefusal(replyError(), vgpu.domid);
    return;
  }
  if (vgpuReset(vgpu)) replyOk();
  else malformed("lost again in reset");
}

/** What is plugged into an output: its module hears of it. */
function output(words: Words): void {
  const vgpu = takeVgpu(words);
  if (vgpu == null || !take(words, "output", scanoutsOf(vgpu))) return;
  const number = argument;
  if (!take(words, "width", SCANOUT_EXTENT_MAX + 1)) return;
  const width = argument;
  if (!take(words, "height", SCANOUT_EXTENT_MAX + 1) || !atEnd(words)) return;
  if (vgpu.state != VGPU_READY) return malformed("the vGPU is not ready");
  deviceEvent(vgpu, EVENT_OUTPUT, (number << 32) | (argument << 16) | width);
  replyOk();
}

/** replace <guest> <n> <module>[@<version>] <trial ms> */
function replace(words: Words): void {
  const vgpu = takeVgpu(words);
  if (vgpu == null) return;
  const module = words.next(SPACE) ? moduleFind(words.at, words.length) : -1;
  if (module < 0) {
    replyError().put("no such module: \"").quote(words.at, min<u32>(words.length, 64)).put("\"");
    return;
  }
  if (!take(words, "trial", TRIAL_MS_MAX + 1)) return;
  const trial_ms = argument;
  if (!atEnd(words)) return;
  const from = vgpu.module;
  if (!vgpuReplace(vgpu, module, trial_ms, replyError())) return;
  const text = putModuleTitle(putModuleTitle(replyOk().put(" from="), from).put(" to="), module);
  putPair(text.put(" state=").put(replaceHandedOver(from, module) ? "kept" : "reset"), "trial_ms", trial_ms);
}

function quarantine(words: Words): void {
  if (!take(words, "guest", DOMID_END)) return;
  const domid = <u32>argument;
  if (!atEnd(words)) return;
  if (quarantineImpose(domid)) replyOk();
  else putRefusal(replyError(), domid);
}

function lift(words: Words): void {
  if (!take(words, "guest", DOMID_END)) return;
  const domid = <u32>argument;
  if (!atEnd(words)) return;
  if (quarantineLift(domid)) replyOk();
  else replyError().put("guest ").number(domid).put(" is not in quarantine");
}

function crc(words: Words): void {
  const vgpu = takeVgpu(words);
  if (vgpu == null) return;
  const scanout = takeScanout(words, vgpu);
  const plane = scanout < 0 ? -1 : takePlane(words, vgpu, scanout);
  if (plane >= 0) pictureStartCrc(vgpu, plane);
}

function read(words: Words): void {
  const vgpu = takeVgpu(words);
  if (vgpu == null) return;
  const number = takeScanout(words, vgpu);
  if (number < 0) return;
  if (!take(words, "offset", u64.MAX_VALUE)) return;
  const offset = argument;
  if (!take(words, "peer", DOMID_END)) return;
  const plane = takePlane(words, vgpu, number);
  if (plane < 0) return;
  const total = pictureBytes(scanoutAt(vgpu.index, plane));
  if (offset >= total) {
    replyError().put("offset beyond the picture: ").number(offset).put(" of ").number(total).put(" bytes");
    return;
  }
  peer = <u32>argument;
  bytes = <u32>min<u64>(total - offset, SHARE_BYTES);
  pictureStartRead(vgpu, plane, offset, bytes);
}

@inline
function pictureBytes(scanout: Scanout): u64 {
  return <u64>rowBytes(scanout) * scanout.height;
}

function release(words: Words): void {
  if (atEnd(words)) replyOk();
}

function trace(words: Words): void {
  if (!take(words, "offset", TRACE_RECORDS + 1)) return;
  const offset = <u32>argument;
  if (!take(words, "peer", DOMID_END) || !atEnd(words)) return;
  const records = traceRecords() > offset ? traceRecords() - offset : 0;
  for (let i: u32 = 0; i < records; i++) {
    const result = shareWrite(i * TRACE_RECORD_BYTES, traceRecord(offset + i), TRACE_RECORD_BYTES);
    if (result < 0) return failed("share not written", result);
  }
  const gref = shareOpen(<u32>argument, records * TRACE_RECORD_BYTES);
  if (gref < 0) return failed("share not granted", gref);
  const text = putShare(replyOk(), gref, records * TRACE_RECORD_BYTES);
  putPair(text, "records", records);
  putPair(text, "dropped", traceDropped());
}

function failed(what: string, result: i32): void {
  replyError().put(what).put(", error ").signed(result);
}

function putShare(text: Text, gref: i32, length: u32): Text {
  putPair(text, "gref", gref);
  putPair(text, "pages", sharePages(length));
  return putPair(text, "bytes", length);
}

// --- work in slices ---

/** A slice, when a picture is being looked at; true: there is more. */
export function requestWork(): bool {
  const kind = pictureWork();
  if (kind == PICTURE_IDLE) return false;
  const result = pictureSlice();
  if (result == SLICE_MORE) return true;
  if (result == SLICE_CHANGED) malformed("scanout changed while it was read");
  else if (result != SLICE_DONE) failed("picture not read", result);
  else if (kind == PICTURE_CRC) crcDone();
  else readDone();
  domainReply();
  return true; // once more, to send the reply
}

function crcDone(): void {
  const scanout = pictureScanout();
  const text = replyOk().put(" crc32=").digits(pictureCrc(), 8);
  putPair(text, "width", scanout.width);
  putPair(text, "height", scanout.height);
  putPair(text, "stride", scanout.stride).put(" format=").put(formatName(scanout.format));
  if (pictureIsCursor()) text.put(" x=").signed(scanout.x).put(" y=").signed(scanout.y);
}

function readDone(): void {
  const scanout = pictureScanout();
  const gref = shareOpen(peer, bytes);
  if (gref < 0) return failed("share not granted", gref);
  const text = putShare(replyOk(), gref, bytes);
  putPair(text, "total", pictureBytes(scanout));
  putPair(text, "width", scanout.width);
  putPair(text, "height", scanout.height).put(" format=").put(formatName(scanout.format));
}
