// SPDX-License-Identifier: MIT
//
// gbctl against a played Xen: what it does, what it undoes when a step fails, and that a hostile driver domain gets
// nowhere with its replies.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeRecords, decodeTrace } from "../../host/trace/index.js";
import { buildFake, cleanUp, gbctl, type Run, type RunOptions, runUnits } from "./bench.js";

const DD = "/local/domain/1/data/glovebox";
const VGPU = `${DD}/vgpu/2/0`;
const DOM0 = "domain 0 Domain-0 pv 1048576\nnode /local/domain/0/domid 0\n";
const DRIVER_NODES = `node ${DD}/version 0.1.0\nnode ${DD}/module/0 name=bochs-display version=0.1.0 abi=1\n`;
/** A driver domain that runs, and a guest with one vGPU. */
const RUNNING = `${DOM0}domain 1 glovebox-demo pv 16384
${DRIVER_NODES}node ${DD}/state ready
domain 2 demo pvh 278528
node ${VGPU} module=bochs-display guest=pvh
node ${VGPU}/state ready
node ${VGPU}/bdf 0000:00:01.0
node ${VGPU}/ram_bytes 16777216
`;
/** What xl and the driver domain do when all goes well; each line can be left out or replaced. */
const CREATING = {
  driver: `on xl create -q /tmp :: domain 1 glovebox-demo pv 16384
on xl create -q /tmp :: set ${DD}/version 0.1.0
on xl create -q /tmp :: set ${DD}/module/0 name=bochs-display version=0.1.0 abi=1\n`,
  ready: `on xl create -q /tmp :: after 30 set ${DD}/state ready\n`,
  guest: "on xl create -q -p demo.cfg :: domain 2 demo pvh 262144\n",
  attach: `on write ${VGPU} module= :: set ${VGPU}/ram_bytes 16777216
on write ${VGPU} module= :: set ${VGPU}/bdf 0000:00:01.0
on write ${VGPU} module= :: after 20 set ${VGPU}/state ready\n`,
};
const RELEASE = "on request release :: reply ok\n";
const CFG = 'name = "demo"\ntype = "pvh"\n';
const CREATE = ["create", "demo.cfg", "--kernel", "glovebox.elf", "--module", "bochs-display"];

function creating(change: Partial<typeof CREATING> = {}, more = ""): RunOptions {
  return {
    scenario: DOM0 + more + Object.values({ ...CREATING, ...change }).join(""),
    files: { "demo.cfg": CFG, "glovebox.elf": "" },
  };
}

/** Every run leaves no map and no watch, whatever happened, and no sanitizer spoke. */
async function run(args: string[], options: RunOptions = {}): Promise<Run> {
  const result = await gbctl(args, options);
  assert.is(result.maps, 0, "a grant is still mapped");
  assert.is(result.watches, 0, "a watch is left");
  assert.equal(result.paused, [], "a domain stays paused");
  assert.not.match(result.stderr, /Sanitizer|runtime error/);
  cleanUp(result);
  return result;
}

async function fails(args: string[], options: RunOptions, code: number, message: RegExp): Promise<Run> {
  const result = await run(args, options);
  assert.match(result.stderr, message);
  assert.is(result.code, code, result.stderr);
  return result;
}

function onlyDom0(result: Run): void {
  assert.equal([...result.domains.keys()], ["Domain-0"]);
}

// --- parts -----------------------------------------------------------------------------------------------------------
const units = suite("gbctl units");
units("parsers, JSON and xl", () => assert.match(runUnits(), /^0 failures$/m));
units.run();

// --- create ----------------------------------------------------------------------------------------------------------
const create = suite("gbctl create");
create.before(() => void buildFake());

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

/** Two lives of the guest, domains 2 and 3; `end` is how the second one ends. */
function lives(end: string): RunOptions {
  const three = CREATING.attach.replaceAll("/2/0", "/3/0");
  const guest = `once xl create -q -p :: domain 2 demo pvh 262144
once xl create -q -p :: domain 3 demo pvh 262144
once xl unpause :: after 20 shutdown 2 1
once xl unpause :: after 20 ${end}\n`;
  return creating({ guest, attach: CREATING.attach + three });
}

