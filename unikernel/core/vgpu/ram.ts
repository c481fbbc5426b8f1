// SPDX-License-Identifier: MIT
//
// `ram` BARs: pages that the guest reaches without a trap. They are the guest's own, populated at the address that it
// programs first, moved with their contents when it programs another, given back when the vGPU goes.
// Two never share an address: one that wants where another stands waits until that one has left, and pages parked where
// another is put now are given back, for the guest gave their address away (Xen would drop them without a word).
// All calls are in batches; what failed half-way is undone, and the vGPU is lost with the numbers in words.

import { shim_guest_depopulate, shim_guest_populate, shim_guest_relocate } from "../../abi/shim";
import { BARS, PAGE_SHIFT, RAM_BATCH_PAGES, VGPUS_PER_GUEST_MAX } from "../limits";
import { save } from "../restart/save";
import { barAt } from "./bar";
import { guestAt } from "./guest";
import { lose, loseWords } from "./lose";
import { Vgpu, countRefused, vgpuNumbered } from "./vgpu";

/** The pages of this BAR stand at `address` afterwards; or false: it has to wait, or the vGPU is lost. */
export function ramPlace(vgpu: Vgpu, i: u32, address: u64): bool {
  const bar = barAt(vgpu.index, i);
  const gfn = address >> PAGE_SHIFT;
  const pages = <u32>(bar.size_bytes >> PAGE_SHIFT);
  if (!makeRoom(vgpu, i, gfn, pages)) {
    countRefused(vgpu);
    return false;
  }
  bar.ram_moving = 1;
  save(vgpu);
  const failed = bar.ram_pages == 0 ? populate(vgpu, gfn, pages) : move(vgpu, bar.ram_gfn, gfn, pages);
  if (failed == 0) {
    bar.ram_gfn = gfn;
    bar.ram_pages = pages;
    bar.ram_moving = 0;
    save(vgpu);
    return true;
  }
  bar.ram_moving = 0;
  refused(vgpu, i, gfn, pages, failed);
  return false;
}

/** True: no other RAM of ours stands in the way. */
function makeRoom(vgpu: Vgpu, i: u32, gfn: u64, pages: u32): bool {
  for (let n: u32 = 0; n < VGPUS_PER_GUEST_MAX; n++) {
    const other = vgpuNumbered(guestAt(vgpu.guest), n);
    if (other == null) continue;
    for (let j: u32 = 0; j < BARS; j++) {
      const bar = barAt(other.index, j);
      if (other.index == vgpu.index && j == i) continue;
      if (bar.ram_pages == 0 || bar.ram_gfn >= gfn + pages || gfn >= bar.ram_gfn + bar.ram_pages) continue;
      if (bar.mapped) return false;
      depopulate(other.domid, bar.ram_gfn, bar.ram_pages);
      bar.ram_pages = 0;
      save(other);
    }
  }
  return true;
}

function refused(vgpu: Vgpu, i: u32, gfn: u64, pages: u32, failed: i32): void {
  const words = loseWords(vgpu).put("BAR ").number(i).put(": ").number(pages).put(" pages at gfn ").hex(gfn);
  if (failed > 0) words.put(", Xen gave ").number(pages - failed).put(" (is the guest's maxmem raised?)");
  else words.put(", error ").signed(failed);
  lose(vgpu, <u64>failed, gfn);
}

/** 0; or how many pages are missing; or a negated errno. Nothing stays after a failure. */
function populate(vgpu: Vgpu, gfn: u64, pages: u32): i32 {
  for (let done: u32 = 0; done < pages; ) {
    const batch = min<u32>(pages - done, RAM_BATCH_PAGES);
    const got = shim_guest_populate(vgpu.domid, gfn + done, batch);
    if (got > 0) done += <u32>got;
    if (got == <i32>batch) continue;
    depopulate(vgpu.domid, gfn, done);
    return got < 0 ? got : pages - done;
  }
  return 0;
}

/** 0 or a negated errno; after a failure the pages are back where they were, as far as Xen allows. */
function move(vgpu: Vgpu, from: u64, to: u64, pages: u32): i32 {
  if (from == to) return 0;
  for (let done: u32 = 0; done < pages; ) {
    const batch = min<u32>(pages - done, RAM_BATCH_PAGES);
    const result = shim_guest_relocate(vgpu.domid, from + done, to + done, batch);
    if (result < 0) {
      if (done != 0) move(vgpu, to, from, done);
      return result;
    }
    done += batch;
  }
  return 0;
}

/**
 * Xen stops at a page that is not there, because the guest gave it away itself: go on behind it, or the guest would
 * keep the rest.
 */
export function depopulate(domid: u32, gfn: u64, pages: u32): void {
  for (let done: u32 = 0; done < pages; ) {
    const batch = min<u32>(pages - done, RAM_BATCH_PAGES);
    const got = shim_guest_depopulate(domid, gfn + done, batch);
    if (got < 0) return; // the guest is gone
    done += <u32>got < batch ? <u32>got + 1 : batch;
  }
}

/** Mirror of ramPlace for all BARs. */
export function ramRelease(vgpu: Vgpu): void {
  for (let i: u32 = 0; i < BARS; i++) {
    const bar = barAt(vgpu.index, i);
    depopulate(vgpu.domid, bar.ram_gfn, bar.ram_pages);
    bar.ram_pages = 0;
  }
}
