// SPDX-License-Identifier: MIT
//
// The table of resources: what the guest has made, by the ids that it chose. A 2D resource has pixels of its own
// (pixels.ts), counted against the guest's quota, and a backing in its memory from which they are transferred. A blob
// is its backing and nothing else.
//
//   FREE ──CREATE_2D──> TWO_D (pixels; backing by ATTACH, DETACH) ──UNREF──> FREE
//   FREE ──CREATE_BLOB──> BLOB (backing) ──UNREF──> FREE

import * as G from "./protocol";
import { buffer_destroy } from "../../sdk/capability";
import { commandWord } from "./message";
import { pixelsAllocate } from "./pixels";

/** A desktop's compositor keeps some dozens; a handle or two each of the mediator's. */
export const RESOURCES_MAX: u32 = 128;
/** As the core's SCANOUT_EXTENT_MAX: a row has at most 64 KiB, which is one piece of a copy. */
export const EXTENT_MAX: u32 = 16384;
export const PIXEL_BYTES: u32 = 4;

export const KIND_FREE: u32 = 0;
export const KIND_TWO_D: u32 = 1;
export const KIND_BLOB: u32 = 2;

@unmanaged
export class Resource {
  id: u32;
  kind: u32;
  format: u32; // VIRTIO_GPU_FORMAT_*
  width: u32;
  height: u32;
  pixels: u32; // buffer of its own pixels; 0: none
  backing: u32; // buffer over guest pages; 0: none
  unused: u32;
  bytes: u64; // of the picture, or of the blob
  pixels_at: u64; // in their BAR
  backing_bytes: u64;
}
const RESOURCE_BYTES: u32 = 56;

const TABLE: usize = memory.data(RESOURCES_MAX * RESOURCE_BYTES, 8);

export function resourceAt(slot: u32): Resource {
  if (offsetof<Resource>() > RESOURCE_BYTES) ERROR("RESOURCE_BYTES");
  return changetype<Resource>(TABLE + slot * RESOURCE_BYTES);
}

/** Drivers count ids upwards: the slot of the same number is tried first. */
export function resourceFind(id: u32): Resource | null {
  if (id == 0) return null;
  const first = resourceAt(id % RESOURCES_MAX);
  if (first.id == id) return first;
  for (let slot: u32 = 0; slot < RESOURCES_MAX; slot++) {
    if (resourceAt(slot).id == id) return resourceAt(slot);
  }
  return null;
}

function freeSlot(id: u32): Resource | null {
  const first = resourceAt(id % RESOURCES_MAX);
  if (first.kind == KIND_FREE) return first;
  for (let slot: u32 = 0; slot < RESOURCES_MAX; slot++) {
    if (resourceAt(slot).kind == KIND_FREE) return resourceAt(slot);
  }
  return null;
}

let made: Resource | null = null;

/** The resource that resourceNew has just made. */
export function resourceMade(): Resource {
  return made!;
}

/** A fresh record with that id: 0 and it is in resourceMade(), or the response that refuses. */
export function resourceNew(id: u32, kind: u32): u32 {
  if (id == 0 || resourceFind(id) != null) return G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
  const resource = freeSlot(id);
  if (resource == null) return G.VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
  memory.fill(changetype<usize>(resource), 0, RESOURCE_BYTES);
  resource.id = id;
  resource.kind = kind;
  made = resource;
  return 0;
}

/** Mirror of resourceNew, with all that it got since; no scanout may show it any more. */
export function resourceFree(resource: Resource): void {
  dropBacking(resource);
  if (resource.pixels != 0) buffer_destroy(resource.pixels);
  memory.fill(changetype<usize>(resource), 0, RESOURCE_BYTES);
}

export function dropBacking(resource: Resource): void {
  if (resource.backing != 0) buffer_destroy(resource.backing);
  resource.backing = 0;
  resource.backing_bytes = 0;
}

export function resourcesFree(): void {
  for (let slot: u32 = 0; slot < RESOURCES_MAX; slot++) {
    if (resourceAt(slot).kind != KIND_FREE) resourceFree(resourceAt(slot));
  }
}

/** Their buffers are gone already. */
export function resourcesForget(): void {
  memory.fill(TABLE, 0, RESOURCES_MAX * RESOURCE_BYTES);
}

/** All formats of the specification have four bytes a pixel. */
export function isFormat(format: u32): bool {
  switch (format) {
    case G.VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM:
    case G.VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM:
    case G.VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM:
    case G.VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM:
    case G.VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM:
    case G.VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM:
    case G.VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM:
    case G.VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM: return true;
    default: return false;
  }
}

// --- commands ---

export function create2d(): u32 {
  const width = commandWord(G.CREATE_2D_WIDTH);
  const height = commandWord(G.CREATE_2D_HEIGHT);
  const format = commandWord(G.CREATE_2D_FORMAT);
  if (!isFormat(format)) return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  if (width == 0 || height == 0 || width > EXTENT_MAX || height > EXTENT_MAX) {
    return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  }
  const refused = resourceNew(commandWord(G.CREATE_2D_RESOURCE), KIND_TWO_D);
  if (refused != 0) return refused;
  const resource = resourceMade();
  resource.format = format;
  resource.width = width;
  resource.height = height;
  resource.bytes = <u64>width * height * PIXEL_BYTES;
  if (pixelsAllocate(resource)) return G.VIRTIO_GPU_RESP_OK_NODATA;
  resourceFree(resource);
  return G.VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
}
