// SPDX-License-Identifier: MIT
//
// A small device with every habit that goes wrong in real ones: registers, banks chosen by an id, objects with handles,
// a blitter, packets, a ring, a divider, modes. One bug is planted in each build (bug.ts); with none it is sound, and a
// fuzzer that complains then is wrong.
//
//   0x000 ... 0x0fc  64 registers that keep what is written
//   0x200 BANK       which of 8 banks 0x204 shows       0x204 BANK_DATA
//   0x210 CREATE     makes an object; reads its handle  0x214 DESTROY  0x218 USE  (a handle is written)
//   0x220 MODE       0 idle, 1 set up, 2 runs           0x224 STRIDE (mode 0 only)  0x228 STEP: one line, in mode 2
//   0x230 X 0x234 Y 0x238 WIDTH 0x23c HEIGHT            0x240 FILL: a rectangle of the 64 x 64 bytes of picture
//   0x250 START 0x254 LENGTH                            0x258 CLEAR: a part of the picture
//   0x260 PACKET     a length with its header of 8      0x264 PUSH a word into the ring, 0x268 POP
//   0x270 CLOCK      divisor; reads the rate            0x274 KEY  0x278 HASH  0x27c ORDER
//   0x280 VECTOR     raises that interrupt              0x284 COMMAND  0x288 LATCH: a word for the next PACKET

import { EVENT_PCI_COMMAND } from "../../../unikernel/abi/module";
import { irq_raise } from "../../../unikernel/sdk/capability";
import { BUG } from "./bug";

const REGISTER_EDGE: u32 = 1;
const BANK_ID: u32 = 2;
const OBJECT_FREED: u32 = 3;
const MAGIC_SEQUENCE: u32 = 4;
const ENDLESS_VALUE: u32 = 5;
const STATE_SKIPPED: u32 = 6;
const WIDE_ADDRESS: u32 = 7;
const RANGE_END: u32 = 8;
const STALE_DATA: u32 = 9;
const DIVISION: u32 = 10;
const LENGTH_UNDERFLOW: u32 = 11;
const RING_WRAP: u32 = 12;
const TABLE_BEYOND: u32 = 13;
const RESET_FORGETS: u32 = 14;
const FUEL_BURNER: u32 = 15;
const SHIFT_TOO_FAR: u32 = 16;
const PRODUCT_OVERFLOW: u32 = 17;
const VECTOR_UNBOUND: u32 = 18;
const EVENT_IN_FLIGHT: u32 = 19;
const HASH_GATE: u32 = 20;

const GUARD: u32 = 0x5afe5afe;
const POISON: u32 = 0xdeadbeef;
const REGISTERS: u32 = 64;
const BANKS: u32 = 8;
const OBJECTS: u32 = 8;
const EXTENT: u32 = 64;
const PICTURE_BYTES: u32 = EXTENT * EXTENT;
const PACKET_HEADER: u32 = 8;
const PACKET_MAX: u32 = 256;
const RING: u32 = 16;
const CLOCK_HZ: u32 = 100_000_000;
const CREDITS_OF_ORDER_MAX: u32 = 8;

// Each table has a word behind it that nobody writes; check() looks after every access.
const registers: usize = memory.data(REGISTERS * 4 + 4, 8);
const banks: usize = memory.data(BANKS * 4 + 4, 8);
const objects: usize = memory.data(OBJECTS * 8, 8); // handle u32 (0: free), value u32
const picture: usize = memory.data(PICTURE_BYTES + 8, 8);
const packet: usize = memory.data(PACKET_MAX + 8, 8);
const ring: usize = memory.data(RING * 4 + 4, 8);
const commands: usize = memory.data<u32>([1, 2, 3, 4, 5, 6, 0, 0]); // what each of six commands counts
const credits: usize = memory.data(CREDITS_OF_ORDER_MAX * 4 + 4, 8);

let bank: u32 = 0;
let last_handle: u32 = 0;
let generation: u32 = 0;
let mode: u32 = 0;
let stride: u32 = 0;
let line: u32 = 0;
let x: u32 = 0;
let y: u32 = 0;
let width: u32 = 0;
let height: u32 = 0;
let start: u32 = 0;
let length: u32 = 0;
let head: u32 = 0;
let count: u32 = 0;
let popped: u32 = 0;
let rate: u32 = 0;
let key_state: u32 = 0;
let hash_of: u32 = 0;
let master: u32 = 0;
let in_flight: u32 = 0;
let latch: u32 = 0;
let done: u32 = 0;

export function attach(): i32 {
  reset();
  return 0;
}

export function reset(): void {
  memory.fill(registers, 0, REGISTERS * 4);
  memory.fill(banks, 0, BANKS * 4);
  memory.fill(objects, 0, OBJECTS * 8);
  if (BUG != STALE_DATA) memory.fill(packet, 0, PACKET_MAX);
  memory.fill(picture, 0, PICTURE_BYTES);
  memory.fill(ring, 0, RING * 4);
  memory.fill(credits, 0, CREDITS_OF_ORDER_MAX * 4);
  store<u32>(registers + REGISTERS * 4, GUARD);
  store<u32>(banks + BANKS * 4, GUARD);
  store<u32>(picture + PICTURE_BYTES, GUARD);
  store<u32>(packet + PACKET_MAX, GUARD);
  store<u32>(ring + RING * 4, GUARD);
  store<u32>(credits + CREDITS_OF_ORDER_MAX * 4, GUARD);
  resetWords();
}

