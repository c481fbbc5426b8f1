// SPDX-License-Identifier: MIT
//
// The module verbs as somebody types them, in a folder of their own: new, check, compile, info, pack, image; what
// they say, what they leave, and how they end.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { inBuild, inProject } from "../../host/pipeline/paths.js";
import { attachManifest } from "../../host/pipeline/section.js";
import { wat } from "../pipeline/host.js";

const PROGRAM = inProject("build/host/glovebox.mjs");
const test = suite("module verbs");
const home = mkdtempSync(join(tmpdir(), "glovebox-test-cli-"));
test.after(() => rmSync(home, { recursive: true, force: true }));

interface Said {
  code: number | null;
  out: string;
  err: string;
}

function glovebox(words: string, env: Record<string, string> = {}): Said {
  const options = { cwd: home, encoding: "utf8", env: { ...process.env, ...env } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words.split(" ")], options);
  return { code: status, out: stdout, err: stderr };
}

const isThere = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;

for (const language of ["as", "c"]) {
  test(`a new ${language} module passes, is packed, and is described`, () => {
    if (language === "c") assert.ok(isThere("clang"), "clang is in the package table of build.mjs");
    const name = `new-${language}`;
    assert.is(glovebox(`new module ${name} --lang ${language}`).code, 0);
    assert.match(glovebox(`check ${name}`).out, new RegExp(`${name} 0\\.1\\.0 keeps to module ABI 1`));
    assert.is(glovebox(`compile ${name} -o ${name}.wasm`).code, 0);
    const { reasons, accepted } = JSON.parse(glovebox(`check ${name}.wasm --json`).out);
    assert.equal([reasons, accepted], [[], true]);
    const info = JSON.parse(glovebox(`info ${name}.wasm --json`).out);
    assert.equal(info.imports, ["irq_raise"]);
    assert.ok(info.fuelPoints > 0);
    assert.match(glovebox(`pack ${name}.wasm`).out, new RegExp(`^${name}-0\\.1\\.0\\.gbx: `));
    const packed = JSON.parse(glovebox(`info ${name}-0.1.0.gbx --json`).out);
    assert.is(packed.wasmSha256, info.wasmSha256);
    assert.is(packed.instrumentedSha256, info.instrumentedSha256);
    assert.match(glovebox(`info ${name}-0.1.0.gbx`).out, /frame bytes +\d+\n.*fuel points +\d+/s);
  });
}

/** Debian's rustc has the target in a package of its own; rustup's needs `rustup target add`. */
function rustWasm(folder: string): Uint8Array | undefined {
  const config = readFileSync(join(folder, ".cargo/config.toml"), "utf8");
  const flags = [...config.matchAll(/"-C", "([^"]+)"/g)].flatMap(([, flag]) => ["-C", flag as string]);
  const output = join(home, "rust.wasm");
  const words = [
    "--edition",
    "2021",
    "--crate-type",
    "cdylib",
    "--target",
    "wasm32-unknown-unknown",
    "-C",
    "opt-level=3",
  ];
  const linker = ["-C", "lto", "-C", "panic=abort", "-C", "linker=wasm-ld", ...flags, "-o", output];
  for (const rustc of ["rustc", "/usr/bin/rustc"]) {
    const { status } = spawnSync(rustc, [...words, ...linker, join(folder, "src/lib.rs")]);
    if (status === 0) return readFileSync(output);
  }
  return undefined;
}

test("a new Rust module passes where there is a compiler for it, else the remedy is told", () => {
  assert.is(glovebox("new module new-rust --lang rust").code, 0);
  const folder = join(home, "new-rust");
  const wasm = rustWasm(folder);
  if (wasm === undefined) {
    const { code, err } = glovebox("compile new-rust");
    assert.is(code, 1);
    assert.match(err, /there is no cargo|rustup target add wasm32-unknown-unknown/);
    return;
  }
  writeFileSync(join(home, "r.wasm"), attachManifest(wasm, readFileSync(join(folder, "manifest.json"), "utf8")));
  assert.match(glovebox("check r.wasm").out, /new-rust 0\.1\.0 keeps to module ABI 1/);
});

const BAD = `(module (memory (export "memory") 1 1) (func $s) (start $s)
  (func (export "attach") (result i32) (drop (f32.const 1)) (memory.grow (i32.const 1)))
  (func (export "reset")) (func (export "bar_read") (param i32 i32 i32) (result i64) i64.const 0))`;

test("check tells every reason, with rule, byte and function; 1 is the exit code", async () => {
  const manifest = readFileSync(inProject("host/templates/manifest.json"), "utf8").replace("@NAME@", "bad");
  writeFileSync(join(home, "bad.wasm"), attachManifest(await wat(BAD), manifest));
  const { code, out } = glovebox("check bad.wasm --json");
  assert.is(code, 1);
  const { accepted, reasons } = JSON.parse(out) as { accepted: boolean; reasons: Record<string, unknown>[] };
  assert.is(accepted, false);
  assert.equal(reasons.map((one) => one.rule).sort(), ["export-missing", "float", "memory-grow", "start"]);
  assert.is(reasons.find((one) => one.rule === "float")?.function, 1);
  assert.ok(reasons.every((one) => typeof one.offset === "number" && String(one.remedy).length > 10));
  const text = glovebox("check bad.wasm");
  assert.match(text.out, /^bad\.wasm: refused, 4 reasons\n {2}at byte 0x/);
  assert.match(text.out, /\(function 1\) memory\.grow is not allowed; .*memoryPages \[memory-grow\]/);
  const packed = glovebox("pack bad.wasm");
  assert.is(packed.code, 1);
  assert.match(packed.err, /bad: check: at byte/);
  assert.not(readdirSync(home).some((name) => name.startsWith("bad-")));
});

