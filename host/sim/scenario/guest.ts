// SPDX-License-Identifier: MIT
//
// What test/guest-kernel does when it is told a command, done on a simulated guest: the same commands, the same
// answers, `N ok NAME 0xVALUE`. So one scenario runs in the simulator and on a real Xen.

import { IOREQ_TYPE_COPY, IOREQ_TYPE_PCI_CONFIG, IOREQ_TYPE_PIO } from "../../../unikernel/abi/xen/ioreq.js";
import { balloonIn, balloonOut, readMemory, writeMemory } from "../domain.js";
import { ask, type Ioreq } from "../guest.js";
import type { Guest, Machine } from "../play/machine.js";
import { guarded } from "../play/machine.js";

const PAGE = 4096n;
const MEMORY_FIRST = 0xe0000000n;
const PORT_FIRST = 0x1000n;
const BARS = 6;
const REP_MAX = 4096;
/** Where the string instructions' buffer lies, as far as anybody can tell. */
const SCRATCH = 0x208000n;

type Command = (guest: Cpu, a: bigint[]) => bigint | undefined;

export interface Cpu {
  machine: Machine;
  guest: Guest;
  seen: number;
}

const n = (value: bigint | undefined): number => Number(value ?? 0n);

function access(cpu: Cpu, request: Ioreq): bigint {
  let value = 0n;
  guarded(cpu.machine, () => {
    value = ask(cpu.machine.world, cpu.guest.domain, 0, request);
  });
  return BigInt.asUintN(8 * Math.min(request.size, 8), value);
}

/** Pieces of an access that lie in one page each: Xen's emulator takes them one by one (hvm/emulate.c). */
function pieces(gpa: bigint, size: number): { at: bigint; bytes: number; shift: bigint }[] {
  const room = Number(PAGE - (gpa % PAGE));
  if (room >= size) return [{ at: gpa, bytes: size, shift: 0n }];
  return [
    { at: gpa, bytes: room, shift: 0n },
    { at: gpa + BigInt(room), bytes: size - room, shift: BigInt(8 * room) },
  ];
}

/** RAM needs no trap; what is no RAM is a device's or nobody's. */
function load(cpu: Cpu, gpa: bigint, size: number): bigint {
  return pieces(gpa, size).reduce((sum, { at, bytes, shift }) => sum | (loadPiece(cpu, at, bytes) << shift), 0n);
}

function loadPiece(cpu: Cpu, gpa: bigint, size: number): bigint {
  const bytes = readMemory(cpu.guest.domain, gpa, size);
  if (bytes !== undefined) return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  return access(cpu, { type: IOREQ_TYPE_COPY, addr: gpa, size, read: true });
}

function store(cpu: Cpu, gpa: bigint, size: number, value: bigint): void {
  for (const { at, bytes, shift } of pieces(gpa, size)) storePiece(cpu, at, bytes, value >> shift);
}

function storePiece(cpu: Cpu, gpa: bigint, size: number, value: bigint): void {
  const word = Buffer.alloc(8);
  word.writeBigUInt64LE(BigInt.asUintN(64, value));
  if (writeMemory(cpu.guest.domain, gpa, word.subarray(0, size))) return;
  access(cpu, { type: IOREQ_TYPE_COPY, addr: gpa, size, data: BigInt.asUintN(8 * size, value) });
}

/** Mechanism 1: Xen keeps what is written to 0xCF8 and forwards it; 0xCFC becomes a request for configuration space. */
function pointConfig(cpu: Cpu, slot: number, offset: number): void {
  const data = BigInt(0x80000000 + slot * 0x800 + (offset & 0xfc));
  access(cpu, { type: IOREQ_TYPE_PIO, addr: 0xcf8n, size: 4, data });
}

function configAddress(slot: number, offset: number): bigint {
  return (BigInt(slot << 3) << 32n) | BigInt(offset);
}

function configRead(cpu: Cpu, slot: number, offset: number, size: number): bigint {
  pointConfig(cpu, slot, offset);
  return access(cpu, { type: IOREQ_TYPE_PCI_CONFIG, addr: configAddress(slot, offset), size, read: true });
}

