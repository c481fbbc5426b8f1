// SPDX-License-Identifier: MIT
//
// A resource's backing: a scatter list of guest pages behind the command, up to many thousand entries. It is read in
// pieces, each entry once, and goes to the mediator piece by piece, which checks every page; what the driver writes
// there later changes nothing.
//
//   ATTACH_BACKING, CREATE_BLOB ──> begin ──> step ... step ──> backing complete, answered
//                                      └── an entry that cannot be ──> all of it undone, answered with an error

import { CAPABILITY_OK } from "../../abi/module";
import * as G from "./protocol";
import { buffer_append, buffer_create, buffer_destroy } from "../../sdk/capability";
import { Chain, chainRead } from "../../sdk/virtio/chain";
import { budgetTake } from "./budget";
import { UNDONE, commandLong, commandWord } from "./message";
import { KIND_BLOB, KIND_TWO_D, Resource, dropBacking, resourceFind, resourceFree, resourceMade, resourceNew } from
  "./resources";
import { scanoutsDrop } from "./scanouts";

/** 256 MiB in single pages. */
export const ENTRIES_MAX: u32 = 65536;
const PIECE_ENTRIES: u32 = 128;
const LIST_ENTRY_BYTES: u32 = 16; // { gpa u64, bytes u64 }, as buffer_create wants it

/** Read as the guest's entries, changed in place into a list: both have 16 bytes an entry. */
const entries: usize = memory.data(PIECE_ENTRIES * LIST_ENTRY_BYTES, 8);

let target: Resource | null = null;
let left: u32 = 0;
let buffer: u32 = 0;
let bytes: u64 = 0;

/** What is under way comes to no end. */
export function backingCancel(): void {
  if (buffer != 0) buffer_destroy(buffer);
  backingForget();
}

/** The same, when its buffer is gone already. */
export function backingForget(): void {
  buffer = 0;
  target = null;
}

export function isBackingUnderWay(): bool {
  return target != null;
}

export function attachBacking(): u32 {
  const resource = resourceFind(commandWord(G.ATTACH_RESOURCE));
  if (resource == null || resource.kind != KIND_TWO_D) return G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
  if (resource.backing != 0) return G.VIRTIO_GPU_RESP_ERR_UNSPEC;
  return begin(resource, commandWord(G.ATTACH_ENTRIES));
}

export function createBlob(): u32 {
  if (commandWord(G.BLOB_MEM) != G.VIRTIO_GPU_BLOB_MEM_GUEST) return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  if (commandLong(G.BLOB_SIZE) == 0) return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  const refused = resourceNew(commandWord(G.BLOB_RESOURCE), KIND_BLOB);
  if (refused != 0) return refused;
  resourceMade().bytes = commandLong(G.BLOB_SIZE);
  const answer = begin(resourceMade(), commandWord(G.BLOB_ENTRIES));
  if (answer != UNDONE) resourceFree(resourceMade());
  return answer;
}

function begin(resource: Resource, count: u32): u32 {
  if (count == 0 || count > ENTRIES_MAX) return G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
  target = resource;
  left = count;
  buffer = 0;
  bytes = 0;
  return UNDONE;
}

/** One piece of the list; UNDONE: there is more. */
export function backingStep(chain: Chain): u32 {
  const count = min<u32>(left, PIECE_ENTRIES);
  budgetTake(8);
  if (!chainRead(chain, entries, count * G.MEM_ENTRY_BYTES) || !convert(count)) {
    return refuse(G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
  }
  if (!hand(count)) return refuse(G.VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
  left -= count;
  return left == 0 ? complete() : UNDONE;
}

/** { addr u64, length u32, padding u32 } to { gpa u64, bytes u64 }. The sum of 65536 lengths fits 48 bits. */
function convert(count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const at = entries + i * LIST_ENTRY_BYTES;
    const length = load<u32>(at, G.MEM_ENTRY_LENGTH);
    if (length == 0) return false;
    store<u64>(at, length, 8);
    bytes += length;
  }
  return true;
}

function hand(count: u32): bool {
  if (buffer != 0) return buffer_append(buffer, <u32>entries, count) == CAPABILITY_OK;
  buffer = buffer_create(<u32>entries, count);
  return buffer != 0;
}

function complete(): u32 {
  const resource = target!;
  if (resource.kind == KIND_BLOB && bytes < resource.bytes) return refuse(G.VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
  resource.backing = buffer;
  resource.backing_bytes = bytes;
  buffer = 0;
  target = null;
  return G.VIRTIO_GPU_RESP_OK_NODATA;
}

function refuse(type: u32): u32 {
  const resource = target!;
  backingCancel();
  if (resource.kind == KIND_BLOB) resourceFree(resource);
  return type;
}

export function detachBacking(): u32 {
  const resource = resourceFind(commandWord(G.SIMPLE_ID));
  if (resource == null) return G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
  if (resource.backing == 0) return G.VIRTIO_GPU_RESP_ERR_UNSPEC;
  if (resource.kind == KIND_BLOB) scanoutsDrop(resource); // it is shown from there
  dropBacking(resource);
  return G.VIRTIO_GPU_RESP_OK_NODATA;
}

export function unref(): u32 {
  const resource = resourceFind(commandWord(G.SIMPLE_ID));
  if (resource == null) return G.VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
  scanoutsDrop(resource);
  resourceFree(resource);
  return G.VIRTIO_GPU_RESP_OK_NODATA;
}
