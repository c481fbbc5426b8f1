// SPDX-License-Identifier: MIT
//
// gbctl's words: no rights, typing mistakes, and help with an example for every verb.

import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fromRoot } from "../../host/lab/paths.js";
import { fails, RUNNING, run } from "./support.js";

const usage = suite("gbctl usage");

usage("no rights", async () => {
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
  [["create", "a.cfg", "--memory", "1", "--module", "a"], /--memory 1: must be 4 to 1024/],
  [["list", "--timeout", "0"], /--timeout 0: must be 1 to 3600/],
  [["list", "--crc"], /list knows no --crc/],
  [["create", "a.cfg", ...Array(9).fill(["--module", "a"]).flat()], /at most 8 vGPUs/],
  [["screenshot", "demo"], /name a file/],
  [["screenshot", "demo", "a.gif"], /must end in \.png or \.ppm/],
];
for (const [args, message] of MISTAKES) {
  usage(
    `usage: ${args.slice(0, 8).join(" ")}`,
    async () => void (await fails(args, { scenario: RUNNING }, 2, message)),
  );
}

usage("help has an example for every verb", async () => {
  const top = (await run(["--help"])).stdout;
  const verbs = [...top.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1] as string);
  assert.ok(verbs.length >= 11, top);
  for (const verb of verbs) {
    const help = await run([verb, "--help"], { capabilities: null });
    assert.is(help.code, 0);
    assert.match(help.stdout, new RegExp(`Examples:\\n  .*gbctl ${verb}`));
  }
});
usage("the verbs of the help are those of docs/CONTROL.md", async () => {
  const verbs = [...(await run(["--help"])).stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(
    (match) => match[1] as string,
  );
  const docs = readFileSync(fromRoot("docs/CONTROL.md"), "utf8");
  const table = /\| verbs of `gbctl`.*\n\|---\|---\|\n((?:\|.*\n)+)/.exec(docs)?.[1] ?? "";
  const told = table.split("\n").flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([a-z-]+)`/g)]);
  assert.equal(told.map((match) => match[1] as string).sort(), [...verbs].sort());
});
usage.run();
