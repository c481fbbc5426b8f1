// SPDX-License-Identifier: MIT
//
// The parts of the lab's machine, each made once and cached: Xen, Debian's kernel, Dom0's initramfs and root disk,
// and the ramdisk that every guest starts from. Debian's packages go in unchanged; ours are only the three small
// scripts that start things.

import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.js";
import { type CpioEntry, character, cpio, directory, file, symlink } from "./cpio.js";
import { copyOnly, download, kernelPackage, unpack, versions } from "./debian.js";
import dom0Init from "./dom0/initramfs.sh";
import { exec } from "./exec.js";
import guestInit from "./guest/init.sh";
import { extractVmlinux, findModules, insertOrder, installModules, type Modules } from "./kernel.js";

/** Raised when the code below changes what it makes. */
const RECIPE = "4";

const HYPERVISOR = "xen-hypervisor-4.17-amd64";
const DOM0_PACKAGES = [
  "busybox-static",
  "xen-utils-4.17",
  "xenstore-utils",
  // what gbctl and the bench's device emulator are linked with
  "libpng16-16",
  "libxendevicemodel1",
  "libxenevtchn1",
  "libxenforeignmemory1",
  "libxengnttab1",
];
/** Only an HVM guest needs QEMU in Dom0. */
const HVM_PACKAGES = ["qemu-system-xen"];
const DOM0_DISK_MODULES = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4"];
const DOM0_MODULES = ["xen_evtchn", "xen_gntdev", "xen_gntalloc", "xen_privcmd", "xenfs", "xen_pciback"];
const GUEST_MODULES = ["bochs", "virtio_pci", "virtio_gpu"];
const DOM0_FOLDERS = [
  "proc",
  "sys",
  "dev",
  "run",
  "tmp",
  "lab",
  "root",
  "var/log/xen/console",
  "var/lib/xen",
  "var/lib/xenstored",
];
const SLACK_BYTES = 64 << 20; // room in Dom0's root for logs
const MKE2FS_TIMEOUT_MS = 120_000;

export interface Images {
  /** The folder with xen, vmlinux, dom0.img, root.ext4, versions.txt. */
  dir: string;
}

export interface ImageOptions {
  /** Dom0 with QEMU, for HVM guests. */
  hvm?: boolean | undefined;
  onProgress?: ((text: string) => void) | undefined;
}

export function images(options: ImageOptions = {}): Promise<Images> {
  const packages = options.hvm ? [...DOM0_PACKAGES, ...HVM_PACKAGES] : DOM0_PACKAGES;
  const modules = [DOM0_DISK_MODULES, DOM0_MODULES, GUEST_MODULES];
  const recipe = JSON.stringify([RECIPE, HYPERVISOR, packages, modules, dom0Init, guestInit]);
  const say = options.onProgress ?? (() => {});
  return cached({
    name: options.hvm ? "machine-hvm" : "machine",
    recipe,
    make: (dir) => makeImages(dir, packages, say),
    onProgress: options.onProgress,
  }).then((dir) => ({ dir }));
}

async function makeImages(dir: string, packages: readonly string[], say: (text: string) => void): Promise<void> {
  const work = join(dir, "work");
  mkdirSync(work);
  say("downloading Debian's Xen and kernel");
  const boot = await download([HYPERVISOR, await kernelPackage()], false);
  await unpack(boot, join(work, "boot"));
  say("downloading Dom0's packages");
  const dom0 = await download(packages, true);
  await unpack(dom0, join(work, "dom0"));
  say("unpacking Xen and the kernel");
  await makeXen(join(work, "boot/boot"), join(dir, "xen"));
  copyOnlyKernel(join(work, "boot/boot"), join(work, "vmlinuz"));
  await extractVmlinux(join(work, "vmlinuz"), join(dir, "vmlinux"));
  const modules = findModules(join(work, "boot"));
  const busybox = readFileSync(join(work, "dom0/bin/busybox"));
  writeFileSync(
    join(dir, "dom0.img"),
    cpio([...base(busybox), ...moduleEntries(modules, DOM0_DISK_MODULES), initEntry(dom0Init)]),
  );
  const guest = [...base(busybox), ...moduleEntries(modules, GUEST_MODULES), initEntry(guestInit)];
  say("making Dom0's disk");
  mkdirSync(join(work, "dom0/boot"), { recursive: true });
  copyFileSync(join(work, "vmlinuz"), join(work, "dom0/boot/vmlinuz")); // for HVM guests: QEMU boots nothing else
  await makeRoot(join(work, "dom0"), modules, join(dir, "vmlinux"), cpio(guest), join(dir, "root.ext4"));
  writeFileSync(join(dir, "versions.txt"), versions([...boot, ...dom0]));
  rmSync(work, { recursive: true });
}