function resetWords(): void {
  bank = last_handle = generation = 0;
  mode = line = 0;
  if (BUG != RESET_FORGETS) stride = 0;
  x = y = width = height = start = length = 0;
  head = count = popped = rate = key_state = hash_of = master = in_flight = latch = done = 0;
}

/** A table was left: as bad as a memory fault, only that WebAssembly has one memory for all tables. */
function check(): void {
  if (load<u32>(registers + REGISTERS * 4) != GUARD) unreachable();
  if (load<u32>(banks + BANKS * 4) != GUARD) unreachable();
  if (load<u32>(picture + PICTURE_BYTES) != GUARD) unreachable();
  if (load<u32>(packet + PACKET_MAX) != GUARD) unreachable();
  if (load<u32>(ring + RING * 4) != GUARD) unreachable();
  if (load<u32>(credits + CREDITS_OF_ORDER_MAX * 4) != GUARD) unreachable();
}

function isRegister(offset: u32): bool {
  if (BUG == REGISTER_EDGE) return offset <= REGISTERS * 4;
  return offset < REGISTERS * 4;
}

export function bar_read(_bar: u32, offset: u32, size: u32): u64 {
  if (size != 4 || (offset & 3) != 0) return 0;
  if (isRegister(offset)) return load<u32>(registers + offset);
  switch (offset) {
    case 0x204: return bank < BANKS ? load<u32>(banks + bank * 4) : 0;
    case 0x210: return last_handle;
    case 0x220: return mode;
    case 0x224: return stride;
    case 0x25c: return load<u32>(picture + (start & (PICTURE_BYTES - 4)));
    case 0x260: return load<u32>(packet + PACKET_HEADER);
    case 0x268: return popped;
    case 0x270: return rate;
    case 0x284: return done;
    default: return 0;
  }
}

export function bar_write(_bar: u32, offset: u32, size: u32, wide: u64): void {
  if (size != 4 || (offset & 3) != 0) return;
  const value = <u32>wide;
  if (isRegister(offset)) store<u32>(registers + offset, value);
  else if (offset < 0x250) drawing(offset, value);
  else queues(offset, value);
  check();
}

function drawing(offset: u32, value: u32): void {
  switch (offset) {
    case 0x200: bank = value; break;
    case 0x204: setBank(value); break;
    case 0x210: create(value); break;
    case 0x214: destroy(value); break;
    case 0x218: use(value); break;
    case 0x220: setMode(value); break;
    case 0x224: if (mode == 0) stride = value & 63; break;
    case 0x228: step(); break;
    case 0x230: x = value; break;
    case 0x234: y = value; break;
    case 0x238: width = value; break;
    case 0x23c: height = value; break;
    case 0x240: fill(value); break;
    default: break;
  }
}

function queues(offset: u32, value: u32): void {
  switch (offset) {
    case 0x250: start = value; break;
    case 0x254: length = value; break;
    case 0x258: clear(value); break;
    case 0x260: receive(value); break;
    case 0x264: push(value); break;
    case 0x268: pop(); break;
    case 0x270: setClock(value); break;
    case 0x274: key(value); break;
    case 0x278: hash(value); break;
    case 0x27c: order(value); break;
    case 0x280: raise(value); break;
    case 0x284: command(value); break;
    case 0x288: latch = value; break;
    default: break;
  }
}

// --- banks, by an id ---

function setBank(value: u32): void {
  if (BUG == BANK_ID) {
    store<u32>(banks + bank * 4, value); // the missing line: is there such a bank?
    return;
  }
  if (BUG == WIDE_ADDRESS) {
    if ((bank & 0xffff) < BANKS) store<u32>(banks + bank * 4, value); // the low half was checked, the whole is used
    return;
  }
  if (bank < BANKS) store<u32>(banks + bank * 4, value);
}

// --- objects, by handle: place in the low bits, generation above ---

function placeOf(handle: u32): usize {
  return objects + (handle & (OBJECTS - 1)) * 8;
}

function create(value: u32): void {
  for (let i: u32 = 0; i < OBJECTS; i++) {
    const at = objects + i * 8;
    if (load<u32>(at) != 0) continue;
    last_handle = (++generation << 3) | i;
    store<u32>(at, last_handle);
    store<u32>(at, value & 0xffff, 4);
    return;
  }
}

function destroy(handle: u32): void {
  const at = placeOf(handle);
  if (handle == 0 || load<u32>(at) != handle) return;
  store<u32>(at, 0);
  store<u32>(at, POISON, 4);
}