create("supervises: makes all anew after a reboot, ends at power off", async () => {
  const result = await run([...CREATE, "--supervise"], lives("shutdown 3 0"));
  assert.is(result.code, 0, result.stderr);
  onlyDom0(result);
  assert.match(result.stdout, /^guest 2 \(demo\) reboots\nguest 3 \(demo\), driver domain 1/m);
  assert.match(result.stdout, /guest 3 \(demo\) powered off\n$/);
  assert.match(result.stderr, /-p demo\.cfg on_reboot="preserve"/);
});

create("supervises: says how else a guest can end", async () => {
  onlyDom0(await fails([...CREATE, "--supervise"], lives("shutdown 3 3"), 1, /guest demo crashed/));
  const gone = await run([...CREATE, "--supervise"], lives("destroy 3"));
  assert.is(gone.code, 0, gone.stderr);
  onlyDom0(gone);
  const alone = await fails([...CREATE, "--supervise"], lives("shutdown 1 3"), 1, /glovebox-demo\) has gone; guest 3/);
  assert.ok(alone.domains.has("demo"), "the guest is the operator's to end");
});

create("supervises: Ctrl-C leaves the guest running", async () => {
  const options = { ...creating(), interruptAt: "xl unpause" };
  const result = await run([...CREATE, "--supervise"], options);
  assert.is(result.code, 0, result.stderr);
  assert.match(result.stderr, /no longer supervising; guest demo goes on/);
  assert.is(result.domains.size, 3);
});

create("supervises: gives up on a guest that only reboots", async () => {
  const ids = [2, 3, 4, 5, 6, 7];
  const guest = ids
    .map((id) => `once xl create -q -p :: domain ${id} demo pvh 1\nonce xl unpause :: after 5 shutdown ${id} 1\n`)
    .join("");
  const attach = ids.map((id) => CREATING.attach.replaceAll("/2/0", `/${id}/0`)).join("");
  onlyDom0(await fails([...CREATE, "--supervise"], creating({ guest, attach }), 1, /rebooted 5 times .* given up/));
});

create("supervises a shared driver domain under FLASK only", async () => {
  const shared = `domain 1 shared pv 16384\n${DRIVER_NODES}`;
  await fails([...CREATE, "--supervise", "--driver-domain", "shared"], creating({}, shared), 2, /needs FLASK/);
});
create.run();

// --- looking ---------------------------------------------------------------------------------------------------------
const look = suite("gbctl list, stat, modules, trace");

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

look("quarantine and release: the domain is asked, its refusal is told, list shows why", async () => {
  const good = `${RUNNING}on request quarantine 2 :: reply ok\non request lift 2 :: reply ok\n`;
  assert.is((await run(["quarantine", "demo"], { scenario: good })).code, 0);
  assert.is((await run(["release", "demo"], { scenario: good })).code, 0);
  const bad = `${RUNNING}on request lift 2 :: reply error guest 2 is not in quarantine\n`;
  await fails(["release", "demo"], { scenario: bad }, 1, /lift 2: guest 2 is not in quarantine/);
  await fails(["release", "nobody"], { scenario: good }, 3, /nobody/);
  const confined = `${RUNNING}node ${DD}/quarantine/2 8 faults within 60000 ms\n`;
  const text = (await run(["list"], { scenario: confined })).stdout;
  assert.match(text, /glovebox-demo +1 +ready +demo +2 +- +quarantine +8 faults within 60000 ms/);
  const [driver] = JSON.parse((await run(["list", "--json"], { scenario: confined })).stdout);
  assert.is(driver.guests[0].quarantine, "8 faults within 60000 ms");
  assert.is(
    JSON.parse((await run(["list", "--json"], { scenario: RUNNING })).stdout)[0].guests[0].quarantine,
    undefined,
  );
});

look(
  "--threshold becomes words of the domain's command line; what cannot be is refused before anything is made",
  async () => {
    for (const wrong of ["faults", "faults=", "other=1", "faults=x", "faults=86400001", "=1"]) {
      await fails([...CREATE, "--threshold", wrong], creating(), 2, /--threshold .*must be faults, interrupt_storms/);
    }
    await fails([...CREATE, ...Array(20).fill("--threshold=interrupt_storms=1")], creating(), 2, /given too often/);
  },
);

