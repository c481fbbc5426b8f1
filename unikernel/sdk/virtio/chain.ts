// SPDX-License-Identifier: MIT
//
// A descriptor chain (virtio 1.2, 2.7.5): one buffer of the driver's, in pieces; first those that we may read, then
// those that we may write. chainTake() reads every descriptor once into a record of ours and judges it there; after
// that the descriptors in guest memory mean nothing. Each queue has one record: the chain that is being worked on.
//
//   Chain      ┌ head ┬ pieces ┬ readable ┬ ... ┐
//   pieces     ┌ gpa u64 ┬ bytes u32 ┬ 0 u32 ┐ each; the first `readable` of them are readable
//
// Refused (false; the ring is broken): an index outside its table, a loop, more than CHAIN_PIECES_MAX pieces, a
// readable piece behind a writable one, an indirect table within another or with a length that is no table, a range
// that wraps at 2^64, descriptors that are no RAM of the guest.

import * as V from "../../abi/virtio";
import { isRange, readGuest, writeGuest } from "./guest";

/** Also of a queue. A driver may not exceed its size; Linux exceeds it in indirect tables. 8 KiB of descriptors. */
export const CHAIN_PIECES_MAX: u32 = 512;
/** One command queue, one for what overtakes it, and room for devices with more. */
export const CHAINS_MAX: u32 = 4;

const PIECE_BYTES: u32 = 16;
const COPY_MAX: u32 = 4096;

@unmanaged
export class Chain {
  head: u32; // how the driver knows it: index of the first descriptor
  pieces: u32;
  readable: u32; // pieces
  readable_bytes: u64;
  writable_bytes: u64;
  // the reading and the writing end move forward only
  read_piece: u32;
  read_at: u32; // bytes into that piece
  write_piece: u32;
  write_at: u32;
  written: u32; // bytes
}
const CHAIN_BYTES: u32 = 64;

const CHAINS: usize = memory.data(CHAINS_MAX * CHAIN_BYTES, 8);
const PIECES: usize = memory.data(CHAINS_MAX * CHAIN_PIECES_MAX * PIECE_BYTES, 8);
/** Descriptors as read from the guest: a whole table, the queue's or an indirect one. */
const TABLE: usize = memory.data(CHAIN_PIECES_MAX * <u32>V.VRING_DESC_BYTES, 8);

export function chainAt(number: u32): Chain {
  if (offsetof<Chain>() > CHAIN_BYTES) ERROR("CHAIN_BYTES");
  return changetype<Chain>(CHAINS + number * CHAIN_BYTES);
}

@inline
function pieceAt(chain: Chain, piece: u32): usize {
  const number = <u32>(changetype<usize>(chain) - CHAINS) / CHAIN_BYTES;
  return PIECES + (number * CHAIN_PIECES_MAX + piece) * PIECE_BYTES;
}

/**
 * The chain that begins at descriptor `head` of the `size` descriptors at `table`, which are read all at once: a reach
 * costs more than the bytes do, and a chain may go through all of them.
 */
export function chainTake(chain: Chain, table: u64, size: u32, head: u32, indirect_allowed: bool): bool {
  memory.fill(changetype<usize>(chain), 0, CHAIN_BYTES);
  chain.head = head;
  if (size > CHAIN_PIECES_MAX || !readTable(table, size)) return false;
  let index = head;
  for (let steps: u32 = 0; steps < size; steps++) {
    if (index >= size) return false;
    const at = TABLE + index * V.VRING_DESC_BYTES;
    const flags: u32 = load<u16>(at, 12);
    if (flags & V.VRING_DESC_F_INDIRECT) {
      if (!indirect_allowed || (flags & V.VRING_DESC_F_NEXT) != 0) return false;
      return takeTable(chain, load<u64>(at), load<u32>(at, 8)) && finish(chain);
    }
    if (!addPiece(chain, at)) return false;
    if (!(flags & V.VRING_DESC_F_NEXT)) return finish(chain);
    index = load<u16>(at, 14);
  }
  return false; // as many steps as descriptors, and no end: a loop
}

function readTable(gpa: u64, entries: u32): bool {
  const bytes = entries * V.VRING_DESC_BYTES;
  if (!isRange(gpa, bytes)) return false;
  for (let done: u32 = 0; done < bytes; done += COPY_MAX) {
    if (!readGuest(gpa + done, TABLE + done, min<u32>(bytes - done, COPY_MAX))) return false;
  }
  return true;
}

/** Read whole, then walked: the driver cannot change under our feet what has been judged. */
function takeTable(chain: Chain, gpa: u64, bytes: u32): bool {
  const entries = bytes / V.VRING_DESC_BYTES;
  if (entries == 0 || entries > CHAIN_PIECES_MAX || entries * V.VRING_DESC_BYTES != bytes) return false;
  if (!readTable(gpa, entries)) return false;
  let index: u32 = 0;
  for (let steps: u32 = 0; steps < entries; steps++) {
    if (index >= entries) return false;
    const at = TABLE + index * V.VRING_DESC_BYTES;
    const flags: u32 = load<u16>(at, 12);
    if ((flags & V.VRING_DESC_F_INDIRECT) != 0 || !addPiece(chain, at)) return false;
    if (!(flags & V.VRING_DESC_F_NEXT)) return true;
    index = load<u16>(at, 14);
  }
  return false;
}

function addPiece(chain: Chain, descriptor: usize): bool {
  const gpa = load<u64>(descriptor);
  const bytes = load<u32>(descriptor, 8);
  const writable = (load<u16>(descriptor, 12) & V.VRING_DESC_F_WRITE) != 0;
  if (chain.pieces == CHAIN_PIECES_MAX || !isRange(gpa, bytes)) return false;
  if (writable) {
    chain.writable_bytes += bytes;
  } else {
    if (chain.readable != chain.pieces) return false;
    chain.readable++;
    chain.readable_bytes += bytes;
  }
  const piece = pieceAt(chain, chain.pieces);
  store<u64>(piece, gpa);
  store<u32>(piece, bytes, 8);
  chain.pieces++;
  return true;
}

function finish(chain: Chain): bool {
  chain.write_piece = chain.readable;
  return true;
}

/** The next `bytes` of the readable part; false: there are not so many, or the guest has no RAM there. */
export function chainRead(chain: Chain, to: usize, bytes: u32): bool {
  while (bytes != 0) {
    if (chain.read_piece == chain.readable) return false;
    const piece = pieceAt(chain, chain.read_piece);
    const part = min<u32>(min<u32>(load<u32>(piece, 8) - chain.read_at, bytes), COPY_MAX);
    if (part == 0) {
      chain.read_piece++;
      chain.read_at = 0;
      continue;
    }
    if (!readGuest(load<u64>(piece) + chain.read_at, to, part)) return false;
    chain.read_at += part;
    to += part;
    bytes -= part;
  }
  return true;
}

/** Behind what was written so far, as much as fits; what does not fit is cut. False: the guest has no RAM there. */
export function chainWrite(chain: Chain, from: usize, bytes: u32): bool {
  while (bytes != 0 && chain.write_piece != chain.pieces) {
    const piece = pieceAt(chain, chain.write_piece);
    const part = min<u32>(min<u32>(load<u32>(piece, 8) - chain.write_at, bytes), COPY_MAX);
    if (part == 0) {
      chain.write_piece++;
      chain.write_at = 0;
      continue;
    }
    if (!writeGuest(load<u64>(piece) + chain.write_at, from, part)) return false;
    chain.write_at += part;
    chain.written += part;
    from += part;
    bytes -= part;
  }
  return true;
}
