// SPDX-License-Identifier: MIT
//
// gbctl create --supervise: a guest that reboots is made anew; every other end of it is told.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunOptions } from "./bench.js";
import { CREATE, CREATING, creating, DRIVER_NODES, fails, onlyDom0, run } from "./support.js";

const supervise = suite("gbctl create --supervise");

/** Two lives of the guest, domains 2 and 3; `end` is how the second one ends. */
function lives(end: string): RunOptions {
  const three = CREATING.attach.replaceAll("/2/0", "/3/0");
  const guest = `once xl create -q -p :: domain 2 demo pvh 262144
once xl create -q -p :: domain 3 demo pvh 262144
once xl unpause :: after 20 shutdown 2 1
once xl unpause :: after 20 ${end}\n`;
  return creating({ guest, attach: CREATING.attach + three });
}

supervise("supervises: makes all anew after a reboot, ends at power off", async () => {
  const result = await run([...CREATE, "--supervise"], lives("shutdown 3 0"));
  assert.is(result.code, 0, result.stderr);
  onlyDom0(result);
  assert.match(result.stdout, /^guest 2 \(demo\) reboots\nguest 3 \(demo\), driver domain 1/m);
  assert.match(result.stdout, /guest 3 \(demo\) powered off\n$/);
  assert.match(result.stderr, /-p demo\.cfg on_reboot="preserve"/);
});

supervise("supervises: says how else a guest can end", async () => {
  onlyDom0(await fails([...CREATE, "--supervise"], lives("shutdown 3 3"), 1, /guest demo crashed/));
  const gone = await run([...CREATE, "--supervise"], lives("destroy 3"));
  assert.is(gone.code, 0, gone.stderr);
  onlyDom0(gone);
  const alone = await fails([...CREATE, "--supervise"], lives("shutdown 1 3"), 1, /glovebox-demo\) has gone; guest 3/);
  assert.ok(alone.domains.has("demo"), "the guest is the operator's to end");
});

supervise("supervises: Ctrl-C leaves the guest running", async () => {
  const options = { ...creating(), interruptAt: "xl unpause" };
  const result = await run([...CREATE, "--supervise"], options);
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stderr, /no longer supervising; guest demo goes on/);
  assert.is(result.domains.size, 3);
});

supervise("supervises: gives up on a guest that only reboots", async () => {
  const ids = [2, 3, 4, 5, 6, 7];
  const guest = ids
    .map((id) => `once xl create -q -p :: domain ${id} demo pvh 1\nonce xl unpause :: after 5 shutdown ${id} 1\n`)
    .join("");
  const attach = ids.map((id) => CREATING.attach.replaceAll("/2/0", `/${id}/0`)).join("");
  onlyDom0(await fails([...CREATE, "--supervise"], creating({ guest, attach }), 1, /rebooted 5 times .* given up/));
});

supervise("supervises a shared driver domain under FLASK only", async () => {
  const shared = `domain 1 shared pv 16384\n${DRIVER_NODES}`;
  await fails([...CREATE, "--supervise", "--driver-domain", "shared"], creating({}, shared), 2, /needs FLASK/);
});
supervise.run();
