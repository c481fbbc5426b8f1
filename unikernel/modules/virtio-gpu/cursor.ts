// SPDX-License-Identifier: MIT
//
// The cursor of each output: what the driver said last. A cursor is 64 by 64 pixels (virtio 1.2, 5.7.6.8); a command
// that names anything else, or an output that there is not, changes nothing. There is no response to write.

import * as G from "./protocol";
import { Chain, chainRead } from "../../sdk/virtio/chain";
import { OUTPUTS_MAX, outputCount } from "./outputs";
import { KIND_TWO_D, PIXEL_BYTES, Resource, resourceFind } from "./resources";

const CURSOR_EXTENT: u32 = 64;

@unmanaged
class Cursor {
  resource: u32; // id; 0: hidden
  hot_x: u32;
  hot_y: u32;
  x: u32;
  y: u32;
}
const RECORD_BYTES: u32 = 20;

const TABLE: usize = memory.data(OUTPUTS_MAX * RECORD_BYTES, 8);
const command: usize = memory.data(56, 8);

function cursorAt(number: u32): Cursor {
  if (offsetof<Cursor>() > RECORD_BYTES) ERROR("RECORD_BYTES");
  return changetype<Cursor>(TABLE + number * RECORD_BYTES);
}

export function cursorsReset(): void {
  memory.fill(TABLE, 0, OUTPUTS_MAX * RECORD_BYTES);
}

export function cursorCommand(chain: Chain): void {
  memory.fill(command, 0, G.CURSOR_BYTES);
  if (!chainRead(chain, command, G.CURSOR_BYTES)) return;
  const number = load<u32>(command, G.CURSOR_SCANOUT);
  if (number >= outputCount()) return;
  const type = load<u32>(command);
  if (type == G.VIRTIO_GPU_CMD_UPDATE_CURSOR && !update(number)) return;
  if (type == G.VIRTIO_GPU_CMD_UPDATE_CURSOR || type == G.VIRTIO_GPU_CMD_MOVE_CURSOR) move(number);
}

function update(number: u32): bool {
  const id = load<u32>(command, G.CURSOR_RESOURCE);
  if (id != 0) {
    const resource = resourceFind(id);
    if (resource == null || !isCursor(resource)) return false;
  }
  const cursor = cursorAt(number);
  cursor.resource = id;
  cursor.hot_x = load<u32>(command, G.CURSOR_HOT_X);
  cursor.hot_y = load<u32>(command, G.CURSOR_HOT_Y);
  return true;
}

/** A blob has bytes and no extents. */
function isCursor(resource: Resource): bool {
  if (resource.kind == KIND_TWO_D) return resource.width == CURSOR_EXTENT && resource.height == CURSOR_EXTENT;
  return resource.bytes >= CURSOR_EXTENT * CURSOR_EXTENT * PIXEL_BYTES;
}

function move(number: u32): void {
  const cursor = cursorAt(number);
  cursor.x = load<u32>(command, G.CURSOR_X);
  cursor.y = load<u32>(command, G.CURSOR_Y);
}
