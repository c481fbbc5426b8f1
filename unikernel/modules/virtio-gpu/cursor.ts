// SPDX-License-Identifier: MIT
//
// The cursor of each output, as the driver said last. A cursor is 64 by 64 pixels (virtio 1.2, 5.7.6.8) of blue, green,
// red, alpha; a command that names anything else, or an output that there is not, changes nothing. There is no response
// to write. The hot spot is for who draws the pointer elsewhere: x and y are the picture's corner already, as Linux
// says them. The mediator keeps what is shown where, and hides what loses its pixels.

import { BUFFER_NONE, FORMAT_ARGB8888, FORMAT_NONE } from "../../abi/module";
import * as G from "./protocol";
import { cursor_move, cursor_set } from "../../sdk/capability";
import { Chain, chainRead } from "../../sdk/virtio/chain";
import { outputCount } from "./outputs";
import { KIND_TWO_D, PIXEL_BYTES, Resource, resourceFind } from "./resources";
import { canShow } from "./scanouts";

const EXTENT: u32 = 64;
const STRIDE: u32 = EXTENT * PIXEL_BYTES;

const command: usize = memory.data(56, 8);

export function cursorCommand(chain: Chain): void {
  memory.fill(command, 0, G.CURSOR_BYTES);
  if (!chainRead(chain, command, G.CURSOR_BYTES)) return;
  const number = load<u32>(command, G.CURSOR_SCANOUT);
  if (number >= outputCount()) return;
  switch (load<u32>(command)) {
    case G.VIRTIO_GPU_CMD_UPDATE_CURSOR: update(number); break;
    case G.VIRTIO_GPU_CMD_MOVE_CURSOR: move(number); break;
    default: break;
  }
}

function update(number: u32): void {
  const id = load<u32>(command, G.CURSOR_RESOURCE);
  if (id == 0) {
    cursor_set(number, BUFFER_NONE, 0, 0, 0, 0, FORMAT_NONE);
  } else {
    const buffer = pixelsOf(resourceFind(id));
    if (buffer == BUFFER_NONE) return;
    cursor_set(number, buffer, 0, EXTENT, EXTENT, STRIDE, FORMAT_ARGB8888);
  }
  move(number);
}

/**
 * Of a resource that can be a cursor; a blob has bytes and no extents. Linux makes every 2D resource of a dumb buffer
 * in the format without alpha, cursors too, and means their fourth byte as alpha all the same.
 */
function pixelsOf(resource: Resource | null): u32 {
  if (resource == null) return BUFFER_NONE;
  if (resource.kind != KIND_TWO_D) return resource.bytes >= EXTENT * STRIDE ? resource.backing : <u32>BUFFER_NONE;
  const fits = resource.width == EXTENT && resource.height == EXTENT;
  return fits && canShow(resource.format) ? resource.pixels : <u32>BUFFER_NONE;
}

function move(number: u32): void {
  cursor_move(number, load<i32>(command, G.CURSOR_X), load<i32>(command, G.CURSOR_Y));
}
