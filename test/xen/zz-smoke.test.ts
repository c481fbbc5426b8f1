import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { GUEST_KERNEL } from "../../host/lab/guest-kernel.js";
import { DOM0_PROGRAMS } from "../../host/lab/native.js";
import { BUILD } from "../../host/lab/paths.js";
import { runScenario } from "../../host/lab/scenario.js";
import lib from "./guest-kernel.sh";
test("x", async () => {
  const r = await runScenario({ name: "bg-smoke", dom0Script: lib + readFileSync("/tmp/badguest/smoke.sh", "utf8"),
    files: { gbctl: join(DOM0_PROGRAMS, "gbctl"), "glovebox-test.elf": join(BUILD, "unikernel/glovebox-test.elf"), "guest-kernel": GUEST_KERNEL },
    machine: { xen: "conring_size=512k" }, timeoutMs: 200_000, onProgress: (t) => console.log(t) });
  console.log(r.dir, r.exitCode, r.failure);
});
test.run();
