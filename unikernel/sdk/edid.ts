// SPDX-License-Identifier: MIT
//
// The EDID block (VESA E-EDID 1.4, 128 bytes) by which the guest's driver learns what this monitor can do: the modes
// of the tables below, and first of all width x height at 60 Hz, as the operator set them.
//
//   0 ┌ header 8 ┬ 8 who made it 10 ┬ 18 version 2 ┬ 20 what it is 5 ┬ 25 colours 10 ┬ 35 old modes 3 ┐
//  38 ┌ 8 standard modes x 2 ┬ 54 preferred timing 18 ┬ 72 name 18 ┬ 90 range limits 18 ┬ 108 filler 18 ┐
// 126 ┌ extensions: 0 ┬ checksum ┐

export const EDID_BLOCK_BYTES: u32 = 128;
const CHECKSUM_AT: u32 = 127;
const WIDTH_CM_AT: u32 = 21;
const HEIGHT_CM_AT: u32 = 22;
const TIMING_AT: u32 = 54;

// 96 pixels an inch: 2.54 cm are 96 pixels, so a centimetre is 9600 / 254.
const PIXELS_PER_254_CM: u32 = 9600;

// The parts that never change. Standard modes: horizontal / 8 - 31, then aspect (0 16:10, 1 4:3, 2 5:4, 3 16:9) << 6
// with the refresh rate - 60 in the low bits. Colours: the sRGB primaries and white point in tenths of permille,
// rounded to 1024ths, low bits first.
// prettier-ignore
const template: usize = memory.data<u8>([
  0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, // header
  0x1c, 0x58,             // maker "GBX": 5 bits a letter, big-endian
  0x01, 0x00,             // product 1
  0x00, 0x00, 0x00, 0x00, // no serial number
  0x00, 0x24,             // week not given, year 1990 + 36
  0x01, 0x04,             // EDID 1.4
  0xa0,                   // digital, 8 bits a colour, interface not given
  0x00, 0x00,             // size in cm: edidBuild
  0x78,                   // gamma 2.2
  0x06,                   // sRGB; the first timing is the preferred one
  0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54,
  0x21, 0x08, 0x00,       // 640x480, 800x600, 1024x768 at 60 Hz
  0x81, 0xc0,             // 1280x720
  0x81, 0x80,             // 1280x1024
  0x81, 0x40,             // 1280x960
  0x95, 0x00,             // 1440x900
  0xa9, 0x40,             // 1600x1200
  0xb3, 0x00,             // 1680x1050
  0xd1, 0xc0,             // 1920x1080
  0xd1, 0x00,             // 1920x1200
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // preferred timing: edidBuild
  0x00, 0x00, 0x00, 0xfc, 0x00, 0x47, 0x6c, 0x6f, 0x76, 0x65, 0x62, 0x6f, 0x78, 0x0a, 0x20, 0x20, 0x20, 0x20, // name
  0x00, 0x00, 0x00, 0xfd, 0x00, 50, 75, 15, 160, 60, 0x01, 0x0a, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, // ranges
  0x00, 0x00, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // nothing
  0x00, 0x00,
]);

/** A block of 128 bytes for this preferred mode, at `block`; 640 to 3840 by 480 to 2400. */
export function edidBuild(block: usize, width: u32, height: u32): void {
  memory.copy(block, template, EDID_BLOCK_BYTES);
  store<u8>(block + WIDTH_CM_AT, <u8>((width * 254) / PIXELS_PER_254_CM));
  store<u8>(block + HEIGHT_CM_AT, <u8>((height * 254) / PIXELS_PER_254_CM));
  putTiming(block + TIMING_AT, width, height);
  store<u8>(block + CHECKSUM_AT, <u8>(256 - sumOf(block)));
}

function sumOf(at: usize): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < EDID_BLOCK_BYTES; i++) sum += load<u8>(at + i);
  return sum & 0xff;
}

// --- the timing: VESA CVT 1.2 with reduced blanking, 60 Hz ---
const H_BLANK: u32 = 160;
const H_FRONT: u32 = 48;
const H_SYNC: u32 = 32;
const V_FRONT: u32 = 3;
const V_BACK_MIN: u32 = 6;
const V_BLANK_MIN_US: u32 = 460;
const FRAME_US_X3: u32 = 50000; // three frames of 1/60 s
const REFRESH_HZ: u32 = 60;
const CLOCK_STEP_HZ: u64 = 250000;
const CLOCK_UNIT_HZ: u64 = 10000;
const TIMING_SYNC: u32 = 0x1a; // separate syncs, horizontal +, vertical -: how CVT marks reduced blanking

/** An 18-byte detailed timing. The clock is at most 592 MHz for 3840x2400, below the field's 655.35. */
function putTiming(at: usize, width: u32, height: u32): void {
  const vSync = verticalSync(width, height);
  const vBlank = max(verticalBlank(height), V_FRONT + vSync + V_BACK_MIN);
  const clock = <u64>REFRESH_HZ * (width + H_BLANK) * (height + vBlank);
  store<u16>(at, <u16>(((clock / CLOCK_STEP_HZ) * CLOCK_STEP_HZ) / CLOCK_UNIT_HZ));
  putPair(at + 2, width, H_BLANK);
  putPair(at + 5, height, vBlank);
  store<u8>(at + 8, <u8>H_FRONT);
  store<u8>(at + 9, <u8>H_SYNC);
  store<u8>(at + 10, <u8>((V_FRONT << 4) | vSync));
  store<u8>(at + 11, 0);
  putPair(at + 12, (width * 2540) / PIXELS_PER_254_CM, (height * 2540) / PIXELS_PER_254_CM);
  store<u16>(at + 15, 0);
  store<u8>(at + 17, <u8>TIMING_SYNC);
}

/** Two 12-bit numbers in three bytes: both low bytes, then the high halves. */
function putPair(at: usize, first: u32, second: u32): void {
  store<u8>(at, <u8>first);
  store<u8>(at + 1, <u8>second);
  store<u8>(at + 2, <u8>(((first >> 8) << 4) | (second >> 8)));
}

/** Lines of at least 460 us in a frame of 1/60 s that shows `height` lines. */
function verticalBlank(height: u32): u32 {
  return (3 * V_BLANK_MIN_US * height) / (FRAME_US_X3 - 3 * V_BLANK_MIN_US) + 1;
}

/** CVT tells the aspect ratio by the width of the vertical sync. */
function verticalSync(width: u32, height: u32): u32 {
  if (width * 3 == height * 4) return 4;
  if (width * 9 == height * 16) return 5;
  if (width * 10 == height * 16) return 6;
  if (width * 4 == height * 5 || width * 9 == height * 15) return 7;
  return 10;
}
