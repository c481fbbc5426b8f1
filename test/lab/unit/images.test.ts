// SPDX-License-Identifier: MIT
//
// What the lab writes with its own hands: cpio archives, guest configurations, QEMU's arguments.

import { execFileSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { cpio, directory, file, symlink } from "../../../host/lab/cpio.js";
import { guestConfig } from "../../../host/lab/guest.js";
import { type MachineOptions, qemuArguments } from "../../../host/lab/machine.js";

test("a cpio archive is what cpio's readers expect", () => {
  const archive = cpio([directory("d"), file("d/f", "hello\n", 0o644), symlink("l", "d/f"), file("odd", "1")]);
  assert.is(archive.length % 4, 0);
  assert.is(archive.toString("latin1", 0, 6), "070701");
  const list = execFileSync("sh", ["-c", "command -v busybox >/dev/null && busybox cpio -t || true"], {
    input: archive,
  });
  if (list.length > 0) assert.equal(list.toString().trim().split("\n"), ["d", "d/f", "l", "odd"]);
});

test("a guest's configuration: ours over the usual", () => {
  const cfg = guestConfig("g", { script: "", cfg: { memory: 64, pae: true, vif: ["a", "b"] } });
  assert.match(cfg, /^name = "g"$/m);
  assert.match(cfg, /^memory = 64$/m);
  assert.match(cfg, /^pae = 1$/m);
  assert.match(cfg, /^vif = \["a","b"\]$/m);
  assert.not.match(cfg, "memory = 256");
});

test("QEMU: no network, no display, commas in paths doubled", () => {
  const args = qemuArguments({}, "/a,b/root", { input: "/i", output: "/o" });
  const words = args.join(" ");
  assert.match(words, "-nic none");
  assert.match(words, "-display none");
  assert.match(words, "file=/a,,b/root");
  assert.match(words, "dom0_mem=1024M,max:1024M");
  assert.match(words, "vmlinux console=hvc0");
  assert.match(words, "tcg,thread=single");
});

const disks = { input: "/i", output: "/o" };
const words = (options: MachineOptions): string => qemuArguments(options, "/r", disks).join(" ");

test("QEMU: time is the host's, or counted in instructions", () => {
  assert.not.match(words({}), "icount");
  assert.match(words({ instructionNs: 2 }), "-icount shift=1,sleep=off");
  assert.match(words({ instructionNs: 8 }), "-icount shift=3,sleep=off");
});

test("QEMU: who counts instructions has one thread", () => {
  assert.match(words({ instructionNs: 2, threads: "multi" }), /tcg,thread=single .*-icount shift=1,sleep=off/);
});

test.run();
