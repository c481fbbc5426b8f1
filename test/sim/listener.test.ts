// SPDX-License-Identifier: MIT
//
// What counts as new to the fuzzer of the core: what the mediator says, not what somebody else wrote and it repeats.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { listener } from "../../host/sim/fuzz/listener.js";
import type { Machine } from "../../host/sim/play/machine.js";
import { rest } from "../../host/sim/play/operation.js";
import { storeWrite } from "../../host/sim/xenstore.js";
import { twoGuests } from "./machine.js";

/** How many words it takes for new: of nodes with these values. */
function news(...values: string[]): number {
  const words = new Set<string>();
  const one = listener(words);
  const machine = { world: { console: [] } } as unknown as Machine;
  for (const value of values) one.entry?.(machine, { kind: "node", path: "vgpu/3/0/error", value });
  return words.size;
}

test("an operator's words before the colon are no news, the reason is", () => {
  assert.is(news("slot=99: must be 1 to 31", "slot=zzz??: must be 1 to 31", "what: ever: must be 1 to 7"), 1);
  assert.is(news("slot=99: must be 1 to 31", "module=x: no such module in this domain"), 2);
  assert.is(news('"abc" is refused', '"abd" is refused', "lost"), 2);
});

test("a refused wish on the real core: one word, whatever was wished", () => {
  const words = new Set<string>();
  const machine = twoGuests();
  const path = `data/glovebox/vgpu/${machine.first.domain.domid}`;
  const hear = (vgpu: number, wish: string): number => {
    machine.checkers.splice(0, machine.checkers.length, listener(words));
    storeWrite(machine.world.store, `${path}/${vgpu}`, wish);
    rest(machine);
    return words.size;
  };
  hear(3, "module=first guest=pvh");
  const known = hear(4, "module=second guest=pvh");
  assert.is(hear(5, "module=m??xyz guest=pvh"), known);
});

test.run();
