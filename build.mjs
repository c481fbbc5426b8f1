#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// The one door: `node build.mjs VERB`. It needs nothing but Node.js; it sets up what is missing (Debian packages,
// npm packages), bundles the host's program and hands over to it. Everything here may be run again at any time: what
// is there already is not made again.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
const NODE_MAJOR_MIN = 20;
const EXIT_USAGE = 2;
const EXIT_SETUP = 3;

/** Debian package -> what we need it for. With the groups below, the only list. */
const PACKAGES = {
  gcc: "compiles the driver domain, gbctl and the guests' test programs",
  "libc6-dev": "C library, headers and static",
  "libxen-dev": "Xen's public headers and its libraries for Dom0 programs",
  clang: "compiles modules that are written in C (--target=wasm32)",
  "libclang-rt-14-dev": "clang's sanitizers and libFuzzer, for the C rig",
  lld: "links modules that are written in C",
  "libdrm-dev": "the kernel's display interface, for the guests' test programs",
  "libpng-dev": "gbctl writes pictures",
  "zlib1g-dev": "gbctl writes pictures",
  "qemu-system-x86": "the lab's machine",
  e2fsprogs: "mke2fs makes Dom0's disk",
  "xz-utils": "unpacks Debian's kernel",
  cppcheck: "looks at the C code in the tests",
};

/** What Xen with FLASK is built with, from source. */
const FLASK_PACKAGES = {
  bison: "Xen's configuration, for Xen with FLASK",
  checkpolicy: "compiles FLASK policies",
  "dpkg-dev": "unpacks Debian's source packages",
  flex: "Xen's configuration, for Xen with FLASK",
  m4: "the macros of FLASK policies",
  make: "builds Xen",
  python3: "builds Xen",
};

/**
 * Verbs that need less than PACKAGES. Those that need none run wherever Node.js does; what the compiler of somebody's
 * module is missing (clang, cargo) they tell themselves.
 */
const NEEDS_OF = {
  ...Object.fromEntries(["new", "compile", "check", "info", "image"].map((verb) => [verb, []])),
  ...Object.fromEntries(["sim", "replay", "fuzz", "minimize", "corpus", "sched", "clean"].map((verb) => [verb, []])),
  pack: ["gcc"],
};

/** The peers of the fuzzer's bench that nothing else needs. */
const BENCH_PACKAGES = {
  "afl++": "the fuzzer that ours is compared with",
};

const VERBS = {
  setup: "install what is missing: Debian packages (as root or by sudo), npm packages",
  build: "build the driver domain, the modules, gbctl and the test programs",
  start: "boot Xen, one driver domain and three guests that draw; leaves their screens as pictures",
  test: "check the sources and run all tests, also those on a real Xen",
  bench: "measure what a trap, a module, a flush, many vGPUs cost",
  sim: "run scripted guests in a simulated Xen",
  replay: "play a recording, a crash or an input again",
  fuzz: "look for what a hostile guest could do to a module",
  coverage: "what the inputs of a corpus reach, by line",
  rig: "the compiled C of a module, or of what parses, under clang's sanitizers",
  minimize: "make a crash file of the fuzzer smaller",
  corpus: "look at a folder of inputs, merge several, add a recording",
  lab: "run one of the lab's scenarios by name",
  lint: "types, format, lint and static analysis only",
  sched: "run the domain's scheduler in simulated time",
  new: "a starting point for a module of your own: new module NAME",
  compile: "a module's folder to one .wasm file",
  check: "every reason why a module's file is refused",
  info: "what a module's file (.wasm, .gbx) holds",
  pack: "a module's file or folder to a .gbx file, which the driver domain loads",
  image: "gather .gbx files into a ramdisk, beside the kernel",
  clean: "remove build/, but not the downloaded and cached images (--cache: those too)",
};

const HELP = `Usage: node build.mjs VERB [OPTIONS]

${Object.entries(VERBS)
  .map(([verb, text]) => `  ${verb.padEnd(8)} ${text}`)
  .join("\n")}

node build.mjs VERB --help tells a verb's options. Missing packages are set up by the verbs that need them: no Debian
package is needed to ${Object.keys(NEEDS_OF)
  .filter((verb) => NEEDS_OF[verb].length === 0)
  .join(", ")}; those for a Xen with FLASK
for "start" without --stock, when a word of the command says flask, for "bench --only many" and for all tests ("node
build.mjs setup --flask" does it alone); AFL++ for "bench --only fuzz".
Examples:
  npm start                           the whole machine with three guests, some minutes; the first time also builds Xen
  npm start -- --stock                one guest on Debian's own Xen, about a minute
  npm start -- --keep                 leave it running, with a console to play in
  node build.mjs test --only hello    the tests whose file name contains "hello"
  node build.mjs lab hello
Exit codes: 0 done, 1 failed, ${EXIT_USAGE} wrong usage, ${EXIT_SETUP} something must be installed first,
            130 interrupted.
`;

function stop(code, text) {
  process.stderr.write(`glovebox: ${text}\n`);
  process.exit(code);
}

