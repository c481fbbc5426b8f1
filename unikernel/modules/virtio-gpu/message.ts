// SPDX-License-Identifier: MIT
//
// The command that is being worked on, as it was read from the guest once, and its response. One at a time: the control
// queue is served in order, and a fence is the completion of the command that carries it (virtio 1.2, 5.7.6.7).

import * as G from "./protocol";
import { Chain, chainRead, chainWrite } from "../../sdk/virtio/chain";

/** The longest fixed part is SET_SCANOUT_BLOB's. */
const COMMAND_BYTES: u32 = 96;
const RESPONSE_BYTES: u32 = 1056; // DISPLAY_INFO 408, EDID 1056

export const command: usize = memory.data(96, 8);
export const response: usize = memory.data(1056, 8);

/** What a command's function answers while it is not done: no response type is 0. */
export const UNDONE: u32 = 0;

// @ts-ignore: decorator
@inline
export function commandWord(offset: u32): u32 {
  return load<u32>(command + offset);
}

// @ts-ignore: decorator
@inline
export function commandLong(offset: u32): u64 {
  return load<u64>(command + offset);
}

export function commandType(): u32 {
  return load<u32>(command);
}

/** The header; false: the buffer is shorter. What is not read of the command reads 0. */
export function readHeader(chain: Chain): bool {
  if (COMMAND_BYTES < <u32>G.SCANOUT_BLOB_BYTES || RESPONSE_BYTES < <u32>G.EDID_BYTES) ERROR("message sizes");
  memory.fill(command, 0, COMMAND_BYTES);
  return chainRead(chain, command, G.HEADER_BYTES);
}

/** The fixed part behind the header, so that the command has `bytes` in all. */
export function readBody(chain: Chain, bytes: u32): bool {
  return bytes <= <u32>G.HEADER_BYTES || chainRead(chain, command + G.HEADER_BYTES, bytes - G.HEADER_BYTES);
}

/** How long a response of that type is. */
function bytesOf(type: u32): u32 {
  if (type == G.VIRTIO_GPU_RESP_OK_DISPLAY_INFO) return G.DISPLAY_INFO_BYTES;
  if (type == G.VIRTIO_GPU_RESP_OK_EDID) return G.EDID_BYTES;
  return G.HEADER_BYTES;
}

/** Header and what stands behind it in `response`; a fence's number and context go back with it. */
export function writeResponse(chain: Chain, type: u32): bool {
  const fenced = commandWord(G.HEADER_FLAGS) & G.VIRTIO_GPU_FLAG_FENCE;
  store<u32>(response, type);
  store<u32>(response, fenced, G.HEADER_FLAGS);
  store<u64>(response, fenced ? commandLong(G.HEADER_FENCE_ID) : 0, G.HEADER_FENCE_ID);
  store<u32>(response, fenced ? commandWord(G.HEADER_CTX_ID) : 0, G.HEADER_CTX_ID);
  store<u32>(response, 0, G.HEADER_CTX_ID + 4);
  return chainWrite(chain, response, bytesOf(type));
}
