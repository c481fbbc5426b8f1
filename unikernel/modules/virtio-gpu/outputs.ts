// SPDX-License-Identifier: MIT
//
// The outputs: what the operator has plugged in, how the driver is told (device configuration, GET_DISPLAY_INFO,
// GET_EDID), and what changes while it runs.

import * as G from "./protocol";
import { param } from "../../sdk/capability";
import { EDID_BLOCK_BYTES, edidBuild } from "../../sdk/edid";
import { loadSized, inWindow, OPEN_BUS } from "../../sdk/registers";
import { endLine, putNumber, putText } from "../../sdk/text";
import { interruptConfig } from "../../sdk/virtio/transport";
import { commandWord, response } from "./message";
import { PARAM_OUTPUTS, widthParam } from "./params";

export const OUTPUTS_MAX: u32 = 4;

// What an EDID of ours can say, and the parameters' bounds.
const WIDTH_MIN: u32 = 640;
const WIDTH_MAX: u32 = 3840;
const HEIGHT_MIN: u32 = 480;
const HEIGHT_MAX: u32 = 2400;

@unmanaged
class Output {
  plugged: u32;
  width: u32;
  height: u32;
}
const OUTPUT_BYTES: u32 = 12;

const OUTPUTS: usize = memory.data(OUTPUTS_MAX * OUTPUT_BYTES, 8);
const image: usize = memory.data(16, 8);
let events: u32 = 0;

function outputAt(number: u32): Output {
  return changetype<Output>(OUTPUTS + number * OUTPUT_BYTES);
}

export function outputCount(): u32 {
  return <u32>param(PARAM_OUTPUTS);
}

/** As the parameters say. */
export function outputsInit(): void {
  if (offsetof<Output>() > OUTPUT_BYTES) ERROR("OUTPUT_BYTES");
  for (let i: u32 = 0; i < OUTPUTS_MAX; i++) {
    const output = outputAt(i);
    output.plugged = i < outputCount() ? 1 : 0;
    output.width = <u32>param(widthParam(i));
    output.height = <u32>param(widthParam(i) + 1);
  }
}

/** The driver has forgotten everything; what is plugged in stays. */
export function outputsReset(): void {
  events = 0;
}

/** The operator plugs in, resizes, or (0x0) unplugs; the log says what came of it. */
export function outputChange(number: u32, width: u32, height: u32): void {
  const off = width == 0 && height == 0;
  const fits = width >= WIDTH_MIN && width <= WIDTH_MAX && height >= HEIGHT_MIN && height <= HEIGHT_MAX;
  const done = number < outputCount() && (off || fits);
  tell(number, width, height, done);
  if (!done) return;
  const output = outputAt(number);
  output.plugged = off ? 0 : 1;
  if (!off) {
    output.width = width;
    output.height = height;
  }
  events |= G.VIRTIO_GPU_EVENT_DISPLAY;
  interruptConfig();
}

function tell(number: u32, width: u32, height: u32, done: bool): void {
  putText("output ");
  putNumber(number);
  putText(": ");
  putNumber(width);
  putText("x");
  putNumber(height);
  if (!done) putText(" cannot be: 640x480 to 3840x2400, or 0x0, and an output that there is");
  endLine();
}

// --- device configuration ---

export function configRead(offset: u32, size: u32): u64 {
  if (!inWindow(G.VIRTIO_GPU_CONFIG_BYTES, offset, size)) return OPEN_BUS;
  store<u32>(image, events, G.VIRTIO_GPU_CONFIG_EVENTS_READ);
  store<u32>(image, outputCount(), G.VIRTIO_GPU_CONFIG_NUM_SCANOUTS);
  return loadSized(image + offset, size);
}

/** Writing ones to events_clear clears those events (5.7.4). */
export function configWrite(offset: u32, size: u32, value: u64): void {
  if (offset == G.VIRTIO_GPU_CONFIG_EVENTS_CLEAR && size == 4) events &= ~<u32>value;
}

// --- commands ---

/** All outputs side by side. */
export function getDisplayInfo(): u32 {
  memory.fill(response, 0, G.DISPLAY_INFO_BYTES);
  let x: u32 = 0;
  for (let i: u32 = 0; i < outputCount(); i++) {
    const output = outputAt(i);
    if (!output.plugged) continue;
    const at = response + G.HEADER_BYTES + i * G.DISPLAY_ONE_BYTES;
    store<u32>(at, x);
    store<u32>(at, output.width, 8);
    store<u32>(at, output.height, 12);
    store<u32>(at, 1, G.DISPLAY_ONE_ENABLED);
    x += output.width;
  }
  return G.VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
}

/** Made from the output's mode, here and now; an output with nothing plugged in has a block of no bytes. */
export function getEdid(): u32 {
  const number = commandWord(G.SIMPLE_ID);
  if (number >= outputCount()) return G.VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
  memory.fill(response, 0, G.EDID_BYTES);
  const output = outputAt(number);
  if (output.plugged) {
    store<u32>(response, EDID_BLOCK_BYTES, G.EDID_SIZE);
    edidBuild(response + G.EDID_BLOCKS, output.width, output.height);
  }
  return G.VIRTIO_GPU_RESP_OK_EDID;
}
