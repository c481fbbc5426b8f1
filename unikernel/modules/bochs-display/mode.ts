// SPDX-License-Identifier: MIT
//
// From registers to a picture: after each write the registers are judged afresh, and the scanout is set or switched
// off only when the outcome changed. So the order in which a driver writes them does not matter, and moving X_OFFSET
// or Y_OFFSET flips pages.
//
//   off --(registers describe a picture that lies in VRAM, screen lit)--> on --(anything else)--> off
//
// All numbers are the guest's: each is at most 16 bits, so sums and products below fit 64 bits with room to spare.

import { FORMAT_NONE, FORMAT_RGB565, FORMAT_RGB888, FORMAT_XRGB8888 } from "../../abi/module";
import { param, scanout_set } from "../../sdk/capability";
import { endLine, putNumber, putText } from "../../sdk/text";
import { BPP, ENABLE, ENABLE_ON, VIRT_WIDTH, XRES, XRES_MAX, X_OFFSET, YRES, YRES_MAX, Y_OFFSET, dispi } from "./dispi";
import { isBigEndian } from "./extended";
import { PARAM_VRAM_BYTES } from "./params";
import { vgaScreenIsOn } from "./vga";

const SCANOUT: u32 = 0;
const BAR_VRAM: u32 = 0;
const SIDE_MIN: u32 = 64; // as QEMU's: smaller is a driver halfway through a mode set

const VRAM_BYTES_MIN: u64 = 4 << 20;
const VRAM_BYTES_MAX: u64 = 256 << 20;

let vram: u64 = 0;
let shownFormat: u32 = 0; // FORMAT_NONE, as a literal: another constant here would need a start function
let shownWidth: u32 = 0;
let shownHeight: u32 = 0;
let shownStride: u32 = 0;
let shownOffset: u64 = 0;

/** A PCI BAR is a power of two; the limits are those of QEMU's device. */
export function isVramSize(bytes: u64): bool {
  return bytes >= VRAM_BYTES_MIN && bytes <= VRAM_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

/** After a reset of the registers. The mediator has switched the scanout off already, or does so now. */
export function modeReset(): void {
  vram = param(PARAM_VRAM_BYTES);
  show(FORMAT_NONE, 0, 0, 0, 0);
}

/** Show what the registers say. */
export function modeApply(): void {
  const format = formatOf(dispi(BPP));
  const width = dispi(XRES);
  const height = dispi(YRES);
  const stride = max(width, dispi(VIRT_WIDTH)) * bytesPerPixel(format);
  const offset = <u64>dispi(Y_OFFSET) * stride + dispi(X_OFFSET) * bytesPerPixel(format);
  if (isOn() && isPicture(format, width, height) && offset + <u64>stride * height <= vram) {
    show(format, width, height, stride, offset);
  } else {
    show(FORMAT_NONE, 0, 0, 0, 0);
  }
}

function isOn(): bool {
  return (dispi(ENABLE) & ENABLE_ON) != 0 && vgaScreenIsOn();
}

function isPicture(format: u32, width: u32, height: u32): bool {
  return format != FORMAT_NONE && width >= SIDE_MIN && width <= XRES_MAX && height >= SIDE_MIN && height <= YRES_MAX;
}

/** Big-endian pixels are no format that we can show: off rather than in wrong colours. */
function formatOf(bitsPerPixel: u32): u32 {
  if (isBigEndian()) return FORMAT_NONE;
  if (bitsPerPixel == 32) return FORMAT_XRGB8888;
  if (bitsPerPixel == 24) return FORMAT_RGB888;
  if (bitsPerPixel == 16) return FORMAT_RGB565;
  return FORMAT_NONE;
}

function bytesPerPixel(format: u32): u32 {
  if (format == FORMAT_XRGB8888) return 4;
  if (format == FORMAT_RGB888) return 3;
  return format == FORMAT_RGB565 ? 2 : 0;
}

function show(format: u32, width: u32, height: u32, stride: u32, offset: u64): void {
  if (isShown(format, width, height, stride, offset)) return;
  const switched = format != shownFormat || width != shownWidth || height != shownHeight;
  shownFormat = format;
  shownWidth = width;
  shownHeight = height;
  shownStride = stride;
  shownOffset = offset;
  scanout_set(SCANOUT, BAR_VRAM, offset, width, height, stride, format);
  if (switched) tell();
}

function isShown(format: u32, width: u32, height: u32, stride: u32, offset: u64): bool {
  return format == shownFormat && width == shownWidth && height == shownHeight && stride == shownStride &&
    offset == shownOffset;
}

function tell(): void {
  if (shownFormat == FORMAT_NONE) {
    putText("screen off");
  } else {
    putText("mode ");
    putNumber(shownWidth);
    putText("x");
    putNumber(shownHeight);
    putText(", stride ");
    putNumber(shownStride);
  }
  endLine();
}
