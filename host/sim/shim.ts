// SPDX-License-Identifier: MIT
//
// native/include/shim.h over the simulated world: every import of core.wasm, one file of calls/ for each kind. What the
// contract promises is kept (an errno, nothing half done), what it calls the core's bug is an exception: CorePanic.

import { instanceImports } from "./calls/instance.js";
import { interruptImports } from "./calls/interrupt.js";
import { memoryImports } from "./calls/memory.js";
import { moduleImports } from "./calls/module.js";
import { restartImports } from "./calls/restart.js";
import { serverImports } from "./calls/server.js";
import { shareImports } from "./calls/share.js";
import { createState, type Imports, type ShimState } from "./calls/state.js";
import { talkImports } from "./calls/talk.js";
import { nextCall } from "./faults.js";
import type { Core, World } from "./world.js";

export { beginRestart, endDriver, endRestart } from "./calls/restart.js";
export { CorePanic, type ShimState } from "./calls/state.js";

/** Where cores come from: compiled code, an instance of it each; or whoever has a fresh one at hand. */
export type CoreCode = WebAssembly.Module | { fresh(shim: WebAssembly.ModuleImports): WebAssembly.Exports };

export function createShim(world: () => World, code: CoreCode): { shim: ShimState; core: Core } {
  const state = createState();
  return { shim: state, core: createCore(world, state, code) };
}

/** A core that knows nothing yet, over what the shim holds. */
export function createCore(world: () => World, state: ShimState, code: CoreCode): Core {
  const imports = {
    ...talkImports(world, state),
    ...restartImports(world, state),
    ...serverImports(world, state),
    ...interruptImports(world),
    ...memoryImports(world),
    ...shareImports(world, state),
    ...moduleImports(world, state),
    ...instanceImports(world, state),
  };
  const wrapped = withFaults(world, imports) as WebAssembly.ModuleImports;
  const exports =
    code instanceof WebAssembly.Module
      ? new WebAssembly.Instance(code, { shim: wrapped }).exports
      : code.fresh(wrapped);
  return exports as unknown as Core;
}

/** Calls that can fail can be made to. */
function withFaults(world: () => World, imports: Imports): Imports {
  const wrap = ([name, body]: [string, (...args: never[]) => unknown]) => [
    name,
    (...args: never[]) => {
      const errno = nextCall(world().faults, name, args[0]);
      if (errno === 0) return body(...args);
      return name === "guest_crc32" ? BigInt(-errno) : -errno;
    },
  ];
  return Object.fromEntries(Object.entries(imports).map(wrap));
}
