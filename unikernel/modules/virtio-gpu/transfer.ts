// SPDX-License-Identifier: MIT
//
// TRANSFER_TO_HOST_2D: a rectangle of pixels from the backing in guest memory to the resource's own. The backing has
// the resource's stride; `offset` is where the rectangle begins in it. Done in pieces of at most 64 KiB and 64 pages,
// so that a big one holds up nobody, and one of narrow rows neither.

import { CAPABILITY_OK } from "../../abi/module";
import * as G from "./protocol";
import { buffer_copy } from "../../sdk/capability";
import { budgetTake } from "./budget";
import { UNDONE, commandLong, commandWord } from "./message";
import { rectHeight, rectWidth, rectX, rectY, takeRect } from "./rect";
import { KIND_BLOB, PIXEL_BYTES, Resource, resourceFind } from "./resources";

const PIECE_BYTES: u32 = 65536;
const PIECE_PAGES: u32 = 64;
const PAGE_BYTES: u32 = 4096;

let target: Resource | null = null;
let from: u64 = 0;
let to: u64 = 0;
let rowBytes: u32 = 0;
let rows: u32 = 0;

export function transferCancel(): void {
  target = null;
}

export function isTransferUnderWay(): bool {
  return target != null;
}

/** A blob has no second copy of its pixels: nothing to do. */
export function transfer(): u32 {
  const resource = resourceFind(commandWord(G.TRANSFER_RESOURCE));
  if (resource == null) return G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
  if (resource.kind == KIND_BLOB) return G.VIRTIO_GPU_RESP_OK_NODATA;
  if (!takeRect(G.TRANSFER_RECT, resource.width, resource.height)) return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  if (resource.backing == 0) return G.VIRTIO_GPU_RESP_ERR_UNSPEC;
  const stride = resource.width * PIXEL_BYTES;
  const bytes = <u64>(rectHeight - 1) * stride + rectWidth * PIXEL_BYTES;
  from = commandLong(G.TRANSFER_OFFSET);
  if (bytes > resource.backing_bytes || from > resource.backing_bytes - bytes) {
    return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  }
  target = resource;
  to = <u64>rectY * stride + rectX * PIXEL_BYTES;
  rowBytes = rectWidth * PIXEL_BYTES;
  rows = rectHeight;
  return UNDONE;
}

/** One piece; UNDONE: there is more. */
export function transferStep(): u32 {
  const resource = target!;
  const stride = resource.width * PIXEL_BYTES;
  const pages = rowBytes / PAGE_BYTES + 2; // that a row can touch
  const count = min<u32>(rows, max<u32>(min<u32>(PIECE_BYTES / rowBytes, PIECE_PAGES / pages), 1));
  budgetTake(1 + count * pages);
  const answer = buffer_copy(resource.pixels, to, stride, resource.backing, from, stride, rowBytes, count);
  from += <u64>count * stride;
  to += <u64>count * stride;
  rows -= count;
  if (answer == CAPABILITY_OK && rows != 0) return UNDONE;
  target = null;
  return answer == CAPABILITY_OK ? G.VIRTIO_GPU_RESP_OK_NODATA : G.VIRTIO_GPU_RESP_ERR_UNSPEC;
}
