// SPDX-License-Identifier: MIT
//
// Where the pixels of 2D resources lie: in a `ram` BAR of the device that no driver looks at. So they are the guest's
// own memory, as much as the operator gave it, and nothing that it makes can use up the mediator's
// (docs/decisions/0014). Each takes whole pages, the first gap that is wide enough.

import { BUFFER_NONE } from "../../abi/module";
import { buffer_bar, param } from "../../sdk/capability";
import { PARAM_MEMORY_BYTES } from "./params";
import { RESOURCES_MAX, Resource, resourceAt } from "./resources";

const BAR_PIXELS: u32 = 4;
const PAGE_BYTES: u64 = 4096;
const BYTES_MAX: u64 = 256 << 20;

/** A BAR is a power of two. */
export function isMemorySize(bytes: u64): bool {
  return bytes >= PAGE_BYTES && bytes <= BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

/** Place for resource.bytes; false: there is none. */
export function pixelsAllocate(resource: Resource): bool {
  const bytes = wholePages(resource.bytes);
  const at = firstGap(bytes);
  if (at > param(PARAM_MEMORY_BYTES) || bytes > param(PARAM_MEMORY_BYTES) - at) return false;
  resource.pixels = buffer_bar(BAR_PIXELS, at, resource.bytes);
  resource.pixels_at = at;
  return resource.pixels != BUFFER_NONE;
}

@inline
function wholePages(bytes: u64): u64 {
  return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

/** The least offset at which nobody's pixels are in the way; it is 0 or somebody's end. */
function firstGap(bytes: u64): u64 {
  let at: u64 = 0;
  for (let slot: u32 = 0; slot < RESOURCES_MAX; ) {
    const other = resourceAt(slot);
    const end = other.pixels_at + wholePages(other.bytes);
    if (other.pixels != BUFFER_NONE && other.pixels_at < at + bytes && at < end) {
      at = end;
      slot = 0;
    } else {
      slot++;
    }
  }
  return at;
}
