// SPDX-License-Identifier: MIT
//
// Rules of FLASK policies, one permission each: those that native/flask/permissions.h wants, and those of a policy's
// text. Types are written out, or named by their role in permissions.h.

import { readFileSync } from "node:fs";
import { fromRoot } from "../paths.js";
import { MODULE_FOLDER } from "./policy.js";

export interface Rule {
  source: string;
  target: string;
  class: string;
  permission: string;
}

export interface WantedRule extends Rule {
  operation: string;
  reason: string;
}

/** The types of native/flask/glovebox.te. */
export const TYPES: Record<string, string> = {
  DRIVER: "glovebox_t",
  DRIVER_SELF: "glovebox_t_self",
  DRIVER_PORT: "glovebox_t_channel",
  DOM0: "dom0_t",
  GUEST: "glovebox_guest_t",
  GUEST_PORT: "glovebox_guest_t_channel",
};

export const ruleText = ({ source, target, class: name, permission }: Rule): string =>
  `${source} ${target}:${name} ${permission}`;

/** The rows of permissions.h, with roles instead of types. */
export function wantedRoles(): WantedRule[] {
  const text = readFileSync(fromRoot(MODULE_FOLDER, "permissions.h"), "utf8");
  const row = /ROW\((\w+), (\w+), (\w+), (\w+), "([^"]+)", "([^"]+)"\)/g;
  return [...text.matchAll(row)].map(([, source = "", target = "", name = "", permission = "", ...words]) => ({
    ...{ source, target, class: name, permission },
    ...{ operation: words[0] ?? "", reason: words[1] ?? "" },
  }));
}

/** The same with the types of our policy. */
export function wantedRules(): WantedRule[] {
  const typed = (role: string): string => TYPES[role] ?? role;
  return wantedRoles().map((rule) => ({ ...rule, source: typed(rule.source), target: typed(rule.target) }));
}

const ALLOW = /^[ \t]*allow\s+([^:;]+?)\s+([^:;\s]+)\s*:\s*(\w+)\s+(\{[^}]*\}|\w+)\s*;/gm;
const words = (text: string): string[] => text.replaceAll(/[{}]/g, " ").trim().split(/\s+/);

/** Every permission of every allow rule; the text is one for checkpolicy, or a macro of ours. */
export function allowRules(text: string): Rule[] {
  return [...withoutComments(text).matchAll(ALLOW)].flatMap(([, sources = "", target = "", name = "", list = ""]) =>
    words(sources).flatMap((source) => words(list).map((permission) => ({ source, target, class: name, permission }))),
  );
}

/** The policy's text without this one permission. */
export function withoutRule(text: string, rule: Rule): string {
  let found = 0;
  const changed = withoutComments(text).replaceAll(ALLOW, (whole, source, target, name, list: string) => {
    const kept = words(list).filter((permission) => permission !== rule.permission);
    const same = source === rule.source && target === rule.target && name === rule.class;
    if (!same || kept.length === words(list).length) return whole;
    found++;
    return kept.length === 0 ? "" : `allow ${source} ${target}:${name} { ${kept.join(" ")} };`;
  });
  if (found !== 1) throw new Error(`the policy grants "${ruleText(rule)}" in ${found} rules instead of 1`);
  return changed;
}

/** m4 leaves line numbers and comments; a rule may stand between them. */
const withoutComments = (text: string): string => text.replaceAll(/^#.*$/gm, "");
