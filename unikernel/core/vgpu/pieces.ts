// SPDX-License-Identifier: MIT
//
// The scatter lists of all buffers, in one pool. Each vGPU has a run of it to itself, as long as its manifest promises,
// set aside when it is attached: so nobody can use up what another was promised. Within the run the pieces of a buffer
// lie side by side, in order, each with the offset at which it begins: a look-up halves its way.
//
//   pool   | vGPU 0: [buffer a | buffer b | free .....] | vGPU 3: [...] | nobody's ... |

import { PIECES_MAX, PIECE_BYTES, VGPUS_MAX } from "../limits";
import { PANIC_PIECE, check } from "../panic";

@unmanaged
export class Piece {
  gpa: u64; // where it begins in the guest
  start: u64; // the same byte's offset in its buffer
}

@unmanaged
class Run {
  first: u32; // in the pool
  reserved: u32;
  used: u32;
}
const RUN_BYTES: u32 = 12;

const POOL: usize = memory.data(PIECES_MAX * PIECE_BYTES, 16);
const RUNS: usize = memory.data(VGPUS_MAX * RUN_BYTES, 4);

function runOf(vgpu: u32): Run {
  if (offsetof<Run>() > RUN_BYTES) ERROR("RUN_BYTES");
  check(vgpu < VGPUS_MAX, PANIC_PIECE, vgpu);
  return changetype<Run>(RUNS + vgpu * RUN_BYTES);
}

/** Sets a run aside; false: there is none so long. */
export function piecesReserve(vgpu: u32, count: u32): bool {
  const run = runOf(vgpu);
  check(run.reserved == 0, PANIC_PIECE, vgpu);
  let first: u32 = 0;
  for (let i: u32 = 0; i < VGPUS_MAX; i++) {
    const other = runOf(i);
    if (other.reserved == 0 || other.first >= first + count || first >= other.first + other.reserved) continue;
    first = other.first + other.reserved;
    i = <u32>-1; // from the beginning: those before may stand in the new way; `first` only grows, so this ends
  }
  if (first > PIECES_MAX || count > PIECES_MAX - first) return false;
  run.first = first;
  run.reserved = count;
  run.used = 0;
  return true;
}

export function piecesRelease(vgpu: u32): void {
  const run = runOf(vgpu);
  run.reserved = 0;
  run.used = 0;
}

/** Keeps the run, forgets what is in it. */
export function piecesClear(vgpu: u32): void {
  runOf(vgpu).used = 0;
}

export function piecesUsed(vgpu: u32): u32 {
  return runOf(vgpu).used;
}

export function piecesRoom(vgpu: u32): u32 {
  return runOf(vgpu).reserved - runOf(vgpu).used;
}

export function pieceAt(vgpu: u32, i: u32): Piece {
  const run = runOf(vgpu);
  check(i < run.used, PANIC_PIECE, i);
  return changetype<Piece>(POOL + (run.first + i) * PIECE_BYTES);
}

/** A gap of `count` pieces before number `at`; there is room. */
export function piecesInsert(vgpu: u32, at: u32, count: u32): void {
  const run = runOf(vgpu);
  check(at <= run.used && count <= run.reserved - run.used, PANIC_PIECE, at);
  const from = POOL + (run.first + at) * PIECE_BYTES;
  memory.copy(from + count * PIECE_BYTES, from, (run.used - at) * PIECE_BYTES);
  run.used += count;
}

export function piecesRemove(vgpu: u32, at: u32, count: u32): void {
  const run = runOf(vgpu);
  check(at <= run.used && count <= run.used - at, PANIC_PIECE, at);
  const to = POOL + (run.first + at) * PIECE_BYTES;
  memory.copy(to, to + count * PIECE_BYTES, (run.used - at - count) * PIECE_BYTES);
  run.used -= count;
}
