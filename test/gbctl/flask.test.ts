// SPDX-License-Identifier: MIT
//
// gbctl where Xen has FLASK, played: guests without a label and policies without our module are refused in words that
// say what to do, and policy-check finds each thing that can be missing.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cleanUp, gbctl, type Run, type RunOptions } from "./bench.js";
import { DD, DOM0 } from "./support.js";

const DRIVER = "system_u:system_r:glovebox_t";
const GUEST = "system_u:system_r:glovebox_guest_t";
const HVM = 5;
const DM = 11;
const GRANT = 10;
/** One driver domain for all, ready; guests are made by xl. */
const SHARED = `${DOM0}domain 1 shared pv 16384
node ${DD}/version 0.1.0
node ${DD}/module/0 name=bochs-display version=0.1.0 abi=1
node ${DD}/state ready
flask label 1 ${DRIVER}
flask label 2 ${GUEST}
flask label 3 ${GUEST}
`;
const MAKES = [2, 3]
  .map(
    (id) => `on xl create -q -p ${id === 2 ? "one" : "two"}.cfg :: domain ${id} ${id === 2 ? "one" : "two"} pvh 262144
on write ${DD}/vgpu/${id}/0 module= :: set ${DD}/vgpu/${id}/0/bdf 0000:00:01.0
on write ${DD}/vgpu/${id}/0 module= :: set ${DD}/vgpu/${id}/0/state ready\n`,
  )
  .join("");
/** What Xen's policy does not grant when guests are kept apart. */
const APART = [0, 1, 5].map((bit) => `flask refuse ${GUEST} ${GUEST} ${GRANT} ${bit}\n`).join("");
const cfg = (name: string, label = GUEST): string => `name = "${name}"\ntype = "pvh"\nseclabel = "${label}"\n`;
const create = (file: string): string[] => ["create", file, "--driver-domain", "shared", "--module", "bochs-display"];

async function run(args: string[], scenario: string, files: Record<string, string> = {}): Promise<Run> {
  const options: RunOptions = { scenario, files: { "one.cfg": cfg("one"), "two.cfg": cfg("two"), ...files } };
  const result = await gbctl(args, options);
  assert.is(result.watches, 0, "a watch is left");
  assert.not.match(result.stderr, /Sanitizer|runtime error/);
  cleanUp(result);
  return result;
}

async function refused(args: string[], scenario: string, code: number, message: RegExp, files = {}): Promise<void> {
  const result = await run(args, scenario, files);
  assert.match(result.stderr, message);
  assert.is(result.code, code, result.stderr);
  assert.not.ok(result.domains.has("one"), "the guest was made all the same");
}

const making = suite("gbctl create under FLASK");

making("one driver domain serves a second guest; nobody is made a target", async () => {
  const first = `domain 2 one pvh 262144\nnode ${DD}/vgpu/2/0 module=bochs-display\n`;
  const result = await run(create("two.cfg"), `${SHARED}${first}${MAKES}flask\nfail set_target 1\n`);
  assert.is(result.code, 0, result.stderr);
  assert.ok(result.nodes.has(`${DD}/vgpu/2/0`) && result.nodes.has(`${DD}/vgpu/3/0`));
});

making("the driver domain gets our label, or the one that is named", async () => {
  const made = `on xl create -q /tmp :: domain 1 glovebox pv 16384
on xl create -q /tmp :: set ${DD}/version 0.1.0
on xl create -q /tmp :: set ${DD}/state ready\n`;
  const image = { "glovebox.elf": "" };
  const start = ["start", "--kernel", "glovebox.elf"];
  assert.is((await run(start, `${DOM0}${made}flask\n`, image)).code, 0);
  await refused(start, `${DOM0}${made}flask\nflask unknown ${DRIVER}\n`, 1, /knows no label .*glovebox_t/, image);
  const other = [...start, "--seclabel", "system_u:system_r:other_t"];
  assert.is((await run(other, `${DOM0}${made}flask\nflask unknown ${DRIVER}\n`, image)).code, 0);
  await refused([...start, "--seclabel", "other_t"], DOM0, 2, /a label is user:role:type/, image);
  await refused([...start, "--seclabel", 'a:b:c"\nmemory=9'], DOM0, 2, /a label is user:role:type/, image);
});

making("a guest without a label is refused, with the line that is missing", async () => {
  const bare = { "one.cfg": 'name = "one"\ntype = "pvh"\n' };
  const says = /one\.cfg: this Xen has FLASK.*seclabel="system_u:system_r:glovebox_guest_t"/;
  await refused(create("one.cfg"), `${SHARED}${MAKES}flask\n`, 2, says, bare);
  assert.is((await run(create("one.cfg"), `${SHARED}${MAKES}`, bare)).code, 0, "without FLASK none is needed");
});

