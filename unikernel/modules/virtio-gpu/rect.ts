// SPDX-License-Identifier: MIT
//
// A rectangle out of a command: four numbers of the guest's, judged before they are used.

import { commandWord } from "./message";

export let rectX: u32 = 0;
export let rectY: u32 = 0;
export let rectWidth: u32 = 0;
export let rectHeight: u32 = 0;

/** The rectangle at that offset of the command; false: it is empty, or leaves 0,0 to width,height. */
export function takeRect(offset: u32, width: u32, height: u32): bool {
  rectX = commandWord(offset);
  rectY = commandWord(offset + 4);
  rectWidth = commandWord(offset + 8);
  rectHeight = commandWord(offset + 12);
  if (rectWidth == 0 || rectHeight == 0) return false;
  return rectX < width && rectWidth <= width - rectX && rectY < height && rectHeight <= height - rectY;
}
