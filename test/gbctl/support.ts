// SPDX-License-Identifier: MIT
//
// For all tests of gbctl: the program built once, the scenarios that they begin with, and runs that look at what is
// left behind whatever the command was.

import * as assert from "uvu/assert";
import { buildFake, cleanUp, gbctl, type Run, type RunOptions } from "./bench.js";

buildFake();

export const DD = "/local/domain/1/data/glovebox";
export const VGPU = `${DD}/vgpu/2/0`;
export const DOM0 = "domain 0 Domain-0 pv 1048576\nnode /local/domain/0/domid 0\n";
export const DRIVER_NODES = `node ${DD}/version 0.1.0\nnode ${DD}/module/0 name=bochs-display version=0.1.0 abi=1\n`;
/** A driver domain that runs, and a guest with one vGPU. */
export const RUNNING = `${DOM0}domain 1 glovebox-demo pv 16384
${DRIVER_NODES}node ${DD}/state ready
domain 2 demo pvh 278528
node ${VGPU} module=bochs-display guest=pvh
node ${VGPU}/state ready
node ${VGPU}/bdf 0000:00:01.0
node ${VGPU}/ram_bytes 16777216
`;
/** What xl and the driver domain do when all goes well; each line can be left out or replaced. */
export const CREATING = {
  driver: `on xl create -q /tmp :: domain 1 glovebox-demo pv 16384
on xl create -q /tmp :: set ${DD}/version 0.1.0
on xl create -q /tmp :: set ${DD}/module/0 name=bochs-display version=0.1.0 abi=1\n`,
  ready: `on xl create -q /tmp :: after 30 set ${DD}/state ready\n`,
  guest: "on xl create -q -p demo.cfg :: domain 2 demo pvh 262144\n",
  attach: `on write ${VGPU} module= :: set ${VGPU}/ram_bytes 16777216
on write ${VGPU} module= :: set ${VGPU}/bdf 0000:00:01.0
on write ${VGPU} module= :: after 20 set ${VGPU}/state ready\n`,
};
export const RELEASE = "on request release :: reply ok\n";
export const CFG = 'name = "demo"\ntype = "pvh"\n';
export const CREATE = ["create", "demo.cfg", "--kernel", "glovebox.elf", "--module", "bochs-display"];

export function creating(change: Partial<typeof CREATING> = {}, more = ""): RunOptions {
  return {
    scenario: DOM0 + more + Object.values({ ...CREATING, ...change }).join(""),
    files: { "demo.cfg": CFG, "glovebox.elf": "" },
  };
}

/** Every run leaves no map and no watch, whatever happened, and no sanitizer spoke. */
export async function run(args: string[], options: RunOptions = {}): Promise<Run> {
  const result = await gbctl(args, options);
  assert.is(result.maps, 0, "a grant is still mapped");
  assert.is(result.watches, 0, "a watch is left");
  assert.equal(result.paused, [], "a domain stays paused");
  assert.not.match(result.stderr, /Sanitizer|runtime error/);
  cleanUp(result);
  return result;
}

export async function fails(args: string[], options: RunOptions, code: number, message: RegExp): Promise<Run> {
  const result = await run(args, options);
  assert.match(result.stderr, message);
  assert.is(result.code, code, result.stderr);
  return result;
}

export function onlyDom0(result: Run): void {
  assert.equal([...result.domains.keys()], ["Domain-0"]);
}
