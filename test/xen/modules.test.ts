// SPDX-License-Identifier: MIT
//
// Modules as files on a real Xen (modules.sh). Same module, same inputs: what the guest read, the fuel and the hash of
// the instance are those of V8. Bad files in the ramdisk are refused by name and the others serve; a version comes and
// goes live.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BUILD, fromRoot } from "../../host/lab/paths.js";
import { runScenario } from "../../host/lab/scenario.js";
import { guestKernelOptions, Said } from "../../host/lab/scenarios/guest-kernel.js";
import { fuelByEntry, parseManifest } from "../../host/pipeline/manifest.js";
import { ramdisk } from "../native/gbx.js";
import { inGbx, inV8, type Operation } from "../native/operations.js";
import { beforeAll } from "./before-all.js";
import script from "./modules.sh";

const SCRATCH = join(BUILD, "test/xen-modules");
const FOLDER = "test/modules/register-file";
/** An entry point and its arguments. */
type Call = [entry: number, ...args: bigint[]];
const [ATTACH, BAR_READ, BAR_WRITE, EVENT] = [0, 2, 3, 4];
const M64 = (1n << 64n) - 1n;
let said: Said;

const packed = (name: string): Buffer => readFileSync(join(BUILD, "modules", name));

/** The same module under another version: what the domain reads of it is the binary manifest. */
function otherVersion(): Buffer {
  const bytes = packed("register-file-0.1.0.gbx");
  const manifest = bytes.indexOf("GBXM");
  bytes.write("0.2.0", manifest + 40);
  return bytes;
}

beforeAll(test, async () => {
  mkdirSync(SCRATCH, { recursive: true });
  const register = { name: "register-file-0.1.0.gbx", bytes: packed("register-file-0.1.0.gbx") };
  const writable = Buffer.from(otherVersion());
  writable.writeUInt32LE(7, 64 + 56 + 4); // the code's segment
  const disk = ramdisk([
    { name: "forged-1.gbx", bytes: register.bytes, sum: "0".repeat(128) },
    { name: "unlisted-1.gbx", bytes: register.bytes, sum: "" },
    { name: "text-1.gbx", bytes: Buffer.from("no module") },
    { name: "writable-1.gbx", bytes: writable },
    register,
    register,
  ]);
  writeFileSync(join(SCRATCH, "modules.img"), disk);
  writeFileSync(join(SCRATCH, "live.gbx"), otherVersion());
  const options = guestKernelOptions({ name: "modules", script });
  options.files = {
    ...options.files,
    "modules.img": join(SCRATCH, "modules.img"),
    "live.gbx": join(SCRATCH, "live.gbx"),
  };
  said = new Said(await runScenario(options));
  const { result } = said;
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
});

type Listed = { name?: string; version?: string; from?: string; instances?: number; refused?: string };
const listed = (label: string): Listed[] => said.json(label) as unknown as Listed[];
const titles = (label: string): string[] =>
  listed(label).flatMap((one) =>
    one.name === undefined ? [] : `${one.name}@${one.version} ${one.from} ${one.instances}`,
  );

test("bad files are refused by name, the good one serves", () => {
  assert.equal(titles("modules"), ["register-file@0.1.0 ramdisk 1"]);
  assert.equal(
    listed("modules").flatMap((one) => one.refused ?? []),
    [
      "forged-1.gbx: its BLAKE2b is not the one in B2SUMS",
      "unlisted-1.gbx: not listed in B2SUMS",
      "text-1.gbx: not an ELF file",
      "writable-1.gbx: a segment that is both writable and executable",
      "register-file-0.1.0.gbx: a module of this name and version is loaded already",
    ],
  );
  assert.match(said.log("a").length > 0 ? said.log("a") : "", /KERNEL up/);
});