look("set", async () => {
  const scenario = `${RUNNING}on request set 2 0 weight=4 cap=50 :: reply ok policy=weighted weight=4 cap=50\n`;
  const good = await run(["set", "demo", "weight=4", "cap=50", "--json"], { scenario });
  assert.equal(JSON.parse(good.stdout), { policy: "weighted", weight: 4, cap: 50 });
  const bad = `${RUNNING}on request set 2 0 cap=101 :: reply error cap=101: must be 1 to 100\n`;
  await fails(["set", "demo", "0", "cap=101"], { scenario: bad }, 1, /cap=101: must be 1 to 100/);
  await fails(["set", "demo", "0"], { scenario: RUNNING }, 2, /too few words/);
  await fails(["set", "demo", "0", "weight"], { scenario: RUNNING }, 2, /"weight": must be WORD=VALUE/);
  await fails(["set", "demo", "a=1 reset 2 0"], { scenario: RUNNING }, 2, /must be WORD=VALUE/);
  await fails(["set", "demo", `weight=${"4".repeat(100)}`], { scenario: RUNNING }, 2, /too many words/);
});

look("policy", async () => {
  const scenario = `${RUNNING}on request policy deadline :: reply ok policy=deadline\n`;
  const good = await run(["policy", "deadline"], { scenario });
  assert.is(good.stdout, "policy\tdeadline\n");
  const bad = `${RUNNING}on request policy fastest :: reply error no such policy: "fastest", there are weighted\n`;
  await fails(["policy", "fastest"], { scenario: bad }, 3, /no such policy/);
});

look("reset", async () => {
  const good = await run(["reset", "demo"], { scenario: `${RUNNING}on request reset 2 0 :: reply ok\n` });
  assert.is(good.code, 0, good.stderr);
  const bad = `${RUNNING}on request reset 2 0 :: reply error lost again in reset\n`;
  await fails(["reset", "demo"], { scenario: bad }, 1, /reset 2 0: lost again in reset/);
});

const DIGEST = "0123456789abcdef".repeat(4);
const TWO_MODULES = `${RUNNING}node ${DD}/module/1 name=bochs-display version=0.2.0 abi=1 from=live serial=2
node ${DD}/refused/0 bad-1.gbx: not listed in \x1b SHA256SUMS
on request module 0 :: reply ok name=bochs-display version=0.1.0 abi=1 sha256=${DIGEST} from=ramdisk instances=1
on request module 1 :: reply ok name=bochs-display version=0.2.0 abi=1 sha256=${DIGEST} from=live instances=0
`;

look("modules: every version, with instances; what was refused", async () => {
  const told = JSON.parse((await run(["modules", "--json"], { scenario: TWO_MODULES })).stdout);
  const common = { driver_domain: "glovebox-demo", name: "bochs-display", abi: 1, sha256: DIGEST };
  assert.equal(told, [
    { ...common, version: "0.1.0", from: "ramdisk", instances: 1, params: "" },
    { ...common, version: "0.2.0", from: "live", instances: 0, params: "" },
    { driver_domain: "glovebox-demo", refused: "bad-1.gbx: not listed in \x1b SHA256SUMS" },
  ]);
  const text = (await run(["modules"], { scenario: TWO_MODULES })).stdout.split("\n");
  assert.match(text[0] ?? "", /bochs-display@0\.1\.0 +0123456789abcdef +abi 1 {2}ramdisk {2}instances 1/);
  assert.match(text[2] ?? "", /refused: bad-1\.gbx: not listed in \\x1b SHA256SUMS/);
});

look("a version is part of the wish", async () => {
  const attach = (title: string) => ["attach", "demo", "--module", title, "--timeout", "1"];
  await fails(
    attach("bochs-display@0.3.0"),
    { scenario: TWO_MODULES },
    3,
    /has bochs-display@0.1.0, bochs-display@0.2.0/,
  );
  for (const wrong of ["@1", "a@", "a@b@c", "a b", "a@1 x"]) {
    await fails(attach(wrong), { scenario: TWO_MODULES }, 2, /letters, digits/);
  }
  const next = `${DD}/vgpu/2/1`;
  const scenario = `${TWO_MODULES}on write ${next} module=bochs-display@0.2.0 :: set ${next}/state ready\n`;
  assert.is((await run(attach("bochs-display@0.2.0"), { scenario })).code, 0);
});

