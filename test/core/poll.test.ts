// SPDX-License-Identifier: MIT
//
// Capability "poll": called again and again until the time is over, once at least; the domain rests afterwards; who is
// lost, reset or gone is not called; after a panic everybody is called once more, for the last time.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { configWrite, memoryRead } from "../../host/sim/guest.js";
import { ModuleFault } from "../../host/sim/module.js";
import { restartDriver, settle, step } from "../../host/sim/world.js";
import { EVENT_POLL } from "../../unikernel/abi/module.js";
import { attached, CORE, machine, probe, request, SLOT, specify, vgpuNode } from "./support.js";

const KEEP = 1;
const FATAL = -0x80000000;
const POLLING = { capabilities: ["irq", "scanout", "log", "poll"] };

function polled(spec?: string) {
  const all = attached({ manifest: POLLING, ...(spec === undefined ? {} : { spec }) });
  const polls = (): bigint[] =>
    all.device.calls
      .splice(0)
      .flatMap((one) => (one.kind === "event" && one.event === EVENT_POLL ? [one.argument] : []));
  polls();
  return { ...all, polls };
}

test("for 50 microseconds: calls, the last of them says so, then rest", () => {
  const { world, polls } = polled();
  world.core.poll(0, 50_000n);
  const before = world.timeNs;
  settle(world);
  assert.equal(polls(), [0n, 0n, 0n, 0n, 0n, 1n]);
  assert.is(world.timeNs - before, 50_000n);
  settle(world);
  assert.equal(polls(), []);
});

test("the shortest time is one call", () => {
  const { world, polls } = polled();
  world.core.poll(0, 1n);
  settle(world);
  const [...calls] = polls();
  assert.is(calls.at(-1), 1n);
  assert.ok(calls.length <= 2);
});

test("asking anew in the call goes on; 0 ends it at once", () => {
  const { world, device, polls } = polled();
  let again = 100;
  device.script.event = (kind) => {
    if (kind === EVENT_POLL && again-- > 0) world.core.poll(0, 20_000n);
  };
  world.core.poll(0, 20_000n);
  settle(world);
  assert.is(polls().length, 102);
  world.core.poll(0, 20_000n);
  world.core.poll(0, 0n);
  settle(world);
  assert.equal(polls(), []);
});

test("no longer than a millisecond, whatever is asked for", () => {
  const { world, polls } = polled();
  for (const ns of [1_000_001n, 1n << 62n, -1n]) {
    world.core.poll(0, ns);
    const before = world.timeNs;
    settle(world);
    assert.is(world.timeNs - before, 1_000_000n);
    assert.is(polls().at(-1), 1n);
  }
});

test("a module without the capability that asks is broken", () => {
  const { world } = attached();
  assert.is(world.core.poll(0, 5n), FATAL);
});

test("lost, reset or detached, nobody is called any more", () => {
  const { world, guest, device, polls } = polled();
  world.core.poll(0, 1_000_000n);
  request(world, "1 reset 7 0");
  assert.ok(
    polls().every((last) => last === 0n),
    "while the request was on its way",
  );
  world.core.poll(0, 1_000_000n);
  device.script.barRead = () => {
    throw new ModuleFault(5);
  };
  configWrite(world, guest, SLOT, 0x10, 4, 0xf0000000);
  configWrite(world, guest, SLOT, 0x04, 2, 3);
  memoryRead(world, guest, 0xf0000000n, 4);
  settle(world);
  assert.is(vgpuNode(world, "state"), "lost");
  assert.equal(polls(), []);
  request(world, "2 reset 7 0");
  world.core.poll(0, 1_000_000n);
  specify(world, "");
  assert.ok(polls().every((last) => last === 0n));
});

test("several in turn, and traps in between", () => {
  const { module, calls } = probe(POLLING);
  const { world } = machine([module]);
  for (let i = 0; i < 8; i++) assert.is(specify(world, `module=probe guest=pvh slot=${i + 1}`, i), "ready");
  calls.length = 0;
  for (let i = 0; i < 8; i++) world.core.poll(i, 100_000n);
  step(world);
  assert.is(calls.length, 4, "a slice is bounded");
  step(world);
  assert.is(calls.length, 8, "and goes on where it ended");
  settle(world);
  assert.is(calls.filter((one) => one.kind === "event" && one.argument === 1n).length, 8);
});

test("after a panic each is called once, for the last time", () => {
  const { world, polls } = polled();
  world.core.poll(0, 1_000_000n);
  restartDriver(world, CORE, KEEP, "panic: of the test");
  assert.is(vgpuNode(world, "state"), "ready");
  assert.equal(polls(), [1n]);
});

test.run();
