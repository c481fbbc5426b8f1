// SPDX-License-Identifier: MIT
//
// Modules as files on a real Xen (modules.sh). Same module, same inputs: what the guest read, the fuel and the hash of
// the instance are those of V8. Bad files in the ramdisk are refused by name and the others serve; a version comes and
// goes live.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BUILD } from "../../host/lab/paths.js";
import { runScenario } from "../../host/lab/scenario.js";
import { guestKernelOptions, Said } from "../../host/lab/scenarios/guest-kernel.js";
import { fuelByEntry } from "../../host/pipeline/manifest.js";
import { buildModule, prepareWasm } from "../../host/pipeline/module.js";
import { crc32 } from "../../host/sim/crc32.js";
import { type Capabilities, wasmModule } from "../../host/sim/module.js";
import { ramdisk } from "../native/gbx.js";
import script from "./modules.sh";

const SCRATCH = join(BUILD, "test/xen-modules");
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

test.before(async () => {
  mkdirSync(SCRATCH, { recursive: true });
  const register = { name: "register-file-0.1.0.gbx", bytes: packed("register-file-0.1.0.gbx") };
  const writable = Buffer.from(otherVersion());
  writable.writeUInt32LE(7, 64 + 56 + 4); // the code's segment
  const disk = ramdisk([
    { name: "forged-1.gbx", bytes: register.bytes, sum: "0".repeat(64) },
    { name: "unlisted-1.gbx", bytes: register.bytes, sum: "" },
    { name: "text-1.gbx", bytes: Buffer.from("no module") },
    { name: "writable-1.gbx", bytes: writable },
    register,
    register,
  ]);
  writeFileSync(join(SCRATCH, "modules.img"), disk);
  writeFileSync(join(SCRATCH, "live.gbx"), otherVersion());
  const options = guestKernelOptions({ name: "modules", script, timeoutMs: 300_000 });
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
      "forged-1.gbx: its SHA-256 is not the one in SHA256SUMS",
      "unlisted-1.gbx: not listed in SHA256SUMS",
      "text-1.gbx: not an ELF file",
      "writable-1.gbx: a segment that is both writable and executable",
      "register-file-0.1.0.gbx: a module of this name and version is loaded already",
    ],
  );
  assert.match(said.log("a").length > 0 ? said.log("a") : "", /KERNEL up/);
});

test("the same module and the same inputs: answers, fuel and hash are V8's", async () => {
  const { manifest, wasm } = await prepareWasm("register-file", await buildModule("test/modules/register-file"));
  const known: Partial<Capabilities> = { param: () => 77n };
  const capabilities = new Proxy(known, { get: (target, name) => Reflect.get(target, name) ?? (() => 0) });
  const instance = wasmModule(new Uint8Array(), wasm as Uint8Array<ArrayBuffer>).instantiate(
    capabilities as Capabilities,
  );
  let fuel = 0;
  const budgets = fuelByEntry(manifest);
  const call = (entry: number, ...args: bigint[]): bigint => {
    const all = [0, 1, 2, 3].map((i) => args[i] ?? 0n) as [bigint, bigint, bigint, bigint];
    const answer = instance.call(entry, budgets[entry] as number, all);
    fuel += answer.fuel;
    return BigInt.asUintN(64, answer.value);
  };
  const hash = (): string =>
    ((instance.state?.() ?? []).reduce((crc, part) => crc32(part, crc), 0) >>> 0).toString(16).padStart(8, "0");
  call(ATTACH);
  call(EVENT, 0n, said.value("command"));
  assert.is(call(BAR_READ, 0n, 28n, 4n), said.value("command"));
  assert.is(said.json("before").hash, hash());
  fuel = 0;
  let state = 12345n;
  const next = (): bigint => {
    state ^= state >> 12n;
    state = (state ^ (state << 25n)) & M64;
    state ^= state >> 27n;
    return (state * 0x2545f4914f6cdd1dn) & M64;
  };
  let read = 0xcbf29ce484222325n;
  for (let i = 0; i < 3000; i++) {
    const dice = next();
    const data = next();
    const size = 1n << ((dice >> 8n) & 3n);
    const offset = 32n + (((dice >> 16n) % 3840n) / size) * size;
    const mask = (1n << (size * 8n)) - 1n;
    if (dice & 1n) call(BAR_WRITE, 0n, offset, size, data & mask);
    else read = ((read ^ (call(BAR_READ, 0n, offset, size) & mask)) * 0x100000001b3n) & M64;
  }
  assert.is(said.value("play"), read);
  assert.is(said.json("after").hash, hash());
  assert.is(Number(said.json("after").fuel_used) - Number(said.json("before").fuel_used), fuel);
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