async function makeXen(boot: string, target: string): Promise<void> {
  copyOnly(boot, "amd64.gz", `${target}.gz`);
  await exec("gzip", ["-d", `${target}.gz`]);
}

function copyOnlyKernel(boot: string, target: string): void {
  const name = readdirSync(boot).find((entry) => entry.startsWith("vmlinuz-"));
  if (name === undefined) throw new Error(`${boot}: no vmlinuz`);
  copyFileSync(join(boot, name), target);
}

function base(busybox: Buffer): CpioEntry[] {
  const folders = ["bin", "dev", "etc", "lib", "lib/modules", "mnt", "proc", "run", "sys", "tmp"].map(directory);
  const links = ["sh", "mount", "insmod", "modprobe"].map((name) => symlink(`bin/${name}`, "busybox"));
  return [
    ...folders,
    character("dev/console", 5, 1),
    character("dev/null", 1, 3),
    file("bin/busybox", busybox),
    ...links,
  ];
}

const initEntry = (script: string): CpioEntry => file("init", script);

/** Modules of a ramdisk lie flat in /lib/modules; `order` names them in the order of insertion. */
function moduleEntries(modules: Modules, names: readonly string[]): CpioEntry[] {
  const order = insertOrder(modules, names);
  const files = order.map((name) =>
    file(`lib/modules/${name}.ko`, readFileSync(join(modules.root, modules.paths.get(name) ?? "")), 0o644),
  );
  return [...files, file("lib/modules/order", `${order.join("\n")}\n`, 0o644)];
}

async function makeRoot(root: string, modules: Modules, vmlinux: string, guest: Buffer, target: string): Promise<void> {
  const { stdout } = await exec(join(root, "bin/busybox"), ["--list"]);
  for (const applet of stdout.trim().split("\n")) {
    const present = ["bin", "sbin"].some((dir) => statSync(join(root, "usr", dir, applet), { throwIfNoEntry: false }));
    if (!present) symlinkSync("busybox", join(root, "usr/bin", applet));
  }
  for (const dir of DOM0_FOLDERS) mkdirSync(join(root, dir), { recursive: true });
  symlinkSync("/run", join(root, "var/run"));
  symlinkSync("/run/lock", join(root, "var/lock"));
  installModules(modules, DOM0_MODULES, root);
  copyFileSync(vmlinux, join(root, "boot/vmlinux"));
  writeFileSync(join(root, "boot/guest.img"), guest);
  writeFileSync(join(root, "etc/passwd"), "root::0:0:root:/root:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\n");
  rmSync(join(root, "usr/share/doc"), { recursive: true, force: true });
  rmSync(join(root, "usr/share/man"), { recursive: true, force: true });
  const { stdout: used } = await exec("du", ["-s", "--block-size=1", "--apparent-size", root]);
  const bytes = Math.ceil((Number.parseInt(used, 10) * 1.15 + SLACK_BYTES) / (1 << 20)) << 20;
  const args = [
    "-q",
    "-t",
    "ext4",
    "-O",
    "^has_journal,^resize_inode",
    "-E",
    "root_owner=0:0",
    "-d",
    root,
    target,
    `${bytes >> 10}k`,
  ];
  await exec("mke2fs", args, {
    timeoutMs: MKE2FS_TIMEOUT_MS,
    env: { ...process.env, PATH: `/usr/sbin:/sbin:${process.env.PATH}` },
  });
}
