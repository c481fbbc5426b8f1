// SPDX-License-Identifier: MIT
//
// Silence must notice a lost vGPU that does anything, and is not deceived by what Dom0 writes over our nodes.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { finish } from "../../host/sim/play/finish.js";
import { KIND_NODE, NODE_WRITE, NODES } from "../../host/sim/play/kinds.js";
import { inspect } from "../../host/sim/play/machine.js";
import { play, rest } from "../../host/sim/play/operation.js";
import { KIND_CONFIG, KIND_TEXT, record, type TraceRecord } from "../../host/trace/index.js";
import { breach, breached } from "./breach.js";
import { found, twoGuests, write } from "./machine.js";

test("silence: a lost vGPU's instance is called, its guest interrupted", () => {
  const called = twoGuests();
  const entry = { kind: "called", handle: 7, tag: 0, entry: 3, fault: 5, fuel: 0, budget: 10 } as const;
  called.world.journal?.entries.push(entry, { ...entry, fault: 0 });
  assert.match(breach(called), /^silence: the instance of lost vGPU 0 was called, entry 3/);
  const irq = twoGuests();
  for (const one of found(0)) play(irq, one);
  play(irq, write(8, 0n));
  play(irq, write(0, 5n)); // the puppet faults
  rest(irq);
  inspect(irq, true);
  irq.world.journal?.entries.push({ kind: "interrupt", domid: 10, address: 0xfee00000n, data: 0x41 });
  assert.match(breach(irq), /^silence: guest 10 has lost all its vGPUs and was interrupted/);
});

test("silence: a lost vGPU that still answers", () => {
  const machine = twoGuests();
  for (const one of found(0)) play(machine, one);
  machine.world.store.said.set("/local/domain/3/data/glovebox/vgpu/10/0/state", "lost");
  assert.match(
    breached(() => finish(machine)),
    /^silence: guest 10 vgpu 0 is lost and reads 0x7070fffe/,
  );
});

/** Text 0 is all of it; none: an empty node. Dom0 writes over a node that the mediator wrote. */
const overwritten = (name: string, text = ""): TraceRecord[] => [
  record({ kind: KIND_TEXT, size: text.length, addr: Buffer.from(text.padEnd(8, "\0")).readBigUInt64LE() }),
  record({ kind: KIND_NODE, flags: NODE_WRITE, size: NODES.indexOf(`vgpu/G/N/${name}`) }),
];
const losing = [write(8, 0n), write(0, 5n)];

test("silence: what Dom0 writes over our nodes makes no vGPU lost, and moves none to the host bridge", () => {
  for (const records of [[...losing, ...overwritten("bdf")], overwritten("state", "lost")]) {
    const machine = twoGuests();
    for (const one of [...found(0), ...records]) play(machine, one);
    assert.is(
      breached(() => finish(machine)),
      "nothing",
    );
  }
});

test("silence: what Dom0 writes over our nodes hides no lost vGPU that answers", () => {
  for (const hides of [overwritten("bdf"), overwritten("state", "ready")]) {
    const machine = twoGuests();
    for (const one of [...found(0), ...losing, ...hides]) play(machine, one);
    const { core } = machine.world;
    const on_ioreq = (...args: Parameters<typeof core.on_ioreq>): bigint =>
      args[2] === KIND_CONFIG && args[4] >> 32n === 8n ? 0x1234n : core.on_ioreq(...args);
    machine.world.core = { ...core, on_ioreq };
    assert.match(
      breached(() => finish(machine)),
      /^silence: guest 10 vgpu 0 is lost and reads 0x1234/,
    );
  }
});

test.run();
