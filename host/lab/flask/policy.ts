// SPDX-License-Identifier: MIT
//
// The policy that the lab's FLASK machine boots with: Xen's own modules and native/flask, compiled as docs/FLASK.md
// tells an integrator to. Also policies with one permission fewer, for the test that each is needed.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, hashFile } from "../cache.js";
import { exec } from "../exec.js";
import { fromRoot } from "../paths.js";
import type { FlaskXen } from "./hypervisor.js";

const RECIPE = "1";
export const MODULE_FOLDER = "native/flask";
const MODULE = /^glovebox\.(te|if|cons)$/;

export interface Policy {
  /** As Xen loads it. */
  binary: string;
  /** All rules in checkpolicy's language, macros expanded. */
  conf: string;
}

export async function policy(xen: FlaskXen, say: (text: string) => void): Promise<Policy> {
  const names = readdirSync(fromRoot(MODULE_FOLDER)).filter((name) => MODULE.test(name));
  const texts = names.map((name) => readFileSync(fromRoot(MODULE_FOLDER, name), "utf8"));
  const dir = await cached({
    name: "xenpolicy",
    recipe: JSON.stringify([RECIPE, await hashFile(xen.policySource), names, texts]),
    make: (work) => make(work, xen, names, say),
    onProgress: say,
  });
  return { binary: join(dir, "xenpolicy"), conf: join(dir, "policy.conf") };
}

async function make(dir: string, xen: FlaskXen, names: string[], say: (text: string) => void): Promise<void> {
  say("compiling the FLASK policy");
  const work = join(dir, "work");
  mkdirSync(work);
  await exec("tar", ["-xf", xen.policySource, "-C", work]);
  const folder = join(work, "tools/flask/policy");
  for (const name of names) copyFileSync(fromRoot(MODULE_FOLDER, name), join(folder, "modules", name));
  const list = join(folder, "modules/modules.conf");
  writeFileSync(list, `${readFileSync(list, "utf8")}\nglovebox = on\n`);
  const made = [`FLASK_BUILD_DIR=${dir}`, `POLICY_FILENAME=${join(dir, "xenpolicy")}`];
  await exec("make", ["-C", folder, "-f", "Makefile.common", ...made]);
  rmSync(work, { recursive: true });
}

/** Compiles the rules to `target`; the language's version is the one that the installed policy has. */
export async function compilePolicy(conf: string, target: string): Promise<void> {
  await exec("checkpolicy", ["-t", "Xen", "-c", "30", "-o", target, conf]);
}
