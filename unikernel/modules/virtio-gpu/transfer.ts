// SPDX-License-Identifier: MIT
//
// TRANSFER_TO_HOST_2D: a rectangle of pixels from the backing in guest memory to the resource's own. The backing has
// the resource's stride; `offset` is where the rectangle begins in it. The copy itself is the engine's (workload.ts),
// in slices, when the scheduler says so; no other command is looked at meanwhile, so the resource stays.

import * as G from "./protocol";
import { ENGINE_COPY } from "../../abi/module";
import { work_copy } from "../../sdk/capability";
import { UNDONE, commandLong, commandWord } from "./message";
import { rectHeight, rectWidth, rectX, rectY, takeRect } from "./rect";
import { KIND_BLOB, PIXEL_BYTES, resourceFind } from "./resources";

/** UNDONE: it is right, and the engine's. A blob has no second copy of its pixels: nothing to do. */
export function transfer(): u32 {
  const resource = resourceFind(commandWord(G.TRANSFER_RESOURCE));
  if (resource == null) return G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
  if (resource.kind == KIND_BLOB) return G.VIRTIO_GPU_RESP_OK_NODATA;
  if (!takeRect(G.TRANSFER_RECT, resource.width, resource.height)) return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  if (resource.backing == 0) return G.VIRTIO_GPU_RESP_ERR_UNSPEC;
  const stride = resource.width * PIXEL_BYTES;
  const bytes = <u64>(rectHeight - 1) * stride + rectWidth * PIXEL_BYTES;
  const from = commandLong(G.TRANSFER_OFFSET);
  if (bytes > resource.backing_bytes || from > resource.backing_bytes - bytes) {
    return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  }
  return UNDONE;
}

/** The command and its rectangle are as transfer() judged them. The answer is work_copy's. */
export function transferSubmit(cookie: u64): i32 {
  const resource = resourceFind(commandWord(G.TRANSFER_RESOURCE))!;
  const stride = resource.width * PIXEL_BYTES;
  const to = <u64>rectY * stride + rectX * PIXEL_BYTES;
  const from = commandLong(G.TRANSFER_OFFSET);
  const row_bytes = rectWidth * PIXEL_BYTES;
  return work_copy(
    ENGINE_COPY, cookie, resource.pixels, to, stride, resource.backing, from, stride, row_bytes, rectHeight,
  );
}
