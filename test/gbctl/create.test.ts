// SPDX-License-Identifier: MIT
//
// gbctl create: driver domain and guest are made in order, and a step that fails undoes all that came before it.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunOptions } from "./bench.js";
import {
  CFG,
  CREATE,
  CREATING,
  creating,
  DD,
  DOM0,
  DRIVER_NODES,
  fails,
  onlyDom0,
  RUNNING,
  run,
  VGPU,
} from "./support.js";

const create = suite("gbctl create");

create("makes driver domain and guest in order", async () => {
  const result = await run([...CREATE, "--param", "vram_bytes=16M", "--json"], creating());
  assert.is(result.code, 0, result.stderr);
  const told = JSON.parse(result.stdout);
  assert.equal(told.guest, { name: "demo", domid: 2, type: "pvh" });
  assert.equal(told.vgpus[0].bdf, "0000:00:01.0");
  assert.is(result.nodes.get(VGPU), "module=bochs-display guest=pvh vram_bytes=16777216");
  assert.is(result.domains.get("demo"), 262144 + 16384);
  const order = result.stderr.split("\n").filter((line) => line.startsWith("xl "));
  assert.match(order.join("\n"), /^xl create -q \/tmp.*\nxl create -q -p demo\.cfg on_reboot="destroy"\nxl unpause 2$/);
});

create("an hvm guest needs a slot", async () => {
  const hvm = { guest: "on xl create -q -p demo.cfg :: domain 2 demo hvm 262144\n" };
  onlyDom0(await fails(CREATE, creating(hvm), 2, /attaching: guest 2 \(demo\) is an HVM guest: --slot/));
  const result = await run([...CREATE, "--slot", "5"], creating(hvm));
  assert.is(result.code, 0, result.stderr);
  assert.is(result.nodes.get(VGPU), "module=bochs-display guest=hvm slot=5");
});

const BROKEN: [string, RunOptions, number, RegExp][] = [
  ["xl fails for the driver domain", creating({ driver: "on xl create -q /tmp :: error no memory\n" }), 1, /no memory/],
  [
    "it never gets ready",
    creating({ ready: "" }),
    4,
    /starting the driver domain: .*not ready within 1 s; its state is/,
  ],
  [
    "it fails",
    creating({
      ready: `on xl create -q /tmp :: set ${DD}/error no arena\non xl create -q /tmp :: set ${DD}/state failed\n`,
    }),
    1,
    /glovebox-demo\) failed: no arena/,
  ],
  [
    "it vanishes",
    creating({ ready: "on xl create -q /tmp :: after 20 destroy 1\n" }),
    1,
    /vanished before it was ready/,
  ],
  [
    "it crashes",
    creating({ ready: "on xl create -q /tmp :: after 20 shutdown 1 3\n" }),
    1,
    /stopped before it was ready/,
  ],
  [
    "xl fails for the guest",
    creating({ guest: "on xl create -q -p :: error bad kernel\n" }),
    1,
    /creating the guest: .*bad kernel/,
  ],
  [
    "the guest cannot be paused",
    creating({}, "fail pause 3\n"),
    1,
    /attaching: cannot pause domain 2: No such process/,
  ],
  ["the target is refused", creating({}, "fail set_target 1\n"), 5, /target/],
  [
    "the vGPU is refused",
    creating({
      attach: `on write ${VGPU} * :: set ${VGPU}/error slot 40 is beyond 31
on write ${VGPU} * :: set ${VGPU}/state refused\n`,
    }),
    1,
    /attaching: guest 2 \(demo\) vgpu 0 \(bochs-display\): refused: slot 40 is beyond 31/,
  ],
  ["the vGPU never gets ready", creating({ attach: "" }), 4, /not ready within 1 s/],
  [
    "the driver domain dies while attaching",
    creating({ attach: `on write ${VGPU} * :: after 20 shutdown 1 3\n` }),
    1,
    /driver domain 1 \(glovebox-demo\) has gone/,
  ],
  ["the allowance cannot grow", creating({}, "fail setmaxmem 12\n"), 1, /cannot set its memory allowance/],
  ["the guest cannot run", creating({}, "on xl unpause :: error no\n"), 1, /unpausing the guest/],
  ["xenstore refuses", creating({}, "fail xs_write 28\n"), 1, /cannot write xenstore node .*No space left/],
];
for (const [what, options, code, message] of BROKEN) {
  create(`undoes everything when ${what}`, async () => {
    onlyDom0(await fails([...CREATE, "--timeout", "1"], options, code, message));
  });
}