/** What the guest's `play` does (test/guest-kernel): xorshift64*, two numbers an access. */
function accesses(seed: bigint, count: number): Call[] {
  let state = seed;
  const next = (): bigint => {
    state ^= state >> 12n;
    state = (state ^ (state << 25n)) & M64;
    state ^= state >> 27n;
    return (state * 0x2545f4914f6cdd1dn) & M64;
  };
  return Array.from({ length: count }, () => {
    const dice = next();
    const data = next();
    const size = 1n << ((dice >> 8n) & 3n);
    const offset = 32n + (((dice >> 16n) % 3840n) / size) * size;
    return dice & 1n ? [BAR_WRITE, 0n, offset, size, data & maskOf(size)] : [BAR_READ, 0n, offset, size];
  });
}

const maskOf = (size: bigint): bigint => (1n << (size * 8n)) - 1n;

/** The answers as the guest hashes them (FNV-1a, a word at a time), the fuel of all calls, the hash of the state. */
function summary(calls: Operation[], lines: string[]): { read: bigint; fuel: number; hash: string } {
  let read = 0xcbf29ce484222325n;
  let fuel = 0;
  for (const [i, { entry, args }] of calls.entries()) {
    const [value = "", fault, used] = (lines[i] ?? "").split(" ");
    if (fault !== "0") throw new Error(`call ${i} ended with fault ${fault}`);
    fuel += Number(used);
    if (entry === BAR_READ) read = ((read ^ (BigInt(`0x${value}`) & maskOf(args[2]))) * 0x100000001b3n) & M64;
  }
  return { read, fuel, hash: (lines.at(-1) ?? "").replace("hash ", "") };
}

test("the same module and the same inputs: answers, fuel and hash on Xen, in V8 and under ASan", async () => {
  const budgets = fuelByEntry(parseManifest("register-file", readFileSync(fromRoot(FOLDER, "manifest.json"), "utf8")));
  const operation = ([entry, a = 0n, b = 0n, c = 0n, d = 0n]: Call): Operation => ({
    ...{ entry, fuel: budgets[entry] as number, args: [a, b, c, d] },
  });
  const before = ([[ATTACH], [EVENT, 0n, said.value("command")], [BAR_READ, 0n, 28n, 4n]] as Call[]).map(operation);
  const played = accesses(12345n, 3000).map(operation);
  const engines = [
    async (calls: Operation[]) => inV8(FOLDER, calls, [77n]),
    async (calls: Operation[]) => inGbx("register-file-0.1.0.gbx", calls, [77n]),
  ];
  for (const run of engines) {
    const first = await run(before);
    assert.is(first[2]?.split(" ")[0], said.value("command").toString(16));
    assert.is(said.json("before").hash, summary([], first).hash);
    const lines = await run([...before, ...played]);
    const { read, fuel, hash } = summary(played, lines.slice(before.length));
    assert.is(said.value("play"), read);
    assert.is(said.json("after").hash, hash);
    assert.is(Number(said.json("after").fuel_used) - Number(said.json("before").fuel_used), fuel);
  }
});

test("a version comes and goes while the guest is served", () => {
  assert.is(said.code("load"), 0, said.err("load"));
  assert.is(said.json("load").version, "0.2.0");
  assert.match(said.err("load-again"), /a module of this name and version is loaded already/);
  assert.match(said.err("load-bad"), /module refused: /);
  assert.is(said.code("attach"), 0, said.err("attach"));
  assert.match(said.err("in-use"), /register-file@0.2.0 in use: 1 vGPUs have it/);
  assert.equal(titles("modules-live"), ["register-file@0.1.0 ramdisk 1", "register-file@0.2.0 live 1"]);
  assert.is(said.code("detach"), 0, said.err("detach"));
  assert.is(said.code("unload"), 0, said.err("unload"));
  assert.equal(titles("modules-end"), ["register-file@0.1.0 ramdisk 1"]);
  assert.match(said.answer("alive"), / ok play /);
  assert.is(said.json("stat").restarts, 0);
});

test.run();
