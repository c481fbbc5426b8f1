// SPDX-License-Identifier: MIT
//
// Each checker must notice a breach that is planted for it, by name; and nothing when nothing is wrong. Isolation,
// interference and silence have files of their own.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { addChecker, allCheckers } from "../../host/sim/checkers/all.js";
import { shim } from "../../host/sim/contract.js";
import { bindInterdomain } from "../../host/sim/event.js";
import { moveSlot, removeServer } from "../../host/sim/ioreq.js";
import type { Entry } from "../../host/sim/journal.js";
import { finish } from "../../host/sim/play/finish.js";
import { FLAG_PAST, FLAG_SECRET } from "../../host/sim/play/kinds.js";
import { createMachine } from "../../host/sim/play/machine.js";
import { play, rest } from "../../host/sim/play/operation.js";
import { settle } from "../../host/sim/world.js";
import { FLAG_READ, KIND_CONFIG } from "../../host/trace/index.js";
import { asked, breach, breached } from "./breach.js";
import { BAR, found, options, read, twoGuests, write } from "./machine.js";

test("two guests at work and gone again: no checker minds", () => {
  const machine = twoGuests();
  for (const guest of [0, 1]) for (const one of found(guest)) play(machine, one);
  for (let i = 0; i < 8; i++) play(machine, write(8 * i, 0x1234n, { domid: i & 1, flags: FLAG_SECRET }));
  play(machine, read(0x50));
  finish(machine);
});

// --- transport ---

test("transport: a state that goes back, or is set by whom it does not belong to", () => {
  const machine = asked();
  const { domain } = machine.first;
  const [server] = domain.servers;
  moveSlot(machine.world, domain, server as NonNullable<typeof server>, 0, "us", 3);
  assert.match(breach(machine), /^transport: guest 10 vCPU 0: the mediator took its slot from state 1 to 3/);
});

test("transport: an answer twice, a server that goes first, a vCPU that waits for ever", () => {
  const twice = asked();
  settle(twice.world);
  twice.world.journal?.entries.push({
    kind: "answered",
    domid: 10,
    vcpu: 0,
    ask: 1,
    read: true,
    data: 0n,
    lost: false,
  });
  assert.match(breach(twice), /^transport: .* request 1 answered twice/);
  const gone = asked();
  removeServer(gone.world, gone.first.domain, gone.first.domain.servers[0] as never);
  assert.match(breach(gone), /^transport: .* its server went before request \d+ was answered/);
  const waits = asked();
  for (const port of waits.world.shim.events.ports.values()) port.pending = false; // a lost event
  assert.match(breach(waits, true), /^transport: guest 10 vCPU 0 waits and nobody is at work/);
});

// --- routing ---

