// SPDX-License-Identifier: MIT
//
// What stands around the module is set back before each input, to what `attach` left: buffers that it made, scanouts
// that it set. Costs nothing for modules that use none of it.

import { MANIFEST_BUFFER_PIECES } from "../../../unikernel/abi/manifest";
import { BUFFERS_PER_VGPU_MAX, PIECES_PER_VGPU_MAX, PIECE_BYTES } from "../../../unikernel/core/limits";
import { bufferTable, buffersClear, buffersInit } from "../../../unikernel/core/vgpu/buffer";
import { pieceAt, piecesClear, piecesInsert, piecesRelease, piecesReserve, piecesUsed }
  from "../../../unikernel/core/vgpu/pieces";
import { vgpuAt } from "../../../unikernel/core/vgpu/vgpu";
import { irqReset } from "./irq";
import { pollForget, pollReset } from "./poll";
import { ramReset } from "./ram";
import { scanoutReset, scanoutRestore, scanoutSave } from "./scanout";
import { MANIFEST_AT } from "./setup";
import { workForget } from "./work";

const BUFFER_BYTES: u32 = 40;
const TABLE_BYTES: u32 = BUFFERS_PER_VGPU_MAX * BUFFER_BYTES;

const KEPT: usize = memory.data(TABLE_BYTES, 8);
const KEPT_PIECES: usize = memory.data(PIECES_PER_VGPU_MAX * PIECE_BYTES, 8);
let kept_pieces: u32 = 0;
let touched: bool = false;

@inline
export function buffersTouched(): void {
  touched = true;
}

/** Before `attach`: a vGPU that is new. */
export function restNew(): void {
  buffersInit(0);
  piecesRelease(0);
  if (!piecesReserve(0, load<u32>(MANIFEST_AT, MANIFEST_BUFFER_PIECES))) unreachable();
  irqReset();
  scanoutReset();
  pollReset();
  workForget();
  ramReset();
}

/** After `attach`: so it is before each input. (What `attach` wrote into the guest's RAM is not kept.) */
export function restSave(): void {
  memory.copy(KEPT, bufferTable(), TABLE_BYTES);
  kept_pieces = piecesUsed(0);
  if (kept_pieces != 0) memory.copy(KEPT_PIECES, changetype<usize>(pieceAt(0, 0)), kept_pieces * PIECE_BYTES);
  scanoutSave();
  touched = false;
}

export function restRestore(): void {
  irqReset();
  scanoutRestore();
  pollReset();
  workForget();
  ramReset();
  if (touched) restoreBuffers();
}

function restoreBuffers(): void {
  touched = false;
  memory.copy(bufferTable(), KEPT, TABLE_BYTES);
  piecesClear(0);
  piecesInsert(0, 0, kept_pieces);
  if (kept_pieces != 0) memory.copy(changetype<usize>(pieceAt(0, 0)), KEPT_PIECES, kept_pieces * PIECE_BYTES);
}

/** The device is about to be reset: unikernel/core/vgpu/lifecycle.ts, vgpuReset. */
export function restForget(): void {
  irqReset();
  scanoutReset();
  pollForget();
  workForget();
  buffersClear(vgpuAt(0));
  touched = true;
}