look("load: granted for one request, and taken back", async () => {
  const files = { "a.gbx": "x".repeat(5000), empty: "", big: "y".repeat(512 * 1024 + 1) };
  const scenario = `${RUNNING}on request load 100 5000 0 :: reply ok slot=1 name=a version=1.0 sha256=${DIGEST}\n`;
  const good = await run(["load", "a.gbx"], { scenario, files });
  assert.is(good.stdout, "glovebox-demo\ta@1.0\n");
  assert.match(good.stderr, new RegExp(`shared 3 pages, sum ${2 + 5000 * 120}`));
  const refused = `${RUNNING}on request load :: reply error module refused: not an ELF file\n`;
  await fails(["load", "a.gbx"], { scenario: refused, files }, 1, /module refused: not an ELF file/);
  await fails(["load", "none"], { scenario: RUNNING, files }, 3, /none: No such file/);
  await fails(["load", "empty"], { scenario: RUNNING, files }, 1, /empty: empty/);
  await fails(["load", "big"], { scenario: RUNNING, files }, 1, /too large; a .gbx file has at most 524288 bytes/);
  await fails(["load", "a.gbx"], { scenario: `${RUNNING}fail xengntshr_open 2\n`, files }, 5, /gntalloc/);
  await fails(["load", "a.gbx"], { scenario: `${RUNNING}fail share 12\n`, files }, 1, /cannot grant 3 pages/);
  await fails(["load", "a.gbx", "--timeout", "1"], { scenario: RUNNING, files }, 4, /load 100 5000 0/);
});

look("unload and state", async () => {
  const scenario = `${RUNNING}on request unload bochs-display@0.1.0 :: reply error module in use: 1 vGPUs have it
on request unload a@1 :: reply ok
on request state 2 0 :: reply ok module=a@1 hash=00001234 fuel_used=77\n`;
  await fails(["unload", "bochs-display@0.1.0"], { scenario }, 1, /in use: 1 vGPUs/);
  await fails(["unload", "bochs-display"], { scenario }, 2, /needs NAME@VERSION/);
  assert.is((await run(["unload", "a@1"], { scenario })).code, 0);
  const told = JSON.parse((await run(["state", "demo", "--json"], { scenario })).stdout);
  assert.equal(told, { module: "a@1", hash: "00001234", fuel_used: 77 });
});

look("trace, empty and wrong", async () => {
  const empty = `${RUNNING}on request trace 0 0 :: reply ok records=0 dropped=0\n${RELEASE}`;
  assert.is((await run(["trace", "demo", "--json"], { scenario: empty })).stdout, '{"dropped":0,"records":[]}\n');
  const wrong = `${RUNNING}on request trace 0 0 :: reply ok records=5 gref=8 pages=300 bytes=160\n`;
  await fails(["trace", "demo"], { scenario: wrong }, 1, /pages= must be 1 to 256/);
});

look("trace -o: a file that the host reads, and one that cannot be written", async () => {
  const path = join(tmpdir(), `gbctl-trace-${process.pid}.gbt`);
  const empty = `${RUNNING}on request trace 0 0 :: reply ok records=0 dropped=7\n${RELEASE}`;
  const done = await run(["trace", "demo", "-o", path], { scenario: empty });
  assert.is(done.code, 0, done.stderr);
  const trace = decodeTrace(path, new Uint8Array(readFileSync(path)));
  rmSync(path);
  assert.equal([trace.level, trace.dropped], ["core", 7]);
  const specification = decodeRecords(trace.records).map(textOf).join("");
  assert.match(specification, /^module=bochs-display guest=pvh/);
  await fails(
    ["trace", "demo", "--output", "/nowhere/x.gbt"],
    { scenario: empty },
    1,
    /cannot write \/nowhere\/x.gbt: No such/,
  );
});

function textOf(one: { addr: bigint; data: bigint; size: number }): string {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(one.addr);
  bytes.writeBigUInt64LE(one.data, 8);
  return bytes.subarray(0, one.size).toString();
}