test("routing: a request of nobody's that a module hears of, or that is answered", () => {
  const plant = (...entries: Entry[]): string => {
    const machine = twoGuests();
    machine.world.journal?.entries.push({ kind: "serving", domid: 10, claimed: false }, ...entries);
    return breach(machine);
  };
  const served = { kind: "served", domid: 10, claimed: false, read: true, size: 4 } as const;
  const called = { kind: "called", handle: 1, tag: 0, entry: 2, fault: 0, fuel: 1, budget: 10 } as const;
  assert.match(plant(called), /^routing: the module of vGPU 0 was called for a request of nobody's/);
  assert.match(plant({ ...served, data: 0n }), /^routing: guest 10: a read of nobody's was answered with 0x0/);
  assert.is(plant({ ...served, data: 0xffff_ffffn }), "nothing");
  assert.is(plant({ ...served, read: false, data: 0n }, called), "nothing", "it is over");
});

test("routing: a request past Xen's choice reaches the core and is nobody's", () => {
  const machine = twoGuests();
  for (const one of found(0)) play(machine, one);
  assert.is(play(machine, read(0x50, { addr: BAR + (1n << 32n) })).value, (1n << 64n) - 1n);
  const before = machine.world.asks;
  assert.is(
    play(machine, read(0x50, { addr: BAR + (1n << 32n), flags: FLAG_READ | FLAG_PAST })).value,
    (1n << 64n) - 1n,
  );
  assert.is(machine.world.asks, before + 1);
});

// --- interrupts ---

test("interrupts: one that no guest got, more than promised", () => {
  const plant = (...entries: Entry[]): string => {
    const machine = twoGuests();
    machine.world.journal?.entries.push(...entries);
    return breach(machine);
  };
  const raised = { kind: "raised", handle: 1, tag: 0, answer: 0, ns: 5n, promised: 2 } as const;
  const got = { kind: "interrupt", domid: 10, address: 0xfee00000n, data: 0x41 } as const;
  assert.match(plant(raised), /^interrupts: vGPU 0 raised an interrupt that no guest got/);
  assert.is(plant({ ...raised, answer: 1 }), "nothing", "masked");
  const three = [got, raised, got, raised, got, raised];
  assert.match(plant(...three), /^interrupts: vGPU 0 raised 3 interrupts within a second, promised 2/);
  assert.is(plant(got, raised, got, raised, got, { ...raised, ns: 1_000_000_000n }), "nothing", "the next second");
});

test("interrupts: an MSI that is pending and not masked in the end", () => {
  const machine = twoGuests();
  for (const one of found(0)) play(machine, one);
  const { core } = machine.world;
  const [enabled, pending] = [0x42n, 0x54n];
  const on_ioreq = (...args: Parameters<typeof core.on_ioreq>): bigint => {
    const register = args[2] === KIND_CONFIG ? args[4] & 0xffn : undefined;
    if (register === enabled) return 1n;
    return register === pending ? 2n : core.on_ioreq(...args);
  };
  machine.world.core = { ...core, on_ioreq };
  assert.match(
    breached(() => finish(machine)),
    /^interrupts: guest 10 vgpu 0: MSI 0x2 is pending and not masked/,
  );
});

// --- leaks ---

const LEAKS: [string, (machine: ReturnType<typeof twoGuests>) => void, RegExp][] = [
  ["a server", ({ first }) => first.domain.servers.push({ id: 3 } as never), /guest 10: 1 ioreq servers are left/],
  ["a page", ({ first }) => first.domain.given.add(new Uint8Array(4096)), /guest 10: 1 pages of its vGPUs are left/],
  ["an instance", ({ world }) => world.shim.instances.set(9, { pages: 1 } as never), /1 instances are left/],
  ["our books", ({ world }) => world.shim.servers.set(999, { ranges: new Set(), domain: {} } as never), /in our books/],
  [
    "an event port",
    ({ world }) => bindInterdomain(world.shim.events, { port: 9, bound: 0 }, () => {}),
    /1 event ports are left/,
  ],
  ["a grant", ({ world }) => world.shim.grants.set(9, { domid: 0, page: 0, mapped: 0 }), /1 grants are left/],
  ["a record", ({ world }) => world.shim.records.set(5, new Uint8Array(4)), /the record of vGPU 5 is left/],
];

for (const [what, plant, words] of LEAKS) {
  test(`leaks: ${what}`, () => {
    const machine = twoGuests();
    plant(machine);
    assert.match(
      breached(() => finish(machine)),
      words,
    );
  });
}

// --- limits ---

test("limits: fuel beyond its budget, a node beyond the quota, a scanout of none, more servers than may be", () => {
  const fuel = twoGuests();
  const called = { kind: "called", handle: 1, tag: 0, entry: 2, fault: 0, fuel: 11, budget: 10 } as const;
  fuel.world.journal?.entries.push(called);
  assert.match(breach(fuel), /^limits: a call of entry point 2 took 11 fuel of 10/);
  const node = twoGuests();
  node.world.journal?.entries.push({ kind: "node", path: "/x", value: "y".repeat(3000) });
  assert.match(breach(node), /^limits: node \/x has 3000 bytes/);
  const shows = twoGuests();
  shows.world.journal?.entries.push({ kind: "showed", tag: 0, scanout: 2, scanouts: 2, answer: 0 });
  assert.match(breach(shows), /^limits: vGPU 0 named scanout 2, it has 2/);
  const many = twoGuests();
  const [one] = many.world.shim.servers.values();
  for (let i = 0; i <= shim("SHIM_SERVERS_MAX"); i++) many.world.shim.servers.set(10_000 + i, one as never);
  assert.match(breach(many), /^limits: \d+ ioreq servers, limit 64/);
});

// --- the core itself, liveness, and what others add ---

test("panic: one that nobody ordered", () => {
  const machine = twoGuests();
  const { core } = machine.world;
  machine.world.core = { ...core, on_idle: () => core.irq_raise(64, 0) };
  assert.match(
    breached(() => rest(machine)),
    /^panic: core panic 0x102/,
  );
});

test("liveness: work that has no end", () => {
  const machine = twoGuests();
  machine.world.core = { ...machine.world.core, on_idle: () => 1 };
  assert.match(
    breached(() => finish(machine)),
    /^liveness: the driver domain does not come to rest/,
  );
});

test("a scheduler's invariants come in by addChecker, and are looked at after each step", () => {
  let looks = 0;
  const remove = addChecker(() => ({ name: "fair", state: () => (++looks > 3 ? "guest 1 starves" : undefined) }));
  const machine = createMachine({ ...options(), checkers: [...allCheckers()] });
  assert.match(
    breached(() => {
      for (const one of found(0)) play(machine, one);
    }),
    /^fair: guest 1 starves/,
  );
  remove();
});

test.run();
