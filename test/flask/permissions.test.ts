// SPDX-License-Identifier: MIT
//
// The policy's macros grant a driver domain what permissions.h lists, and nothing else; test/xen/flask-policy.test.ts
// shows on a real Xen that the list is neither too long nor too short.

import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { allowRules, type Rule, ruleText, wantedRoles, withoutRule } from "../../host/lab/flask/rules.js";
import { fromRoot } from "../../host/lab/paths.js";

const macros = readFileSync(fromRoot("native/flask/glovebox.if"), "utf8");
const ROLES: Record<string, Record<string, string>> = {
  glovebox_driver: { $1: "DRIVER", $1_self: "DRIVER_SELF", $1_channel: "DRIVER_PORT", dom0_t: "DOM0" },
  glovebox_serve: {
    ...{ $1: "DRIVER", $1_channel: "DRIVER_PORT" },
    ...{ $2: "GUEST", $2_channel: "GUEST_PORT" },
  },
};

/** Xen asks with the granter as the source, whoever copies. */
const isCopy = (rule: Rule): boolean => rule.class === "grant" && rule.permission === "copy";

/** The allow rules of one of our macros; those of Dom0 are not the driver domain's, but for one. */
function granted(macro: string): Rule[] {
  const body = new RegExp(`define\\(\`${macro}', \`([^']*)'\\)`).exec(macros)?.[1];
  if (body === undefined) throw new Error(`glovebox.if: no macro ${macro}`);
  const role = (type: string): string => ROLES[macro]?.[type] ?? type;
  return allowRules(body)
    .filter((rule) => !rule.source.startsWith("dom0_t") || isCopy(rule))
    .map((rule) => ({ ...rule, source: role(rule.source), target: role(rule.target) }));
}

test("the macros grant exactly the rows", () => {
  const all = [...granted("glovebox_driver"), ...granted("glovebox_serve")].map(ruleText).sort();
  assert.equal(all, wantedRoles().map(ruleText).sort());
});

test("every row was read, and none stands twice", () => {
  const header = readFileSync(fromRoot("native/flask/permissions.h"), "utf8");
  assert.is(wantedRoles().length, header.match(/^ +ROW\(/gm)?.length);
  assert.is(new Set(wantedRoles().map(ruleText)).size, wantedRoles().length);
});

test("a guest may do nothing to its driver domain, and nothing to another guest", () => {
  const body = /define\(`glovebox_serve', `([^']*)'\)/.exec(macros)?.[1] ?? "";
  assert.equal(
    allowRules(body).filter((rule) => rule.source === "$2"),
    [],
  );
});

test("one permission is taken out of a policy's text, and only that one", () => {
  const text = "allow a b:mmu { map_read\n\tmap_write };\nallow a b:hvm dm;\nallow c b:hvm dm;\n";
  const rule = (name: string, permission: string): Rule => ({ source: "a", target: "b", class: name, permission });
  assert.equal(allowRules(withoutRule(text, rule("mmu", "map_read"))).map(ruleText), [
    "a b:mmu map_write",
    "a b:hvm dm",
    "c b:hvm dm",
  ]);
  assert.equal(allowRules(withoutRule(text, rule("hvm", "dm"))).length, 3);
  assert.throws(() => withoutRule(text, rule("mmu", "adjust")), /in 0 rules/);
});

test.run();