function configWrite(cpu: Cpu, slot: number, offset: number, size: number, data: bigint): void {
  pointConfig(cpu, slot, offset);
  access(cpu, {
    type: IOREQ_TYPE_PCI_CONFIG,
    addr: configAddress(slot, offset),
    size,
    data: BigInt.asUintN(8 * size, data),
  });
}

// --- test/guest-kernel/pci.c ---

function isWide(cpu: Cpu, slot: number, bar: number): boolean {
  return (configRead(cpu, slot, 0x10 + 4 * bar, 4) & 7n) === 4n;
}

function place(cpu: Cpu, slot: number, bar: number, where: bigint): void {
  const wide = isWide(cpu, slot, bar);
  configWrite(cpu, slot, 0x10 + 4 * bar, 4, where);
  if (wide) configWrite(cpu, slot, 0x14 + 4 * bar, 4, where >> 32n);
}

function barSize(cpu: Cpu, slot: number, bar: number): bigint {
  const at = 0x10 + 4 * bar;
  const was = configRead(cpu, slot, at, 4);
  configWrite(cpu, slot, at, 4, 0xffffffffn);
  const mask = configRead(cpu, slot, at, 4);
  configWrite(cpu, slot, at, 4, was);
  if (mask & 1n) return BigInt.asUintN(16, ~(mask & ~3n) + 1n);
  const bits = mask & ~15n & 0xffffffffn;
  return bits === 0n ? 0n : BigInt.asUintN(32, ~bits + 1n);
}

function setUp(cpu: Cpu): undefined {
  let memory = MEMORY_FIRST;
  let port = PORT_FIRST;
  for (let slot = 1; slot < 32; slot++) {
    if (configRead(cpu, slot, 0, 2) === 0xffffn) continue;
    configWrite(cpu, slot, 4, 2, 0n);
    for (let bar = 0; bar < BARS; bar++) {
      const size = barSize(cpu, slot, bar);
      const io = (configRead(cpu, slot, 0x10 + 4 * bar, 4) & 1n) === 1n;
      if (size === 0n) continue;
      const next = ((io ? port : memory) + size - 1n) & ~(size - 1n);
      place(cpu, slot, bar, next);
      if (io) port = next + size;
      else memory = next + (size < 0x10000n ? 0x10000n : size);
    }
    configWrite(cpu, slot, 4, 2, 7n);
  }
  return undefined;
}

function capability(cpu: Cpu, slot: number, id: bigint): number {
  let at = n(configRead(cpu, slot, 0x34, 1)) & 0xfc;
  for (let hops = 0; at !== 0 && hops < 48; hops++, at = n(configRead(cpu, slot, at + 1, 1)) & 0xfc) {
    if (configRead(cpu, slot, at, 1) === id) return at;
  }
  return 0x40;
}

function msi(cpu: Cpu, slot: number, message: bigint, data: bigint, enable: boolean): void {
  const at = capability(cpu, slot, 5n);
  configWrite(cpu, slot, at + 2, 2, 0n);
  configWrite(cpu, slot, at + 4, 4, message);
  configWrite(cpu, slot, at + 8, 4, message >> 32n);
  configWrite(cpu, slot, at + 12, 2, data);
  configWrite(cpu, slot, at + 2, 2, enable ? 1n : 0n);
}

// --- string instructions: Xen makes one request of what lies in a page ---

function repeat(
  cpu: Cpu,
  type: number,
  at: bigint,
  size: number,
  count: bigint,
  down: boolean,
  data: bigint,
  how: Partial<Ioreq>,
): void {
  let left = count;
  for (let where = at, value = data; left > 0n; ) {
    const room = down ? (where % PAGE) / BigInt(size) + 1n : (PAGE - (where % PAGE) + BigInt(size) - 1n) / BigInt(size);
    const items = [left, room, BigInt(REP_MAX)].reduce((a, b) => (b < a ? b : a));
    const way = items * BigInt(size) * (down ? -1n : 1n);
    access(cpu, { type, addr: where, size, count: Number(items), data: value, df: down, ...how });
    left -= items;
    if (type === IOREQ_TYPE_COPY) where += way;
    if (how.dataIsPtr) value += way;
  }
}

