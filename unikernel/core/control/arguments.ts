// SPDX-License-Identifier: MIT
//
// Arguments of a request, taken one after the other. What is wrong stands in the reply already when one of these says
// so (false, null, -1).

import { FORMAT_NONE } from "../../abi/module";
import { cursorPlane, scanoutAt, scanoutLocate, scanoutsOf } from "../display/scanout";
import { SPACE, Words, parsed } from "../text";
import { guestFind } from "../vgpu/guest";
import { Vgpu, vgpuNumbered } from "../vgpu/vgpu";
import { replyError } from "./reply";

/** domids of real domains end here (DOMID_FIRST_RESERVED, xen/xen.h). */
export const DOMID_END: u64 = 0x7ff0;

/** The number that take() took last. */
export let argument: u64 = 0;

export function take(words: Words, name: string, end: u64): bool {
  if (words.next(SPACE) && words.number() && parsed < end) {
    argument = parsed;
    return true;
  }
  replyError().put("malformed request: ").put(name).put(" must be 0 to ").number(end - 1);
  return false;
}

export function atEnd(words: Words): bool {
  if (!words.next(SPACE)) return true;
  replyError().put("malformed request: \"").quote(words.at, min<u32>(words.length, 32)).put("\" is too much");
  return false;
}

export function takeVgpu(words: Words): Vgpu | null {
  if (!take(words, "guest", DOMID_END)) return null;
  const domid = <u32>argument;
  if (!take(words, "vgpu", 0x10000)) return null;
  const guest = guestFind(domid);
  if (guest == null) {
    replyError().put("no such guest: ").number(domid);
    return null;
  }
  const vgpu = vgpuNumbered(guest, <u32>argument);
  if (vgpu == null) replyError().put("no such vGPU: guest ").number(domid).put(" has no vgpu ").number(argument);
  return vgpu;
}

/** A scanout number of that vGPU; -1 otherwise. */
export function takeScanout(words: Words, vgpu: Vgpu): i32 {
  if (!take(words, "scanout", 0x10000)) return -1;
  const number = <u32>argument;
  if (number < scanoutsOf(vgpu)) return <i32>number;
  replyError().put("no such scanout: ").number(number).put(", there are ").number(scanoutsOf(vgpu));
  return -1;
}

/** Nothing more, or the word `cursor`: the plane that is meant, when it is on and has pages behind it; else -1. */
export function takePlane(words: Words, vgpu: Vgpu, scanout: u32): i32 {
  let cursor = false;
  if (words.next(SPACE)) {
    cursor = words.is("cursor");
    if (!cursor) words.open(words.at, <u32>(words.end - words.at)); // back to the word just read
    if (!atEnd(words)) return -1;
  }
  const plane = cursor ? cursorPlane(scanout) : scanout;
  const picture = scanoutAt(vgpu.index, plane);
  if (picture.format != FORMAT_NONE && scanoutLocate(vgpu, picture, 0)) return <i32>plane;
  replyError().put(cursor ? "cursor off: " : "scanout off: ").number(scanout);
  return -1;
}