function use(handle: u32): void {
  const at = placeOf(handle);
  if (BUG != OBJECT_FREED && (handle == 0 || load<u32>(at) != handle)) return;
  const value = load<u32>(at, 4);
  if (value == POISON) unreachable(); // what was freed is used: elsewhere somebody else's memory
  store<u32>(at, (value + 1) & 0xffff, 4);
}

// --- modes ---

function setMode(value: u32): void {
  if (value == 0) mode = line = 0;
  else if (value == 1 && mode == 0 && stride != 0) mode = 1;
  else if (value == 2 && (mode == 1 || BUG == STATE_SKIPPED)) mode = 2;
}

function step(): void {
  if (mode != 2) return;
  line = (line + 1) % (EXTENT / stride + 1);
}

// --- the picture ---

function fill(value: u32): void {
  if (BUG == PRODUCT_OVERFLOW) {
    if (width * height > PICTURE_BYTES || x != 0 || y != 0) return; // the product has 32 bits
    if (width > 0xffff) return;
    if (height != 0) store<u8>(picture + (height - 1) * EXTENT, <u8>value);
    return;
  }
  if (x > EXTENT || y > EXTENT || width > EXTENT - x || height > EXTENT - y) return;
  for (let row: u32 = 0; row < height; row++) memory.fill(picture + (y + row) * EXTENT + x, <u8>value, width);
}

function clear(value: u32): void {
  if (BUG == RANGE_END) {
    if (start + length > PICTURE_BYTES) return; // the sum has 32 bits
  } else if (start > PICTURE_BYTES || length > PICTURE_BYTES - start) return;
  memory.fill(picture + start, <u8>value, length);
}

// --- packets and the ring ---

function receive(bytes: u32): void {
  if (bytes > PACKET_MAX) return;
  if (BUG != LENGTH_UNDERFLOW && bytes < PACKET_HEADER) return;
  const payload = bytes - PACKET_HEADER;
  if (payload >= 4 && payload <= PACKET_MAX) store<u32>(packet + PACKET_HEADER, latch);
  if (BUG == LENGTH_UNDERFLOW && payload > PACKET_MAX) memory.fill(packet + PACKET_HEADER, 0, payload);
}

function push(value: u32): void {
  if (count == RING) return;
  const end = BUG == RING_WRAP ? RING + 1 : RING;
  store<u32>(ring + ((head + count) % end) * 4, value);
  count++;
}

function pop(): void {
  if (count == 0) return;
  popped = load<u32>(ring + head * 4);
  head = (head + 1) % RING;
  count--;
}

// --- single registers ---

function setClock(divisor: u32): void {
  if (BUG != DIVISION && (divisor & 0x7fff) == 0) return;
  if (divisor == 0) return;
  rate = CLOCK_HZ / (divisor & 0x7fff); // bit 15 and above are flags
}

/** Three right values in a row open what nobody should reach. */
function key(value: u32): void {
  if (BUG == ENDLESS_VALUE) {
    let left = value;
    while (left != 0) if (left != 0x51e7) left >>= 1; // one value never gets smaller
    return;
  }
  if (BUG != MAGIC_SEQUENCE) return;
  if (key_state == 0 && value == 0x9a3c) key_state = 1;
  else if (key_state == 1 && value == 0x5d17c0de) key_state = 2;
  else if (key_state == 2 && value == 0x00d3b1a5) unreachable();
  else key_state = 0;
}

/** The second write must be made out of the first, so no constant of the code helps. */
function hash(value: u32): void {
  if (BUG == HASH_GATE && hash_of != 0 && value == (hash_of ^ 0x1337) * 5 + 3) unreachable();
  hash_of = value;
}

function order(value: u32): void {
  if (BUG == FUEL_BURNER) {
    for (let i: u32 = 0; i < (value & 0xffff); i++) store<u32>(credits, load<u32>(credits) + i); // 64 Ki turns
    return;
  }
  if (BUG == SHIFT_TOO_FAR) {
    const size: u32 = <u32>1 << value; // WebAssembly counts with value & 31
    if (size <= CREDITS_OF_ORDER_MAX) store<u32>(credits + value * 4, size);
    return;
  }
  if (value < CREDITS_OF_ORDER_MAX) store<u32>(credits + value * 4, <u32>1 << value);
}

function raise(vector: u32): void {
  if (BUG == VECTOR_UNBOUND || vector < 4) irq_raise(vector);
}

function command(number: u32): void {
  in_flight = number == 6 && master != 0 ? 1 : in_flight;
  if (number == 0 || number > 8 || (BUG != TABLE_BEYOND && number > 6)) return;
  const counts = load<u32>(commands + (number - 1) * 4);
  if (counts == 0) unreachable(); // beyond the table: whatever stands there would be believed
  done += counts;
}

/** Bus mastering is switched off while a command is under way: its memory is gone. */
export function event(kind: u32, argument: u64): void {
  if (kind != EVENT_PCI_COMMAND) return;
  master = <u32>argument & 4;
  if (BUG == EVENT_IN_FLIGHT && in_flight != 0 && master == 0) unreachable();
  if (master == 0) in_flight = 0;
}
