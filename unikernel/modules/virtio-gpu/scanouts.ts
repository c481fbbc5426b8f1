// SPDX-License-Identifier: MIT
//
// Scanouts: which part of which resource each output shows. A 2D resource is shown from its pixels on our side, a blob
// straight from guest memory.

import { CAPABILITY_OK, FORMAT_NONE, FORMAT_XRGB8888 } from "../../abi/module";
import * as G from "./protocol";
import { scanout_flush, scanout_set_buffer } from "../../sdk/capability";
import { UNDONE, commandWord } from "./message";
import { OUTPUTS_MAX, outputCount } from "./outputs";
import { rectHeight, rectWidth, rectX, rectY, takeRect } from "./rect";
import { EXTENT_MAX, KIND_TWO_D, PIXEL_BYTES, Resource, resourceFind } from "./resources";

@unmanaged
class Scanout {
  resource: u32; // id; 0: off
  x: u32; // the part that is shown, in the resource's (the blob's picture's) pixels
  y: u32;
  width: u32;
  height: u32;
}
const SCANOUT_BYTES: u32 = 20;

const TABLE: usize = memory.data(OUTPUTS_MAX * SCANOUT_BYTES, 8);

function scanoutAt(number: u32): Scanout {
  return changetype<Scanout>(TABLE + number * SCANOUT_BYTES);
}

function off(number: u32): void {
  if (scanoutAt(number).resource == 0) return;
  scanoutAt(number).resource = 0;
  scanout_set_buffer(number, 0, 0, 0, 0, 0, FORMAT_NONE);
}

export function scanoutsOff(): void {
  for (let i: u32 = 0; i < OUTPUTS_MAX; i++) off(i);
}

export function scanoutsForget(): void {
  if (offsetof<Scanout>() > SCANOUT_BYTES) ERROR("SCANOUT_BYTES");
  memory.fill(TABLE, 0, OUTPUTS_MAX * SCANOUT_BYTES);
}

/** The resource goes: nobody shows it any more. */
export function scanoutsDrop(resource: Resource): void {
  for (let i: u32 = 0; i < OUTPUTS_MAX; i++) if (scanoutAt(i).resource == resource.id) off(i);
}

/** What we can show: blue, green, red, anything. Linux has no other on a little-endian machine. */
export function canShow(format: u32): bool {
  return format == G.VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM || format == G.VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM;
}

export function setScanout(): u32 {
  const number = commandWord(G.SET_SCANOUT_SCANOUT);
  if (number >= outputCount()) return G.VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
  if (commandWord(G.SET_SCANOUT_RESOURCE) == 0) {
    off(number);
    return G.VIRTIO_GPU_RESP_OK_NODATA;
  }
  const resource = resourceFind(commandWord(G.SET_SCANOUT_RESOURCE));
  if (resource == null || resource.kind != KIND_TWO_D) return G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
  if (!takeRect(G.SET_SCANOUT_RECT, resource.width, resource.height) || !canShow(resource.format)) {
    return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  }
  return show(number, resource, resource.pixels, 0, resource.width * PIXEL_BYTES);
}

export function setScanoutBlob(): u32 {
  const number = commandWord(G.SET_SCANOUT_SCANOUT);
  if (number >= outputCount()) return G.VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
  if (commandWord(G.SET_SCANOUT_RESOURCE) == 0) {
    off(number);
    return G.VIRTIO_GPU_RESP_OK_NODATA;
  }
  const resource = resourceFind(commandWord(G.SET_SCANOUT_RESOURCE));
  if (resource == null || resource.kind == KIND_TWO_D || resource.backing == 0) {
    return G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
  }
  const width = commandWord(G.SCANOUT_BLOB_WIDTH);
  const height = commandWord(G.SCANOUT_BLOB_HEIGHT);
  const stride = commandWord(G.SCANOUT_BLOB_STRIDE);
  const offset = commandWord(G.SCANOUT_BLOB_OFFSET);
  if (width > EXTENT_MAX || height > EXTENT_MAX || stride < width * PIXEL_BYTES) {
    return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  }
  if (!takeRect(G.SET_SCANOUT_RECT, width, height) || !canShow(commandWord(G.SCANOUT_BLOB_FORMAT))) {
    return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  }
  if (offset + <u64>(height - 1) * stride + width * PIXEL_BYTES > resource.bytes) {
    return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  }
  return show(number, resource, resource.backing, offset, stride);
}

/** The rectangle of the command, out of the picture that begins at `offset`. */
function show(number: u32, resource: Resource, buffer: u32, offset: u64, stride: u32): u32 {
  const first = offset + <u64>rectY * stride + rectX * PIXEL_BYTES;
  const answer = scanout_set_buffer(number, buffer, first, rectWidth, rectHeight, stride, FORMAT_XRGB8888);
  if (answer != CAPABILITY_OK) return G.VIRTIO_GPU_RESP_ERR_UNSPEC;
  const scanout = scanoutAt(number);
  scanout.resource = resource.id;
  scanout.x = rectX;
  scanout.y = rectY;
  scanout.width = rectWidth;
  scanout.height = rectHeight;
  return G.VIRTIO_GPU_RESP_OK_NODATA;
}

/** UNDONE: it is right, and done when the engine comes to it. A blob has no extents to hold the rectangle against. */
export function flush(): u32 {
  const resource = resourceFind(commandWord(G.FLUSH_RESOURCE));
  if (resource == null) return G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
  const flat = resource.kind == KIND_TWO_D;
  if (!takeRect(G.FLUSH_RECT, flat ? resource.width : EXTENT_MAX, flat ? resource.height : EXTENT_MAX)) {
    return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  }
  return UNDONE;
}

/** Each output that shows a part of the rectangle has new contents. */
export function flushShow(): void {
  const id = commandWord(G.FLUSH_RESOURCE);
  for (let i: u32 = 0; i < outputCount(); i++) if (scanoutAt(i).resource == id) flushPart(i);
}

function flushPart(number: u32): void {
  const scanout = scanoutAt(number);
  const left = max<u32>(rectX, scanout.x);
  const top = max<u32>(rectY, scanout.y);
  const right = min<u32>(rectX + rectWidth, scanout.x + scanout.width);
  const bottom = min<u32>(rectY + rectHeight, scanout.y + scanout.height);
  if (left >= right || top >= bottom) return;
  scanout_flush(number, left - scanout.x, top - scanout.y, right - left, bottom - top);
}