making("a label that the policy lacks, or does not let us serve, is named before the guest is made", async () => {
  const scenario = `${SHARED}${MAKES}flask\n`;
  const other = { "one.cfg": cfg("one", "system_u:system_r:stranger_t") };
  const unknown = `${scenario}flask unknown system_u:system_r:stranger_t\n`;
  await refused(create("one.cfg"), unknown, 1, /checking the labels: .*knows no label .*stranger_t/, other);
  const denied = `${scenario}flask refuse ${DRIVER} ${GUEST} ${HVM} ${DM}\n`;
  await refused(create("one.cfg"), denied, 1, /glovebox_t to .*glovebox_guest_t lacks hvm { dm }/);
  const permissive = denied.replace("flask\n", "flask permissive\n");
  assert.is((await run(create("one.cfg"), permissive)).code, 0, "a permissive policy refuses nothing");
});

making("a guest that ended without gbctl is forgotten: the driver domain holds its last pages", async () => {
  const dead = `node ${DD}/vgpu/7/0 module=bochs-display\nnode ${DD}/vgpu/7/0/state ready\n`;
  const result = await run(create("two.cfg"), `${SHARED}${dead}${MAKES}flask\n`);
  assert.is(result.code, 0, result.stderr);
  assert.equal(
    [...result.nodes.keys()].filter((path) => path.startsWith(`${DD}/vgpu/7`)),
    [],
  );
  assert.ok(result.nodes.has(`${DD}/vgpu/3/0`));
});

making("attach looks at the labels of both domains", async () => {
  const guest = `${SHARED}${MAKES}flask\ndomain 2 one pvh 262144\n`;
  const attach = ["attach", "one", "--driver-domain", "shared", "--module", "bochs-display"];
  assert.is((await run(attach, guest)).code, 0);
  const denied = await run(attach, `${guest}flask refuse ${DRIVER} ${GUEST} ${HVM} ${DM}\n`);
  assert.is(denied.code, 1);
  assert.match(denied.stderr, /lacks hvm { dm }/);
});
making.run();

const check = suite("gbctl policy-check");
const SERVING = `${SHARED}${APART}domain 2 one pvh 262144\nnode ${DD}/vgpu/2/0 module=bochs-display\n`;

const UNLABELLED = SERVING.replace(`flask label 2 ${GUEST}\n`, "");

interface Finding {
  check: string;
  ok: boolean;
  found: string;
  advice?: string;
}

async function findings(scenario: string): Promise<{ ok: boolean; checks: Finding[]; code: number }> {
  const result = await run(["policy-check", "--json"], scenario);
  return { ...JSON.parse(result.stdout), code: result.code };
}

check("all is well: no advice, exit code 0", async () => {
  const told = await findings(`${SERVING}flask\n`);
  assert.equal(
    told.checks.filter((one) => !one.ok),
    [],
  );
  assert.equal([told.ok, told.code], [true, 0]);
  const names = ["flask", "enforcing", "driver-label", "guest-label", "permissions", "guests-apart", "shared", "one"];
  assert.equal(
    told.checks.map((one) => one.check),
    names,
  );
  assert.match((await run(["policy-check"], `${SERVING}flask\n`)).stdout, /^ok +flask +this Xen has FLASK$/m);
});

const MISSING: [string, string, string, RegExp][] = [
  ["no FLASK", SERVING, "flask", /built without XSM/],
  ["permissive", `${SERVING}flask permissive\n`, "enforcing", /setenforce 1/],
  ["no type of ours", `${SERVING}flask\nflask unknown ${DRIVER}\n`, "driver-label", /lacks our module/],
  ["no type for guests", `${SERVING}flask\nflask unknown ${GUEST}\n`, "guest-label", /lacks our module/],
  [
    "a permission less",
    `${SERVING}flask\nflask refuse ${DRIVER} ${GUEST} ${HVM} ${DM}\n`,
    "permissions",
    /policy with our module/,
  ],
  ["guests that may talk", `${SERVING}flask\n`.replace(APART, ""), "guests-apart", /no rule for each other/],
  [
    "a guest with another label",
    `${UNLABELLED}flask\nflask refuse ${DRIVER} system_u:system_r:domU_t ${HVM} ${DM}\n`,
    "one",
    /give the domains its labels/,
  ],
];
for (const [what, scenario, name, advice] of MISSING) {
  check(`${what}: found, with advice`, async () => {
    const told = await findings(scenario);
    const found = told.checks.find((one) => one.check === name && !one.ok);
    assert.match(found?.advice ?? `no such finding in ${JSON.stringify(told.checks)}`, advice);
    assert.equal([told.ok, told.code], [false, 1]);
  });
}
check.run();