test("usage and missing files", () => {
  for (const words of ["check", "pack", "image", "new module x --lang pascal", "nonsense"]) {
    assert.is(glovebox(words).code, 2, words);
  }
  assert.match(glovebox("check none.wasm").err, /there is no file none\.wasm/);
  assert.match(glovebox("new module Bad_Name").err, /lower-case words/);
  assert.match(glovebox("info bad.wasm").out, /its manifest is refused|module ABI 1/);
  for (const verb of ["check", "info", "pack", "image", "compile", "new module"]) {
    assert.match(glovebox(`${verb} --help`).out, /Example.*Exit codes/s, verb);
  }
});

test("places where nothing can be, and files of the wrong kind", () => {
  writeFileSync(join(home, "file"), "");
  writeFileSync(join(home, "cut.wasm"), readFileSync(join(home, "new-as.wasm")).subarray(0, 600));
  const cases: [words: string, told: RegExp][] = [
    ["new module new-as", /^glovebox: new-as is there already\n$/],
    ["new module x --directory file", /^glovebox: file is there already\n$/],
    ["new module x --directory file/x", /^glovebox: cannot write file\/x\/manifest\.json: ENOTDIR/],
    ["new module x --directory /proc/x", /^glovebox: cannot write \/proc\/x\/manifest\.json: ENOENT/],
    ["check file/x", /^glovebox: there is no file file\/x \(ENOTDIR\)\n$/],
    ["check new-as-0.1.0.gbx", /^glovebox: new-as-0\.1\.0\.gbx is packed already; check reads the \.wasm file/],
    ["info new-as", /^glovebox: new-as is no file\n$/],
    ["pack cut.wasm", /cut\.wasm: .*bytes announced, fewer are there/],
    ["pack new-as.wasm -o /proc/x.gbx", /^glovebox: cannot write \/proc\/x\.gbx: /],
    ["pack new-as.wasm -o x.bin", /^glovebox: x\.bin: a packed module's name ends in \.gbx\n$/],
  ];
  for (const [words, told] of cases) {
    const { code, err } = glovebox(words);
    assert.is(code, 1, words);
    assert.match(err, told, words);
  }
  assert.is(readFileSync(join(home, "file")).length, 0);
  assert.not(readdirSync(home).some((name) => name.includes("partial") || name === "x" || name === "x.bin"));
  assert.match(glovebox("check cut.wasm").out, /^cut\.wasm: refused, \d reasons\n.*at byte 0x/);
});

test("a new module that cannot be written whole leaves nothing", () => {
  // no file may be longer than a block of 512 bytes: index.ts is
  const { status, stderr } = spawnSync(
    "sh",
    ["-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh", process.execPath, PROGRAM, "new", "module", "too-large"],
    { cwd: home, encoding: "utf8" },
  );
  assert.is(status, 1, stderr);
  assert.match(stderr, /^glovebox: cannot write too-large\/[a-z.]+: EFBIG/);
  assert.not(existsSync(join(home, "too-large")));
});

test("what takes too long is refused, and nothing is left running", () => {
  const { code, err } = glovebox("check new-as", { GLOVEBOX_JOB_SECONDS: "0.02" });
  assert.is(code, 1);
  assert.match(err, /new-as: refused: not done with it after 0\.02 s/);
});

test("image: kernel, ramdisk and configuration, without a compiler", () => {
  mkdirSync(join(home, "modules"));
  cpSync(join(home, "new-as-0.1.0.gbx"), join(home, "modules/a.gbx"));
  cpSync(join(home, "new-c-0.1.0.gbx"), join(home, "modules/b.gbx"));
  const noTools = { PATH: "/nonexistent:/bin" }; // sh is all that it may need
  const dry = glovebox("image --modules modules -o out --dry-run --json", noTools);
  assert.is(dry.code, 0, dry.err);
  assert.equal(
    JSON.parse(dry.out).modules.map((one: { name: string }) => one.name),
    ["new-as", "new-c"],
  );
  assert.not(existsSync(join(home, "out")));
  assert.is(glovebox("image --modules modules -o out").code, 0);
  assert.equal(readdirSync(join(home, "out")).sort(), ["glovebox.cfg", "glovebox.elf", "modules.img"]);
  assert.equal(readFileSync(join(home, "out/glovebox.elf")), readFileSync(inBuild("glovebox.elf")));
  mkdirSync(join(home, "unpacked"));
  const check = "cpio -i --quiet < ../out/modules.img && b2sum -c B2SUMS";
  if (isThere("cpio")) execFileSync("sh", ["-c", check], { cwd: join(home, "unpacked") });
});

test("image: damaged files, twins, no modules, no kernel", () => {
  cpSync(join(home, "new-as-0.1.0.gbx"), join(home, "modules/twin.gbx"));
  assert.match(
    glovebox("image --modules modules -o no").err,
    /twin\.gbx: ramdisk: is new-as@0\.1\.0, and so is a\.gbx/,
  );
  const bytes = readFileSync(join(home, "new-as-0.1.0.gbx"));
  bytes[bytes.length - 100] = 0xff;
  writeFileSync(join(home, "modules/twin.gbx"), bytes);
  assert.match(glovebox("image --modules modules -o no").err, /twin\.gbx: gbx: damaged/);
  mkdirSync(join(home, "empty"));
  assert.match(glovebox("image --modules empty -o no").err, /has neither \.gbx nor \.wasm/);
  assert.match(glovebox("image --modules modules -o no --kernel new-as/index.ts").err, /is no kernel/);
  assert.not(existsSync(join(home, "no")));
});

test.run();