look("one client at a time", async () => {
  const shell = 'exec 9>gbctl.lock; flock 9; "$0" "$@" 9>&-';
  await fails(["stat", "demo", "--timeout", "1"], { scenario: RUNNING, shell }, 4, /another gbctl holds it/);
});
look.run();

// --- screenshots -----------------------------------------------------------------------------------------------------
const shot = suite("gbctl screenshot");
const XR24 = 0x34325258;
const RG16 = 0x36314752;
const byte = (i: number): number => (i * 7 + Math.floor(i / 251)) & 0xff;

async function shoot(args: string[], scenario: string, shell?: string): Promise<Run & { file: Buffer | undefined }> {
  const result = await gbctl(["screenshot", "demo", ...args], { scenario, ...(shell === undefined ? {} : { shell }) });
  const name = args.find((word) => /\.(png|ppm)$/.test(word)) ?? "";
  const path = join(result.dir, name);
  const file = name !== "" && existsSync(path) ? readFileSync(path) : undefined;
  assert.is(result.maps, 0, "a grant is still mapped");
  cleanUp(result);
  return { ...result, file };
}

shot("in several parts, as PNG", async () => {
  const result = await shoot(["a.png"], `${RUNNING}picture 61 37 ${XR24} 4096\n${RELEASE}`);
  assert.is(result.code, 0, result.stderr);
  const png = PNG.sync.read(result.file as Buffer);
  assert.equal([png.width, png.height], [61, 37]);
  for (let i = 0; i < 61 * 37; i++) {
    const pixel = [...png.data.subarray(i * 4, i * 4 + 3)];
    assert.equal(pixel, [byte(i * 4 + 2), byte(i * 4 + 1), byte(i * 4)], `pixel ${i}`);
  }
  assert.match(result.nodes.get(`${DD}/request`) ?? "", /^\d+ release$/);
});

shot("16 bits a pixel, as PPM", async () => {
  const result = await shoot(["a.ppm"], `${RUNNING}picture 3 1 ${RG16} 4096\n${RELEASE}`);
  const rgb = [0, 1, 2].flatMap((i) => {
    const word = byte(i * 2) | (byte(i * 2 + 1) << 8);
    const wide = (value: number, bits: number): number => (value << (8 - bits)) | (value >> (2 * bits - 8));
    return [wide(word >> 11, 5), wide((word >> 5) & 63, 6), wide(word & 31, 5)];
  });
  assert.equal([...(result.file as Buffer)], [...Buffer.from("P6\n3 1\n255\n"), ...rgb]);
});

shot("the CRC alone", async () => {
  const result = await shoot(["--crc", "--json"], `${RUNNING}picture 4 4 ${XR24} 4096\n`);
  const told = JSON.parse(result.stdout);
  assert.match(told.crc32, /^[0-9a-f]{8}$/);
  assert.equal([told.width, told.height, told.format], [4, 4, "XR24"]);
});

shot("again when the screen moved; a warning when it does not stop", async () => {
  const still = await shoot(["a.png"], `${RUNNING}picture 4 4 ${XR24} 4096 3\n${RELEASE}`);
  assert.is(still.code, 0);
  assert.not.match(still.stderr, /moved/);
  const moving = await shoot(["a.png", "--json"], `${RUNNING}picture 4 4 ${XR24} 4096 99\n${RELEASE}`);
  assert.is(moving.code, 0);
  assert.match(moving.stderr, /the screen moved/);
  assert.is(JSON.parse(moving.stdout).moved, true);
});

