// SPDX-License-Identifier: MIT
//
// The driver's capabilities memory, buffer and work against the real core in the simulator, below a module run by the
// plain engine: any order of calls, sound ones and misdeeds, must end in the same fault at the same operation with the
// same fuel, and leave the same bytes in the module's memory.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { FAULTS } from "../../host/fuzz/module/fault.js";
import { ModuleInstance } from "../../host/fuzz/module/instance.js";
import type { FuzzModule } from "../../host/fuzz/module/prepare.js";
import { Random } from "../../host/fuzz/random.js";
import { countDepth } from "../../host/pipeline/depth.js";
import { fuelByEntry, type Manifest } from "../../host/pipeline/manifest.js";
import { addMemory, writeMemory } from "../../host/sim/domain.js";
import { configWrite } from "../../host/sim/guest.js";
import { type Instance, ModuleFault, wasmModule } from "../../host/sim/module.js";
import { settle } from "../../host/sim/world.js";
import {
  KIND_CALL_EVENT,
  KIND_CALL_READ,
  KIND_CALL_WORK_DONE,
  KIND_CALL_WRITE,
  KIND_MEMORY,
  KIND_MEMORY_LATER,
  KIND_TIME,
  record,
  type TraceRecord,
} from "../../host/trace/index.js";
import { attached, SLOT } from "../core/support.js";
import { CALLER, CALLS, COMMAND, LIST, MANIFEST } from "./caller.js";
import { small, wordsOf } from "./support.js";

const RAM_BYTES = 64 * 4096;
const GIB4 = 2 ** 32;
const WORKLOADS = 2;
const MODULE = await small(CALLER);

const put = (addr: number, data: bigint | number): TraceRecord =>
  record({ kind: KIND_CALL_WRITE, size: 8, addr: BigInt(addr), data: BigInt.asUintN(64, BigInt(data)) });
const command = (name: string, place = 0): TraceRecord => put(COMMAND, CALLS.indexOf(name) | (place << 8));

function ask(name: string, args: (number | bigint)[], place = 0): TraceRecord[] {
  return [...args.map((one, i) => put(i * 8, one)), command(name, place)];
}

// --- the other side: the core's own capabilities, the plain engine ---

interface Outcome {
  end: string;
  memory: Buffer;
  fuel: number;
}

async function plain(module: FuzzModule, records: readonly TraceRecord[]): Promise<Outcome> {
  const { world, guest, device } = attached({ manifest: MANIFEST as unknown as Partial<Manifest> });
  addMemory(guest, 0n, RAM_BYTES / 4096);
  addMemory(guest, BigInt(GIB4 / 4096), RAM_BYTES / 4096);
  configWrite(world, guest, SLOT, 0x18, 4, 0);
  configWrite(world, guest, SLOT, 0x1c, 4, 0x120); // the driver's place for BAR 2
  configWrite(world, guest, SLOT, 0x04, 2, 2);
  const code = await countDepth(Uint8Array.from(module.fuelled));
  const instance = wasmModule(new Uint8Array(), code).instantiate(device.capabilities());
  const outcome = { end: "", fuel: 0, memory: Buffer.alloc(0) };
  const budgets = fuelByEntry(module.manifest);
  const call = (entry: number, args: Parameters<Instance["call"]>[2]): void => {
    outcome.fuel += instance.call(entry, budgets[entry] ?? 0, args).fuel;
  };
  device.script.workDone = (cookie, status) => call(5, [cookie, BigInt(status), 0n, 0n]);
  call(0, [0n, 0n, 0n, 0n]);
  outcome.fuel = 0;
  for (const [op, one] of records.entries()) {
    try {
      if (one.kind === KIND_MEMORY) writeMemory(guest, one.addr, bytesOf(one));
      else if (one.kind === KIND_CALL_WORK_DONE) settle(world);
      else call(one.kind - 0xc0, [BigInt(one.flags), one.addr, BigInt(one.size), one.data]);
    } catch (error) {
      if (!(error instanceof ModuleFault)) throw error;
      outcome.end = `op ${op} ${FAULTS[error.fault - 1]} fuel ${error.fuel}`;
      break;
    }
  }
  outcome.memory = Buffer.from(instance.state?.()[0] as Uint8Array);
  return outcome;
}

function bytesOf({ data, size }: TraceRecord): Uint8Array {
  return new Uint8Array(BigUint64Array.of(data).buffer).slice(0, size);
}

// --- inputs ---

class Inputs {
  constructor(private readonly random: Random) {}

  private gpa(): number {
    const { random } = this;
    const page = random.below(10) * 4096;
    const base = random.oneIn(6) ? GIB4 : random.oneIn(40) ? RAM_BYTES - 0x8000 : 0;
    return base + page + (random.oneIn(3) ? random.below(4096) : 0);
  }