create("undoes everything when RAM beyond the limit, or nonsense, is asked for", async () => {
  for (const text of ["536870913", "99999999999999999999", "much"]) {
    const greedy = creating({ attach: CREATING.attach.replace("16777216", text) });
    onlyDom0(await fails(CREATE, greedy, 1, /asks for \d+ bytes of RAM, the limit is 536870912/));
  }
});

create("does not complain when xl's own daemon was quicker with a dead driver domain", async () => {
  const ready = `on xl create -q /tmp :: after 20 shutdown 1 3\non xl destroy 1 :: error domain is being destroyed\n`;
  const result = await fails(CREATE, creating({ ready }), 1, /stopped before it was ready/);
  assert.not.match(result.stderr, /left behind/);
});

create("undoes everything on Ctrl-C", async () => {
  const options = { ...creating({ attach: "" }), interruptAt: "xl create -q -p" };
  onlyDom0(await fails(CREATE, options, 1, /attaching: .*interrupted/));
});

create("knows no unknown module, and makes no guest for it", async () => {
  const args = ["create", "demo.cfg", "--kernel", "glovebox.elf", "--module", "nvidia"];
  const result = await fails(args, creating(), 3, /unknown module "nvidia": .* has bochs-display@0.1.0/);
  onlyDom0(result);
  assert.not.match(result.stderr, /-p demo.cfg/);
});

create("does not start twice", async () => {
  const files = { "demo.cfg": CFG, "glovebox.elf": "" };
  const result = await fails(CREATE, { scenario: RUNNING, files }, 1, /glovebox-demo runs already, as domain 1/);
  assert.is(result.domains.size, 3);
  const named = [...CREATE, "--driver-domain", "glovebox-demo"];
  const again = await fails(named, { scenario: RUNNING, files }, 1, /guest demo runs already, as domain 2/);
  assert.is(again.domains.size, 3);
});

create("keeps a driver domain that is not its own", async () => {
  const named = [...CREATE, "--driver-domain", "shared"];
  const scenario = `${DOM0}domain 1 shared pv 16384\n${DRIVER_NODES}node ${DD}/state ready\n${CREATING.guest}`;
  const options = { ...creating(), scenario: `${scenario}fail set_target 22\n` };
  const result = await fails(named, options, 1, /it has one already/);
  assert.equal([...result.domains.keys()], ["Domain-0", "shared"]);
});

create("a guest that cannot be marked against saving is told of, and made", async () => {
  const result = await run(CREATE, creating({}, "fail setvnuma 95\n"));
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stderr, /warning: guest 2 \(demo\) can be saved and migrated, but would lose its vGPU: /);
});

create("needs no target under FLASK", async () => {
  const result = await run(CREATE, {
    ...creating({}, "flask\nfail set_target 1\n"),
    files: { ...creating().files, "demo.cfg": `${CFG}seclabel = "u:r:t"\n` },
  });
  assert.is(result.code, 0, result.stderr);
});

create("names what is wrong with the configuration", async () => {
  const with_ = (cfg: string): RunOptions => ({ ...creating(), files: { "demo.cfg": cfg, "glovebox.elf": "" } });
  await fails(CREATE, with_("memory = 5\n"), 2, /demo\.cfg: it has no line name=/);
  await fails(CREATE, with_('name = "a b"\n'), 2, /only letters, digits/);
  await fails(CREATE, with_('name = "42"\n'), 2, /domain number/);
  await fails(CREATE, with_('name = "demo"\ntype = "pv"\n'), 2, /only pvh and hvm/);
  await fails(CREATE, { ...creating(), files: { "glovebox.elf": "" } }, 3, /demo\.cfg: No such file/);
  await fails(CREATE, { ...creating(), files: { "demo.cfg": CFG } }, 3, /glovebox\.elf: No such file/);
});

create(
  "--threshold becomes words of the domain's command line; what cannot be is refused before anything is made",
  async () => {
    for (const wrong of [
      "faults",
      "faults=",
      "other=1",
      "faults=x",
      "faults=86400001",
      "=1",
      "faults=1:ban",
      "faults=1:",
    ]) {
      await fails([...CREATE, "--threshold", wrong], creating(), 2, /--threshold .*must be faults, interrupt_storms/);
    }
    await fails([...CREATE, ...Array(20).fill("--threshold=interrupt_storms=1")], creating(), 2, /given too often/);
    const words = ["--threshold", "faults=3:throttle", "--threshold", "storm_ms=20"];
    assert.is((await run([...CREATE, ...words], creating())).code, 0);
  },
);
create.run();