const CRC_OK = "on request crc 2 0 0 :: reply ok crc32=00000000 width=4 height=4 format=XR24\n";
const LIES: [string, RegExp][] = [
  ["on request crc 2 0 0 :: reply ok crc32=00000000 width=16385 height=4 format=XR24\n", /must be 1 to 16384/],
  ["on request crc 2 0 0 :: reply ok crc32=00000000 width=0 height=4 format=XR24\n", /must be 1 to 16384/],
  ["on request crc 2 0 0 :: reply ok crc32=00000000 width=16384 height=16384 format=XR24\n", /larger than 256 MiB/],
  ["on request crc 2 0 0 :: reply ok crc32=00000000 width=4 height=4 format=YUYV\n", /format= is none/],
  ["on request crc 2 0 0 :: reply ok crc32=zz width=4 height=4 format=XR24\n", /crc32= must be 8/],
  ["on request crc 2 0 0 :: reply ok\n", /width= and height=/],
  ["on request crc 2 0 0 :: reply what\n", /answers "crc 2 0 0" with nonsense/],
  ["on request crc 2 0 0 :: reply error scanout off\n", /crc 2 0 0: scanout off/],
  ...["gref=8 pages=257 bytes=64", "gref=8 pages=0 bytes=0", "gref=8 pages=1 bytes=4097", "gref=8 pages=1 bytes=0"].map(
    (words): [string, RegExp] => [read(words), /its reply is wrong: (pages|bytes)=/],
  ),
  [read("gref=8 pages=1 bytes=65"), /more than is left/],
  [read("gref=4294967295 pages=1 bytes=64"), /gref= is absent or beyond/],
  [read("gref=5 pages=1 bytes=64"), /cannot map 1 pages that driver domain 1 \(glovebox-demo\) grants/],
];

function read(words: string): string {
  return `${CRC_OK}on request read 2 0 0 0 0 :: reply ok ${words} total=64 width=4 height=4 format=XR24\n`;
}

for (const [lie, message] of LIES) {
  shot(`a driver domain that lies: ${message.source}`, async () => {
    const result = await shoot(["a.png"], RUNNING + lie);
    assert.match(result.stderr, message);
    assert.not.match(result.stderr, /Sanitizer|runtime error/);
    assert.is(result.code, 1);
    assert.is(result.file, undefined);
  });
}

shot("no file is left when the disk is full, or the folder is not there", async () => {
  const scenario = `${RUNNING}picture 200 200 ${XR24} 1048576\n${RELEASE}`;
  const full = await shoot(["a.ppm"], scenario, 'ulimit -f 20; "$0" "$@"');
  assert.is(full.code, 1);
  assert.match(full.stderr, /cannot write a\.ppm: File too large/);
  assert.is(full.file, undefined);
  const nowhere = await shoot(["none/a.png"], scenario);
  assert.match(nowhere.stderr, /cannot write none\/a\.png: No such file or directory/);
});
shot.run();

// --- taking apart, and typing mistakes -------------------------------------------------------------------------------
const end = suite("gbctl detach, destroy, start, stop, usage");

end("detach gives the allowance back", async () => {
  const scenario = `${RUNNING}on request stat 2 0 :: reply error no such vGPU\n`;
  const result = await run(["detach", "demo", "0"], { scenario });
  assert.is(result.code, 0, result.stderr);
  assert.is(result.nodes.has(VGPU), false);
  assert.is(result.domains.get("demo"), 262144);
  await fails(["detach", "demo", "3"], { scenario }, 3, /guest 2 has no vGPU 3/);
});

end("attach takes the next free number", async () => {
  const scenario = `${RUNNING}on write ${DD}/vgpu/2/1 * :: set ${DD}/vgpu/2/1/state ready\n`;
  const result = await run(["attach", "demo", "--module", "bochs-display", "--json"], { scenario });
  assert.is(result.code, 0, result.stderr);
  assert.is(JSON.parse(result.stdout).number, 1);
  const one = `${DOM0}domain 2 demo pvh 1\n`;
  await fails(["attach", "demo", "--module", "bochs-display"], { scenario: one }, 3, /name one with --driver-domain/);
});

end("destroy takes guest and own driver domain, dead or alive", async () => {
  onlyDom0(await run(["destroy", "demo"], { scenario: RUNNING }));
  const zombie = `${DOM0}domain 1 glovebox-demo pv 1\n${DRIVER_NODES}`;
  onlyDom0(await run(["destroy", "demo"], { scenario: zombie }));
  await fails(["destroy", "glovebox-demo"], { scenario: RUNNING }, 2, /gbctl stop glovebox-demo/);
  await fails(["destroy", "Domain-0"], { scenario: RUNNING }, 3, /has no vGPU/);
});

