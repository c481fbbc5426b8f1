// SPDX-License-Identifier: MIT
//
// Isolation must notice each way in which what is one guest's reaches another, or what is nobody's reaches anyone.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { copyGuest } from "../../host/sim/calls/memory.js";
import { writeMemory } from "../../host/sim/domain.js";
import { LEFTOVER, LEFTOVER_U64 } from "../../host/sim/leftover.js";
import { play } from "../../host/sim/play/operation.js";
import { holdsSecret, secretOf } from "../../host/sim/play/secret.js";
import type { World } from "../../host/sim/world.js";
import { FLAG_DATA_IS_PTR, FLAG_READ, KIND_MMIO, record } from "../../host/trace/index.js";
import { breach, breached, word } from "./breach.js";
import { BAR, found, read, twoGuests, write } from "./machine.js";

test("isolation: another's secret in an answer, memory, an interrupt, a picture, a node; a page not empty", () => {
  const plant = (act: (world: World, secret: number) => void): string => {
    const machine = twoGuests();
    act(machine.world, machine.second.secret);
    return breach(machine);
  };
  const told = (entry: Record<string, unknown>) => plant((world) => world.journal?.entries.push(entry as never));
  const secret = secretOf(11, 0);
  const data = BigInt(secret >>> 0);
  const open = { kind: "asked", domid: 10, vcpu: 0, ask: 99 };
  assert.match(
    plant((world) => {
      world.journal?.entries.push(open as never);
      world.journal?.entries.push({
        kind: "answered",
        domid: 10,
        vcpu: 0,
        ask: 99,
        read: true,
        data: data << 24n,
        lost: false,
      });
    }),
    /^isolation: guest 10 was answered with data of guest 11/,
  );
  assert.match(
    told({ kind: "wrote", domid: 10, gpa: 0n, bytes: Buffer.concat([Buffer.from("x"), word(secret)]) }),
    /^isolation/,
  );
  assert.match(
    told({ kind: "interrupt", domid: 10, address: data << 32n, data: 0 }),
    /^isolation: guest 10 was interr/,
  );
  assert.match(
    told({ kind: "shared", from: 10, offset: 0, bytes: word(secret) }),
    /^isolation: guest 10 has its picture/,
  );
  const value = Buffer.from(word(secret)).toString("latin1");
  assert.match(
    told({ kind: "node", path: "/local/domain/3/data/glovebox/vgpu/10/0/error", value }),
    /^isolation: guest 10/,
  );
  assert.match(
    told({ kind: "gave", domid: 10, gfn: 1n, page: new Uint8Array(4096).fill(7) }),
    /^isolation: .*not empty/,
  );
  assert.is(told({ kind: "wrote", domid: 11, gpa: 0n, bytes: word(secret) }), "nothing", "its own secret is its own");
  const said = (domid: number): string => {
    const machine = twoGuests();
    machine.played.push(write(0x48, BigInt(secretOf(11, 0) >>> 0), { domid }));
    machine.world.journal?.entries.push({ kind: "wrote", domid: 10, gpa: 0n, bytes: word(secret) });
    return breach(machine);
  };
  assert.is(said(0), "nothing", "guest 10 has said it itself");
  assert.match(said(1), /^isolation: guest 10 has memory written/, "guest 11 has said it");
});

test("isolation: what nobody sent, in an answer and in a write of a module's", () => {
  const answered = twoGuests();
  const reply = { kind: "answered", domid: 10, vcpu: 0, ask: 99, read: true, data: LEFTOVER_U64, lost: false } as const;
  answered.world.journal?.entries.push({ kind: "asked", domid: 10, vcpu: 0, ask: 99 }, reply);
  assert.match(breach(answered), /^isolation: guest 10 was answered with what nobody sent/);
  const given = twoGuests();
  const called = { kind: "called", handle: 1, tag: 0, entry: 3, fault: 0, fuel: 1, budget: 10 } as const;
  given.world.journal?.entries.push({ ...called, data: LEFTOVER_U64 >> 32n });
  assert.match(breach(given), /^isolation: the module of vGPU 0 was given what nobody sent/);
});

test("what a failed copy from a guest was to bring is marked, and the core does not use it", () => {
  const machine = twoGuests();
  for (const one of found(0)) play(machine, one);
  const nowhere = { size: 4, data: 0x4000_0000n, flags: FLAG_DATA_IS_PTR };
  play(machine, write(0x50, 0x1234n));
  play(machine, write(0x50, 0n, nowhere));
  assert.is(play(machine, read(0x50)).value, 0x1234n);
  const bytes = new Uint8Array(6);
  assert.ok(copyGuest(machine.world, 10, 0x4000_0000n, bytes, true) < 0);
  assert.ok(holdsSecret(bytes, LEFTOVER));
});

test("a copy from the wrong guest's memory is noticed where it lands", () => {
  const machine = twoGuests();
  for (const one of found(0)) play(machine, one);
  writeMemory(machine.first.domain, 0x100000n, word(machine.second.secret)); // as if mapped wrongly
  const copy = record({
    kind: KIND_MMIO,
    size: 4,
    count: 1,
    addr: BAR + 0x50n,
    data: 0x100000n,
    flags: FLAG_DATA_IS_PTR,
  });
  play(machine, copy);
  assert.match(
    breached(() => void play(machine, { ...copy, flags: FLAG_READ, data: 0n })),
    /^isolation: guest 10 was answered/,
  );
});

test.run();