/** The packages that a command needs: a group when the command names what needs it, or means everything. */
function packagesFor(args) {
  const [verb] = args;
  if (Object.hasOwn(NEEDS_OF, verb)) return Object.fromEntries(NEEDS_OF[verb].map((name) => [name, PACKAGES[name]]));
  const names = (what) => args.some((word) => word.includes(what));
  const demo = verb === "start" && !args.includes("--stock");
  const allTests = verb === "test" && !args.includes("--unit") && !args.includes("--only");
  return {
    ...PACKAGES,
    ...(names("flask") || demo || allTests || (verb === "bench" && names("many")) ? FLASK_PACKAGES : {}),
    ...(verb === "bench" && names("fuzz") ? BENCH_PACKAGES : {}),
  };
}

function missingPackages(asked) {
  if (asked.length === 0) return [];
  const form = "$" + "{Package} $" + "{db:Status-Status}\n";
  const { stdout, error } = spawnSync("dpkg-query", ["-W", "-f", form, ...asked]);
  if (error) stop(EXIT_SETUP, "dpkg-query is not here: this needs Debian 12");
  const installed = new Set();
  for (const line of stdout.toString().split("\n")) {
    const [name, status] = line.split(" ");
    if (status === "installed") installed.add(name);
  }
  return asked.filter((name) => !installed.has(name));
}

/** The words before `apt-get` that make us root; undefined when there are none. */
function rootPrefix() {
  if (process.getuid() === 0) return [];
  return spawnSync("sudo", ["-n", "true"]).status === 0 ? ["sudo", "-n"] : undefined;
}

function setUpDebian(packages) {
  const missing = missingPackages(Object.keys(packages));
  if (missing.length === 0) return;
  const install = ["apt-get", "install", "-y", "--no-install-recommends", ...missing];
  const prefix = rootPrefix();
  if (prefix === undefined) {
    const why = missing.map((name) => `  ${name.padEnd(16)} ${packages[name]}`).join("\n");
    const command = `sudo sh -c 'apt-get update && ${install.join(" ")}'`;
    stop(EXIT_SETUP, `Debian packages are missing:\n${why}\nand only root can install them. Type:\n  ${command}`);
  }
  process.stderr.write(`glovebox: installing the Debian packages ${missing.join(" ")}\n`);
  for (const words of [["apt-get", "update"], install])
    run([...prefix, "env", "DEBIAN_FRONTEND=noninteractive", ...words]);
}

function run(words) {
  const { status, error, stdout, stderr } = spawnSync(words[0], words.slice(1), { cwd: ROOT, maxBuffer: 1 << 26 });
  if (status === 0) return;
  const said = error ? error.message : headAndTail(`${stdout}${stderr}`.trim().split("\n"));
  stop(EXIT_SETUP, `"${words.join(" ")}" failed:\n${said}`);
}

/** npm says the cause first, apt last. */
function headAndTail(lines) {
  if (lines.length <= 24) return lines.join("\n");
  return [...lines.slice(0, 12), "...", ...lines.slice(-12)].join("\n");
}

function setUpNpm() {
  const lock = join(ROOT, "package-lock.json");
  const mark = join(ROOT, "node_modules/.package-lock.json"); // npm writes it last
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(lock).mtimeMs) return;
  process.stderr.write("glovebox: installing the npm packages\n");
  run(["npm", "ci", "--no-audit", "--no-fund"]);
}

async function bundleHost() {
  const { build } = await import("esbuild");
  const outfile = join(ROOT, "build/host/glovebox.mjs");
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "host/cli/main.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    loader: { ".sh": "text" },
    banner: { js: "#!/usr/bin/env node" },
    sourcemap: "inline",
    logLevel: "error",
    write: false,
  });
  writeWhole(outfile, outputFiles[0].contents);
  return outfile;
}

/** Others may run the program just now: it changes in one step, and only when it changes. */
function writeWhole(path, bytes) {
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, bytes);
  renameSync(partial, path);
}

function usage(args) {
  const [verb] = args;
  if (verb === undefined || verb === "--help" || verb === "-h" || verb === "help") {
    process.stdout.write(HELP);
    process.exit(verb === undefined ? EXIT_USAGE : 0);
  }
  if (verb === "--version") {
    process.stdout.write(execFileSync("npm", ["pkg", "get", "version"], { cwd: ROOT }));
    process.exit(0);
  }
  if (!Object.hasOwn(VERBS, verb))
    stop(EXIT_USAGE, `unknown verb "${verb}"; the verbs are: ${Object.keys(VERBS).join(" ")}`);
}

async function main(args) {
  usage(args);
  const major = Number.parseInt(process.versions.node, 10);
  if (major < NODE_MAJOR_MIN)
    stop(EXIT_SETUP, `Node.js ${process.versions.node} is too old: ${NODE_MAJOR_MIN} or later`);
  setUpDebian(packagesFor(args));
  setUpNpm();
  if (args[0] === "setup" && args.slice(1).every((word) => word === "--flask")) return;
  process.argv = [process.argv[0], join(ROOT, "build.mjs"), ...args];
  await import(await bundleHost());
}

await main(process.argv.slice(2));
