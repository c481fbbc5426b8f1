// SPDX-License-Identifier: MIT
//
// Least privilege, shown on an enforcing Xen: under our policy a driver domain lives, serves and is refused nothing;
// with any one of its permissions taken away exactly that one is refused and something does not work; with none, and
// nothing enforced, Xen names exactly the permissions of native/flask/permissions.h.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { flaskXen } from "../../host/lab/flask/hypervisor.js";
import { compilePolicy, policy } from "../../host/lab/flask/policy.js";
import { allowRules, type Rule, ruleText, TYPES, wantedRules, withoutRule } from "../../host/lab/flask/rules.js";
import { images } from "../../host/lab/images.js";
import { BUILD } from "../../host/lab/paths.js";
import { runScenario } from "../../host/lab/scenario.js";
import { MODULES_IMG } from "../../host/lab/scenarios/demo.js";
import { guestKernelOptions, Said } from "../../host/lab/scenarios/guest-kernel.js";
import { denials } from "../../host/lab/scenarios/guests.js";
import { beforeAll } from "./before-all.js";
import script from "./flask-policy.sh";

/** Loaded while the domain runs; the ramdisk holds the others. */
const REGISTER_FILE = join(BUILD, "modules/register-file-0.1.0.gbx");
const OUT = join(BUILD, "test-flask");
const RULES = wantedRules();
const name = (index: number): string => String(index).padStart(2, "0");
/** Types of which a driver domain is the subject, or whose event channels are. */
const OURS = [TYPES.DRIVER, TYPES.DRIVER_SELF, TYPES.DRIVER_PORT];

const test = suite("FLASK policy");
let said: Said;
/** The rules as Xen's tools make them of our macros. */
let conf = "";

/** Files for Dom0: the policy, the policy without each permission, and without all of them. */
async function makePolicies(): Promise<Record<string, string>> {
  mkdirSync(OUT, { recursive: true });
  const made = await policy(await flaskXen(await images(), () => {}), () => {});
  conf = readFileSync(made.conf, "utf8");
  const files: Record<string, string> = {};
  const compile = async (label: string, text: string): Promise<void> => {
    const target = join(OUT, `policy-${label}`);
    writeFileSync(`${target}.conf`, text);
    await compilePolicy(`${target}.conf`, target);
    files[`policy-${label}`] = target;
  };
  for (const [index, rule] of RULES.entries()) await compile(name(index), withoutRule(conf, rule));
  await compile("none", RULES.reduce(withoutRule, conf));
  for (const label of ["whole", "whole-again"]) {
    files[`policy-${label}`] = join(OUT, `policy-${label}`);
    copyFileSync(made.binary, join(OUT, `policy-${label}`));
  }
  return files;
}

/** What Xen refused in the life of that name, as rules; each once. */
function refusedIn(label: string): string[] {
  const line = /\{ ([^}]*) \}.* scontext=\w+:\w+:(\w+) tcontext=\w+:\w+:(\w+) tclass=(\w+)/;
  const rules = denials(said.text(`${label}.xen`)).flatMap((text) => {
    const [, permissions = text, source = "", target = "", kind = ""] = line.exec(text) ?? [];
    return permissions.split(" ").map((permission) => ruleText({ source, target, class: kind, permission }));
  });
  return [...new Set(rules)].sort();
}

const reached = (label: string): string => new RegExp(`^${label} (\\w+)$`, "m").exec(said.text("reached"))?.[1] ?? "";

beforeAll(test, async () => {
  const files = await makePolicies();
  const options = guestKernelOptions({
    name: "flask-policy",
    script: `POLICIES="${RULES.map((_, index) => name(index)).join(" ")}"\n${script}`,
    machine: { cpus: 1, instructionNs: 2 }, // what does not work is waited for: no limit may depend on the host's load
  });
  const modules = { "modules.img": MODULES_IMG, "register-file.gbx": REGISTER_FILE };
  said = new Said(await runScenario({ ...options, xen: "flask", files: { ...options.files, ...modules, ...files } }));
});

test("the scenario ran to its end", () => assert.is(said.result.exitCode, 0, said.result.failure));

for (const label of ["whole", "whole-again"]) {
  test(`${label}: everything works, nothing is refused`, () => {
    assert.is(reached(label), "seen", said.text(`${label}.steps`));
    assert.equal(refusedIn(label), []);
    assert.is(said.json(`check-${label}`).ok, true);
  });
}

for (const [index, rule] of RULES.entries()) {
  test(`without ${ruleText(rule)}: that is refused, and ${rule.operation} misses it`, () => {
    assert.equal(refusedIn(name(index)), [ruleText(rule)]);
    assert.is.not(reached(name(index)), "seen");
  });
  test(`without ${ruleText(rule)}: policy-check finds it`, () => {
    const { checks } = said.json(`check-${name(index)}`) as { checks: { ok: boolean; found: string }[] };
    const missing = checks.filter((check) => !check.ok).map((check) => check.found);
    assert.is(missing.length, 1, missing.join("\n"));
    assert.match(missing[0] as string, `:${rule.source} to `);
    assert.match(missing[0] as string, `${rule.class} { ${rule.permission} }`);
  });
}

test("with none, not enforced: Xen names the whole list, and nothing else", () => {
  assert.is(reached("none"), "seen", said.text("none.steps"));
  assert.equal(refusedIn("none"), RULES.map(ruleText).sort());
});

test("the compiled policy has no other rule by which a driver domain does anything", () => {
  const ours = allowRules(conf).filter(({ source }) => OURS.includes(source));
  const port = (rule: Rule): boolean => rule.source === TYPES.GUEST_PORT && rule.target === TYPES.DRIVER;
  const wanted = RULES.filter(({ source }) => source !== TYPES.DOM0);
  assert.equal([...ours, ...allowRules(conf).filter(port)].map(ruleText).sort(), wanted.map(ruleText).sort());
});

test("no rule leads from a guest to a driver domain or to another guest", () => {
  const from = allowRules(conf).filter(({ source }) => source === TYPES.GUEST);
  const bad = from.filter(({ target }) => [...OURS, TYPES.GUEST].includes(target));
  assert.equal(bad.map(ruleText), []);
});

test.run();
