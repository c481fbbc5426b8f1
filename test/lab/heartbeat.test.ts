// SPDX-License-Identifier: MIT
//
// Lines on a machine's serial port for as long as it lives. That they bring lost interrupts back is not shown: QEMU
// cannot be made to lose one.

import { setTimeout as delay } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { heartbeat } from "../../host/lab/heartbeat.js";
import type { Machine } from "../../host/lab/machine.js";

const TWO_PERIODS_MS = 600;

test("line after line until the machine has ended, then none", async () => {
  let typed = "";
  const stdin = {
    write: (text: string) => {
      typed += text;
    },
  };
  let end = (_how: string): void => {};
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  heartbeat({ process: { stdin }, ended } as unknown as Machine);
  await delay(TWO_PERIODS_MS);
  assert.match(typed, /^\n{2,3}$/);
  end("");
  await ended;
  typed = "";
  await delay(TWO_PERIODS_MS);
  assert.is(typed, "");
});

test.run();
