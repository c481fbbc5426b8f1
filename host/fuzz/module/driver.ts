// SPDX-License-Identifier: MIT
//
// The driver (host/fuzz/driver) compiled together with the core's own rules for guest memory, buffers and copies
// (unikernel/core/vgpu, unikernel/core/work): what the fuzzer lets a module do is what the driver domain lets it do,
// by being the same source. The rest of the core, which those files lean on, is stood in for by driver/core.

import { readFileSync } from "node:fs";
import { type CompileOptions, compile } from "../../pipeline/compile.js";
import { inProject } from "../../pipeline/paths.js";

const ENTRY = "host/fuzz/driver/index.ts";
/** 2 MiB for the longest trace, 1 MiB of guest memory, 1 MiB of the core's and the driver's tables, and half spare. */
const PAGES = 96;
const MEDIATOR_ENTRY = "host/fuzz/driver/mediator.ts";
/** CORE_PAGES_MAX of native/include/shim_limits.h: it stands where the core does. */
const MEDIATOR_PAGES = 32;
/** A file of the core, and the one of driver/core that stands in for it. */
const STAND_INS: [core: string, own: string][] = [
  ["unikernel/core/vgpu/bar.ts", "../../../host/fuzz/driver/core/bar"],
  ["unikernel/core/vgpu/module.ts", "../../../host/fuzz/driver/core/module"],
  ["unikernel/core/vgpu/vgpu.ts", "../../../host/fuzz/driver/core/vgpu"],
  ["unikernel/core/display/scanout.ts", "../../../host/fuzz/driver/core/scanout"],
  ["unikernel/core/panic.ts", "../../host/fuzz/driver/core/panic"],
];
const SHIM = "unikernel/abi/shim.ts";
const BUFFER = "unikernel/core/vgpu/buffer.ts";

export async function compileDriver(): Promise<WebAssembly.Module> {
  const wasm = await compile({ ...optionsOf("driver", ENTRY, PAGES), flags: ["--importTable"] });
  return new WebAssembly.Module(Uint8Array.from(wasm));
}

/** The same rules as a core of their own, for the rig of the compiled C (../native). */
export async function compileMediator(): Promise<Uint8Array> {
  return compile(optionsOf("mediator", MEDIATOR_ENTRY, MEDIATOR_PAGES));
}

function optionsOf(name: string, entry: string, memoryPages: number): CompileOptions {
  return {
    name,
    entry,
    memoryPages,
    instead: new Map([
      ...STAND_INS.map(([core, own]): [string, string] => [core, `export * from "${own}";\n`]),
      [SHIM, withOwnCalls(readFileSync(inProject(SHIM), "utf8"))],
      [BUFFER, `${readFileSync(inProject(BUFFER), "utf8")}${TABLE_OF_BUFFERS}`],
    ]),
  };
}

/** The driver sets the table back before each input, as a whole. */
const TABLE_OF_BUFFERS = "\nexport function bufferTable(): usize { return changetype<usize>(bufferIn(0, 0)); }\n";

/** The three calls that reach into guest memory are the driver's own; of the others nothing is left but constants. */
function withOwnCalls(shim: string): string {
  const own = shim.replace(/@external\("shim", "guest_(read|write|copy)"\)\nexport declare function [^;]*;/g, "");
  return `${own}\nexport { shim_guest_read, shim_guest_write, shim_guest_copy } from "../../host/fuzz/driver/ram";\n`;
}