  private wild(usual: number | bigint): number | bigint {
    const { random } = this;
    if (!random.oneIn(600)) return usual;
    return random.pick([0, -1, 1, 4095, 4096, 4097, 65536, 65537, 2n ** 31n, 2n ** 32n, 2n ** 48n, -4096n, 2n ** 63n]);
  }

  private handle(): number {
    return this.random.oneIn(1000) ? 0x1000 + this.random.below(70) : this.random.below(4);
  }

  private list(): { count: number; records: TraceRecord[] } {
    const { random } = this;
    const count = random.below(5);
    const records = Array.from({ length: count * 2 }, (_, i) => {
      const bytes = random.oneIn(4) ? random.below(5000) : (1 + random.below(8)) * 4096;
      return put(LIST + i * 8, this.wild(i % 2 === 0 ? this.gpa() : bytes));
    });
    return { count, records };
  }

  private call(name: string): TraceRecord[] {
    const { random } = this;
    const offset = (): number => random.below(random.oneIn(3) ? 0x9000 : 0x800);
    const at = (): number => 0x1000 + random.below(0x800);
    const length = (): number => random.below(random.oneIn(3) ? 4097 : 64);
    const stride = (): number => random.below(600);
    const place = random.below(4);
    const { count, records } = this.list();
    const args: Record<string, () => (number | bigint)[]> = {
      guest_read: () => [this.gpa(), at(), length()],
      guest_write: () => [this.gpa(), at(), length()],
      buffer_create: () => [LIST, count],
      buffer_append: () => [this.handle(), LIST, count],
      buffer_bar: () => [random.oneIn(200) ? random.below(7) : 2, offset(), random.below(0x4000)],
      buffer_destroy: () => [this.handle()],
      buffer_read: () => [this.handle(), offset(), at(), length()],
      buffer_write: () => [this.handle(), offset(), at(), length()],
      buffer_copy: () => [
        this.handle(),
        offset(),
        stride(),
        this.handle(),
        offset(),
        stride(),
        random.below(400),
        random.below(12),
      ],
      scanout_set_buffer: () => {
        const format = random.pick([0x34325258, 0x34325258, 0x36314752, 0, 5]);
        return [
          random.oneIn(200) ? 2 : 0,
          this.handle(),
          offset(),
          1 + random.below(64),
          random.below(64),
          256,
          format,
        ];
      },
      work_copy: () => [
        0,
        random.next(),
        this.handle(),
        offset(),
        stride(),
        this.handle(),
        offset(),
        stride(),
        random.below(400),
        9,
      ],
      work_fence: () => [random.oneIn(200) ? 1 : 0, random.next()],
      cursor_set: () => [
        random.oneIn(200) ? 2 : 1,
        this.handle(),
        offset(),
        random.below(260),
        random.below(8),
        1024,
        random.pick([0x34325241, 0x34325241, 0x34325258, 0, 5]),
      ],
      cursor_move: () => [random.oneIn(200) ? 2 : 0, random.next(), random.next()],
      scanout_flush: () => [0, 0, 0, random.below(64), random.below(64)],
    };
    const all = (args[name] as () => (number | bigint)[])().map((one) => this.wild(one));
    return [...(name.endsWith("create") || name.endsWith("append") ? records : []), ...ask(name, all, place)];
  }

  /** A buffer that is destroyed takes its handle with it: not too often. */
  private name(): string {
    const name = this.random.pick(CALLS);
    return name === "buffer_destroy" && !this.random.oneIn(8) ? "guest_write" : name;
  }

  next(): TraceRecord[] {
    const { random } = this;
    const records = [0, 1, 2, 3].flatMap((place) => [
      put(LIST, this.gpa()),
      put(LIST + 8, 0x4000 + random.below(0x4000)),
      ...ask("buffer_create", [LIST, 1], place),
    ]);
    for (let i = 0; i < 40; i++) {
      const data = (BigInt(random.next() >>> 0) << 32n) | BigInt(random.next() >>> 0);
      if (random.oneIn(4)) {
        records.push(record({ kind: KIND_MEMORY, size: random.pick([1, 2, 4, 8]), addr: BigInt(this.gpa()), data }));
      } else if (random.oneIn(8)) {
        for (let n = 0; n < WORKLOADS; n++) records.push(record({ kind: KIND_CALL_WORK_DONE }));
      } else records.push(...this.call(this.name()));
    }
    return records;
  }
}