const COMMANDS: Record<string, [numbers: number, run: Command]> = {
  setup: [0, setUp],
  read: [2, (cpu, [at, size]) => load(cpu, at as bigint, n(size))],
  write: [3, (cpu, [at, size, value]) => void store(cpu, at as bigint, n(size), value as bigint)],
  in: [
    2,
    (cpu, [port, size]) => access(cpu, { type: IOREQ_TYPE_PIO, addr: port as bigint, size: n(size), read: true }),
  ],
  out: [
    3,
    (cpu, [port, size, data]) =>
      void access(cpu, { type: IOREQ_TYPE_PIO, addr: port as bigint, size: n(size), data: data as bigint }),
  ],
  config: [3, (cpu, [slot, offset, size]) => configRead(cpu, n(slot), n(offset), n(size))],
  poke: [4, (cpu, [slot, offset, size, value]) => void configWrite(cpu, n(slot), n(offset), n(size), value as bigint)],
  place: [3, (cpu, [slot, bar, where]) => void place(cpu, n(slot), n(bar), where as bigint)],
  bar: [2, (cpu, [slot, bar]) => barAddress(cpu, n(slot), n(bar))],
  command: [2, (cpu, [slot, value]) => void configWrite(cpu, n(slot), 4, 2, value as bigint)],
  msi: [4, (cpu, [slot, message, data, on]) => void msi(cpu, n(slot), message as bigint, data as bigint, on !== 0n)],
  stos: [
    5,
    (cpu, [at, value, size, count, down]) =>
      void repeat(cpu, IOREQ_TYPE_COPY, at as bigint, n(size), count as bigint, down === 1n, value as bigint, {}),
  ],
  movs_to: [
    4,
    (cpu, [at, size, count, down]) =>
      void repeat(cpu, IOREQ_TYPE_COPY, at as bigint, n(size), count as bigint, down === 1n, SCRATCH, {
        dataIsPtr: true,
      }),
  ],
  movs_from: [
    4,
    (cpu, [at, size, count, down]) => {
      repeat(cpu, IOREQ_TYPE_COPY, at as bigint, n(size), count as bigint, down === 1n, SCRATCH, {
        dataIsPtr: true,
        read: true,
      });
      return load(cpu, SCRATCH, 8);
    },
  ],
  ins: [
    4,
    (cpu, [port, size, count, down]) => {
      repeat(cpu, IOREQ_TYPE_PIO, port as bigint, n(size), count as bigint, down === 1n, SCRATCH, {
        dataIsPtr: true,
        read: true,
      });
      return load(cpu, SCRATCH, 4);
    },
  ],
  interrupts: [
    1,
    (cpu, [vector]) => BigInt(cpu.guest.domain.messages.filter((one) => BigInt(one.data & 0xff) === vector).length),
  ],
  give: [2, (cpu, [at, count]) => pages(at as bigint, count as bigint, (gfn) => balloonOut(cpu.guest.domain, gfn))],
  take: [2, (cpu, [at, count]) => pages(at as bigint, count as bigint, (gfn) => balloonIn(cpu.guest.domain, gfn))],
};

function barAddress(cpu: Cpu, slot: number, bar: number): bigint {
  const low = configRead(cpu, slot, 0x10 + 4 * bar, 4);
  if (low & 1n) return low & ~3n;
  return (low & ~15n) | (isWide(cpu, slot, bar) ? configRead(cpu, slot, 0x14 + 4 * bar, 4) << 32n : 0n);
}

function pages(at: bigint, count: bigint, one: (gfn: bigint) => boolean): bigint {
  let done = 0n;
  for (let i = 0n; i < count; i++) if (one((at >> 12n) + i)) done++;
  return done;
}

export const isGuestCommand = (name: string): boolean => Object.hasOwn(COMMANDS, name);

/** Its answer, as the guest prints it. */
export function tellGuest(cpu: Cpu, name: string, numbers: bigint[]): string {
  cpu.seen++;
  const [wanted, run] = COMMANDS[name] as [number, Command];
  if (numbers.length < wanted) return `${cpu.seen} failed: ${name}: too few numbers`;
  return `${cpu.seen} ok ${name} 0x${(run(cpu, numbers) ?? 0n).toString(16)}`;
}
