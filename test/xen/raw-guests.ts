// SPDX-License-Identifier: MIT
//
// A scenario whose guests are test/guest-kernel on virtio-gpu in one driver domain under FLASK (raw-guests.sh). One
// processor for Xen, Dom0 and everybody, under -icount: figures repeat, and no limit depends on the host's load.

import { GUEST_KERNEL } from "../../host/lab/guest-kernel.js";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { runScenario } from "../../host/lab/scenario.js";
import { GLOVEBOX_ELF, MODULES_IMG } from "../../host/lab/scenarios/demo.js";
import { Said } from "../../host/lab/scenarios/guest-kernel.js";
import kernelScript from "../../host/lab/scenarios/guest-kernel.sh";
import trioScript from "../../host/lab/scenarios/trio.sh";
import guestsScript from "./raw-guests.sh";

/** Runs it to its end; throws when it fails before. `modules`: another ramdisk than what is shipped. */
export async function rawGuests(name: string, script: string, modules = MODULES_IMG): Promise<Said> {
  const result = await runScenario({
    name,
    xen: "flask",
    dom0Script: kernelScript + trioScript + guestsScript + script,
    files: {
      gbctl: `${DOM0_PROGRAMS}/gbctl`,
      "glovebox.elf": GLOVEBOX_ELF,
      "modules.img": modules,
      "guest-kernel": GUEST_KERNEL,
    },
    machine: { instructionNs: 2 },
  });
  if (result.exitCode !== 0) throw new Error(`${result.lastStep}: ${result.failure}; log: ${result.dir}`);
  return new Said(result);
}