test("any calls end the same below the core and in the driver", async () => {
  const instance = new ModuleInstance(MODULE, [[0x10000n]], RAM_BYTES);
  assert.is(instance.select(0).attached, 0);
  const inputs = new Inputs(new Random(5));
  const ends = new Map<string, number>();
  for (let i = 0; i < 250; i++) {
    const records = inputs.next();
    const wanted = await plain(MODULE, records);
    instance.input.set(wordsOf(records));
    const fault = instance.run(records.length) < 0 ? instance.fault() : undefined;
    const end = fault === undefined ? "" : `op ${fault.operation} ${fault.fault} fuel ${fault.fuel}`;
    assert.is(end, wanted.end, `input ${i}`);
    if (fault === undefined) assert.is(instance.fuelOfRun(), wanted.fuel, `fuel of input ${i}`);
    assert.is(Buffer.compare(instance.memory, wanted.memory), 0, `memory after input ${i}`);
    ends.set(fault?.fault ?? "whole", (ends.get(fault?.fault ?? "whole") ?? 0) + 1);
  }
  for (const one of ["whole", "capability", "fuel"]) assert.ok((ends.get(one) ?? 0) > 5, `too tame: ${[...ends]}`);
});

// --- what only the driver has ---

function run(instance: ModuleInstance, records: readonly TraceRecord[]): DataView {
  instance.select(0);
  instance.input.set(wordsOf(records));
  assert.ok(instance.run(records.length) >= 0);
  return new DataView(instance.memory.buffer);
}

test("guest memory is zeros before each input; a memory record of size 0 makes it so again", () => {
  const instance = new ModuleInstance(MODULE, [[0x10000n]]);
  const write = record({ kind: KIND_MEMORY, size: 8, addr: 0x20fcn, count: 3, data: 0x1122334455667788n });
  const read = ask("guest_read", [0x20f0, 0x1000, 64]);
  assert.is(run(instance, [write, ...read]).getBigUint64(0x1014, true), 0x1122334455667788n);
  assert.is(run(instance, [write, ...read]).getBigUint64(0x101c, true), 0x1122334455667788n);
  assert.is(run(instance, read).getBigUint64(0x1014, true), 0n);
  assert.is(run(instance, [write, record({ kind: KIND_MEMORY }), ...read]).getBigUint64(0x1014, true), 0n);
});

test("memory-later: the nth read that touches it sees the other value, the ones before it do not", () => {
  const instance = new ModuleInstance(MODULE, [[0x10000n]]);
  const first = record({ kind: KIND_MEMORY, size: 8, addr: 0x3000n, data: 5n });
  const then = record({ kind: KIND_MEMORY_LATER, flags: 2, size: 4, addr: 0x3000n, data: 77n });
  const at = (to: number): TraceRecord[] => ask("guest_read", [0x2ffc, to, 16]);
  const aside = ask("guest_read", [0x3004, 0x1800, 16]);
  const seen = run(instance, [first, then, ...at(0x1000), ...aside, ...at(0x1100), ...at(0x1200)]);
  assert.equal(
    [0x1004, 0x1104, 0x1204].map((one) => seen.getUint32(one, true)),
    [5, 77, 77],
  );
});

test("a poll comes only to who asked; time ends it", async () => {
  const module = await small({
    imports: '(import "glovebox" "poll" (func $poll (param i64) (result i32)))',
    read: "(i64.load (local.get $offset))",
    write: "(drop (call $poll (local.get $value)))",
    rest: `(func (export "event") (param i32) (param i64) (i64.store (i32.const 0)
      (i64.add (i64.mul (i64.load (i32.const 0)) (i64.const 10)) (i64.add (local.get 1) (i64.const 1)))))`,
    manifest: {
      capabilities: ["irq", "log", "poll"],
      fuel: { attach: 10000, reset: 10000, barRead: 10000, barWrite: 10000, event: 10000 },
    },
  });
  const instance = new ModuleInstance(module, [module.manifest.params.map((one) => BigInt(one.default))]);
  const poll = (data: number): TraceRecord => record({ kind: KIND_CALL_EVENT, addr: 2n, data: BigInt(data) });
  const time = (ns: number): TraceRecord => record({ kind: KIND_TIME, addr: BigInt(ns) });
  const start = (ns: number): TraceRecord => record({ kind: KIND_CALL_WRITE, size: 8, data: BigInt(ns) });
  const told = (records: TraceRecord[]): bigint => run(instance, records).getBigUint64(0, true);
  assert.is(told([poll(0), time(5)]), 0n);
  assert.is(told([start(100), poll(0), time(60), time(60), poll(0)]), 112n);
  assert.is(told([start(100), poll(1), poll(0)]), 2n);
  assert.is(told([start(100), start(0), poll(0)]), 0n);
});

test("the same after a reset: buffers of before are gone, and memory begins as zeros", () => {
  const instance = new ModuleInstance(MODULE, [[0x10000n]]);
  const records = [
    ...ask("guest_read", [0x1000, 0x1000, 8]),
    put(LIST, 0x1000),
    put(LIST + 8, 0x2000),
    ...ask("buffer_create", [LIST, 1]),
    record({ kind: KIND_CALL_READ, size: 8, addr: 0x1000n }),
    ...ask("guest_write", [0x1000, LIST, 8]),
  ];
  run(instance, records);
  const before = instance.answers();
  assert.is(instance.resetAndAgain(records.length), 0);
  assert.is(instance.answers(), before);
});

test.run();
