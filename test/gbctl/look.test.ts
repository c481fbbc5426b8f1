// SPDX-License-Identifier: MIT
//
// gbctl list and stat: what they tell, and that a driver domain's words and late replies stay in their place.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DD, fails, RUNNING, run, VGPU } from "./support.js";

const look = suite("gbctl list, stat");

look("list", async () => {
  const text = await run(["list"], { scenario: RUNNING });
  assert.match(text.stdout, /glovebox-demo +1 +ready +demo +2 +0 {2}bochs-display {2}ready {2}0000:00:01\.0\n/);
  const [dd] = JSON.parse((await run(["list", "--json"], { scenario: RUNNING })).stdout);
  assert.equal([dd.name, dd.state, dd.guests[0].name], ["glovebox-demo", "ready", "demo"]);
  assert.is(dd.guests[0].vgpus[0].ram_bytes, 16777216);
  assert.is((await run(["list", "--json"])).stdout, "[]\n");
});

look("a driver domain's words cannot leave their place", async () => {
  const evil = `${RUNNING}node ${VGPU}/error \x1b[2J"}],[{\\ \xff\nnode ${VGPU}/state lost\n`;
  const text = await run(["list"], { scenario: evil });
  assert.not.ok(text.stdout.includes("\x1b"));
  assert.match(text.stdout, /\\x1b\[2J/);
  const [dd] = JSON.parse((await run(["list", "--json"], { scenario: evil })).stdout);
  assert.ok(dd.guests[0].vgpus[0].error.startsWith('\x1b[2J"}],[{\\ '));
});

look("stat of a vGPU, of a driver domain, of nothing", async () => {
  const scenario = `${RUNNING}on request stat :: reply ok entry_ns=15500
on request stat 2 0 :: reply ok traps=12 state=ready scanout0=1024x768/XR24
on request stat 2 1 :: reply error no such vGPU\n`;
  const told = JSON.parse((await run(["stat", "demo", "--json"], { scenario })).stdout);
  assert.equal(told, { traps: 12, state: "ready", scanout0: "1024x768/XR24" });
  assert.is((await run(["stat", "--driver-domain", "glovebox-demo"], { scenario })).stdout, "entry_ns\t15500\n");
  await fails(["stat", "demo", "1"], { scenario }, 3, /stat 2 1: no such vGPU/);
  await fails(["stat", "nobody"], { scenario }, 3, /no domain with the name or number "nobody"/);
  await fails(["stat", "Domain-0"], { scenario }, 3, /no driver domain serves guest 0/);
  await fails(["stat", "demo", "8"], { scenario }, 2, /vGPU number "8": must be 0 to 7/);
  await fails(["stat", "demo", "--timeout", "1"], { scenario: RUNNING }, 4, /"stat 2 0": no answer within 1 s/);
});

look("a late reply to someone else is not taken", async () => {
  const old = `${RUNNING}node ${DD}/request 7 stat 2 0\nnode ${DD}/reply 6 ok traps=1\n`;
  const scenario = `${old}on request stat 2 0 :: set ${DD}/reply 7 ok traps=666
on request stat 2 0 :: after 30 set ${DD}/reply 8 ok traps=2\n`;
  const result = await run(["stat", "demo"], { scenario });
  assert.is(result.stdout, "traps\t2\n");
  assert.is(result.nodes.get(`${DD}/request`), "8 stat 2 0");
});

look("one client at a time", async () => {
  const shell = 'exec 9>gbctl.lock; flock 9; "$0" "$@" 9>&-';
  await fails(["stat", "demo", "--timeout", "1"], { scenario: RUNNING, shell }, 4, /another gbctl holds it/);
});
look.run();
