// SPDX-License-Identifier: MIT
//
// What a driver sees of its machine: RAM, a device's BARs, interrupts. Below it stands either a module alone in V8 with
// a mediator made for the test (mediator.ts), or the core in the simulated machine (world.ts).

export interface Bus {
  read(bar: number, offset: number, size: number): bigint;
  write(bar: number, offset: number, size: number, value: number | bigint): void;
  ram: Ram;
  /** Whatever the mediator does by itself, until it comes to rest. */
  settle(): void;
  /** Interrupts since the last look, by vector. */
  interrupts(): number[];
}

/** Guest memory, and pages of it for who asks. */
export class Ram {
  private next: bigint;

  constructor(
    private readonly memory: Memory,
    first: bigint,
    private readonly end: bigint,
  ) {
    this.next = first;
  }

  /** Zeroed pages, one after the other. */
  pages(count: number): bigint {
    const at = this.next;
    this.next += BigInt(count) * 4096n;
    if (this.next > this.end) throw new Error("the test's guest has no more pages");
    this.fill(at, new Uint8Array(count * 4096));
    return at;
  }

  fill(gpa: bigint, bytes: Uint8Array): void {
    if (!this.memory.write(gpa, bytes)) throw new Error(`no RAM at 0x${gpa.toString(16)}`);
  }

  bytes(gpa: bigint, length: number): Uint8Array {
    const bytes = this.memory.read(gpa, length);
    if (bytes === undefined) throw new Error(`no RAM at 0x${gpa.toString(16)}`);
    return bytes;
  }

  word(gpa: bigint): number {
    const bytes = this.bytes(gpa, 2);
    return (bytes[0] as number) | ((bytes[1] as number) << 8);
  }

  setWord(gpa: bigint, value: number): void {
    this.fill(gpa, Uint8Array.of(value & 0xff, (value >> 8) & 0xff));
  }
}

/** Undefined or false: not RAM. */
export interface Memory {
  read(gpa: bigint, length: number): Uint8Array | undefined;
  write(gpa: bigint, bytes: Uint8Array): boolean;
}

export function flatMemory(bytes: number): Memory {
  const all = new Uint8Array(bytes);
  const inside = (gpa: bigint, length: number) => gpa >= 0n && gpa + BigInt(length) <= BigInt(bytes);
  return {
    read: (gpa, length) => (inside(gpa, length) ? all.slice(Number(gpa), Number(gpa) + length) : undefined),
    write(gpa, data) {
      if (!inside(gpa, data.length)) return false;
      all.set(data, Number(gpa));
      return true;
    },
  };
}