end("start, and stop of one that is needed", async () => {
  const files = { "glovebox.elf": "" };
  const scenario = creating().scenario as string;
  const started = await run(["start", "glovebox-demo", "--kernel", "glovebox.elf"], { scenario, files });
  assert.is(started.stdout, "driver domain 1 (glovebox-demo), version 0.1.0\n");
  assert.not.match(started.stderr, /ramdisk/);
  const beside = { ...files, "modules.img": "" };
  const with_ = async (...words: string[]) =>
    run(["start", "glovebox-demo", "--kernel", "glovebox.elf", ...words], { scenario, files: beside });
  assert.match((await with_()).stderr, /^ramdisk="modules\.img"$/m);
  assert.match((await with_("--modules", "./glovebox.elf")).stderr, /^ramdisk="\.\/glovebox\.elf"$/m);
  await fails(
    ["start", "--kernel", "glovebox.elf", "--modules", "none"],
    { scenario, files },
    3,
    /ramdisk with modules none/,
  );
  const late = creating({ ready: "" }).scenario as string;
  const args = ["start", "glovebox-demo", "--kernel", "glovebox.elf", "--timeout", "1"];
  onlyDom0(await fails(args, { scenario: late, files }, 4, /not ready within 1 s/));
  await fails(args, { scenario: RUNNING, files }, 1, /runs already/);
  await fails(["stop", "glovebox-demo"], { scenario: RUNNING }, 1, /serves 1 guest, which may hang/);
  assert.is(
    (await run(["stop", "glovebox-demo", "--force"], { scenario: RUNNING })).domains.has("glovebox-demo"),
    false,
  );
  await fails(["stop", "demo"], { scenario: RUNNING }, 3, /is no Glovebox driver domain/);
});

end("no rights", async () => {
  await fails(["list"], { capabilities: null }, 5, /not Dom0 of a running Xen/);
  await fails(["list"], { capabilities: "\n" }, 5, /this domain is not Dom0/);
  await fails(["list"], { scenario: "fail xs_open 13\n" }, 5, /xenstored: Permission denied: gbctl needs root/);
  const told = await fails(["stat", "--json"], { scenario: "fail xc_interface_open 13\n" }, 5, /privcmd/);
  assert.is(JSON.parse(told.stdout).code, 5);
});

const MISTAKES: [string[], RegExp][] = [
  [[], /Usage: gbctl VERB/],
  [["destory"], /unknown verb "destory"/],
  [["create"], /too few words: gbctl create GUEST\.cfg/],
  [["list", "x"], /too many words, from "x" on/],
  [["create", "a.cfg"], /at least one --module/],
  [["create", "a.cfg", "--modul"], /unknown option --modul|at least|needs a value/],
  [["create", "a.cfg", "--module"], /--module needs a value/],
  [["create", "a.cfg", "--param", "a=1"], /--param must follow/],
  [["create", "a.cfg", "--module", "a b"], /--module "a b"/],
  [["create", "a.cfg", "--module", "a", "--param", "x"], /must be NAME=NUMBER/],
  [["create", "a.cfg", "--module", "a", "--param", "x=99999999999999999999"], /must be NAME=NUMBER/],
  [["create", "a.cfg", "--module", "a", "--slot", "32"], /--slot 32: must be 1 to 31/],
  [["create", "a.cfg", "--module", "a", "--wait", "busy:-1"], /must be block, or busy:US/],
  [["create", "a.cfg", "--module", "a", "--memory", "1"], /--memory 1: must be 4 to 1024/],
  [["list", "--timeout", "0"], /--timeout 0: must be 1 to 3600/],
  [["list", "--crc"], /list knows no --crc/],
  [["create", "a.cfg", ...Array(9).fill(["--module", "a"]).flat()], /at most 8 vGPUs/],
  [["screenshot", "demo"], /name a file/],
  [["screenshot", "demo", "a.gif"], /must end in \.png or \.ppm/],
];
for (const [args, message] of MISTAKES) {
  end(`usage: ${args.slice(0, 8).join(" ")}`, async () => void (await fails(args, { scenario: RUNNING }, 2, message)));
}

end("help has an example for every verb", async () => {
  const top = (await run(["--help"])).stdout;
  const verbs = [...top.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1] as string);
  assert.ok(verbs.length >= 11, top);
  for (const verb of verbs) {
    const help = await run([verb, "--help"], { capabilities: null });
    assert.is(help.code, 0);
    assert.match(help.stdout, new RegExp(`Examples:\\n  .*gbctl ${verb}`));
  }
});
end.run();
