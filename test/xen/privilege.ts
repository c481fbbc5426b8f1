// SPDX-License-Identifier: MIT
//
// The scenario of test/probe, on either Xen, and what the driver domain printed in it.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { BUILD } from "../../host/lab/paths.js";
import { runScenario, type ScenarioResult } from "../../host/lab/scenario.js";
import { ALLOWED } from "../probe/table.js";
import dom0Script from "./privilege.sh";
import script from "./privilege-target.sh";

/** Rows on "another guest" that go through when that guest is the target: the requests are good. */
export const TARGETS_OWN = [
  "XEN_DOMCTL_getdomaininfo",
  "XENMEM_populate_physmap",
  "XENMEM_decrease_reservation",
  "XENMEM_add_to_physmap",
  "XENMEM_maximum_gpfn",
  "XENMEM_set_memory_map",
  "XENMEM_acquire_resource grant_table",
  "HVMOP_get_param",
  "HVMOP_set_param",
  "HVMOP_get_mem_type",
  "XEN_DMOP_nr_vcpus",
  "XEN_DMOP_create_ioreq_server",
  "XEN_DMOP_inject_msi",
  "XEN_DMOP_set_pci_intx_level",
  "XEN_DMOP_inject_event",
  "XEN_DMOP_remote_shutdown",
  "XEN_DMOP_track_dirty_vram",
  "SCHEDOP_remote_shutdown",
  "EVTCHNOP_alloc_unbound",
  "EVTCHNOP_status",
  "EVTCHNOP_reset",
  "GNTTABOP_setup_table",
  "GNTTABOP_query_size",
];

export interface Labels {
  driver: string;
  /** Of the guests that it serves. */
  served: string;
  /** Of the one that is none of its business. */
  other: string;
}

export function runProbes(name: string, labels?: Labels): Promise<ScenarioResult> {
  const labelled = (label: string | undefined) => (label === undefined ? {} : { seclabel: label });
  /**
   * Never unpaused; its kernel alone takes 58 MiB. Its device model may shut it down, and does: then it must stay, or
   * the probes that follow would race with xl's cleaning up.
   */
  const small = (label: string | undefined) => ({
    script: "",
    cfg: { memory: 96, on_crash: "preserve", ...labelled(label) },
  });
  return runScenario({
    name,
    xen: labels === undefined ? "stock" : "flask",
    dom0Script: `LABEL="${labels?.driver ?? ""}"\n${dom0Script}`,
    files: {
      gbctl: join(DOM0_PROGRAMS, "gbctl"),
      "bench-emulator": join(DOM0_PROGRAMS, "bench-emulator"),
      "glovebox-probe.elf": join(BUILD, "unikernel/glovebox-probe.elf"),
      "modules.img": join(BUILD, "unikernel/modules-test.img"),
    },
    guests: {
      target: { script, cfg: labelled(labels?.served) },
      other: small(labels?.other),
      victim: small(labels?.served),
    },
  });
}

/** Empty when the scenario failed before the domain was there: a test of its own says so. */
export function logOf(result: ScenarioResult, domain: string): string {
  const path = join(result.outputs, `log/console/guest-${domain}.log`);
  return existsSync(path) ? readFileSync(path, "latin1").replaceAll("\r", "") : "";
}

/** What the domain printed: row -> answers, in the document's words. */
export function answersOf(result: ScenarioResult, domain: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [, name = "", refused] of logOf(result, domain).matchAll(/^PROBE (.+): (?:refused (.+)|ALLOWED)$/gm))
    found.set(name, [...(found.get(name) ?? []), refused ?? ALLOWED]);
  return found;
}
