// SPDX-License-Identifier: MIT
//
// Writes "newc" cpio archives, the form that Linux unpacks as its initramfs (kernel: Documentation/driver-api/
// early-userspace/buffer-format.rst). Archives may be joined end to end; later files replace earlier ones.

export interface CpioEntry {
  path: string;
  /** Type and permissions, as in stat(2): CPIO_FILE | 0o755. */
  mode: number;
  data?: Buffer;
  /** Character devices only. */
  device?: { major: number; minor: number };
}

export const CPIO_FILE = 0o100000;
export const CPIO_DIRECTORY = 0o040000;
export const CPIO_SYMLINK = 0o120000;
export const CPIO_CHARACTER = 0o020000;

const MAGIC = "070701";
const ALIGN = 4;

export function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.map((entry, index) => record(entry, index + 1));
  parts.push(record({ path: "TRAILER!!!", mode: 0 }, 0));
  return Buffer.concat(parts);
}

function record(entry: CpioEntry, inode: number): Buffer {
  const name = Buffer.from(`${entry.path}\0`);
  const data = entry.data ?? Buffer.alloc(0);
  const links = entry.mode === 0 ? 1 : (entry.mode & 0o170000) === CPIO_DIRECTORY ? 2 : 1;
  const device = entry.device ?? { major: 0, minor: 0 };
  const fields = [inode, entry.mode, 0, 0, links, 0, data.length, 0, 0, device.major, device.minor, name.length, 0];
  const header = MAGIC + fields.map((value) => value.toString(16).padStart(8, "0")).join("");
  const head = Buffer.concat([Buffer.from(header, "ascii"), name]);
  return Buffer.concat([head, padding(head.length), data, padding(data.length)]);
}

function padding(length: number): Buffer {
  return Buffer.alloc((ALIGN - (length % ALIGN)) % ALIGN);
}

export const directory = (path: string): CpioEntry => ({ path, mode: CPIO_DIRECTORY | 0o755 });
export const file = (path: string, data: Buffer | string, permissions = 0o755): CpioEntry => ({
  path,
  mode: CPIO_FILE | permissions,
  data: Buffer.from(data),
});
export const symlink = (path: string, target: string): CpioEntry => ({
  path,
  mode: CPIO_SYMLINK | 0o777,
  data: Buffer.from(target),
});
export const character = (path: string, major: number, minor: number): CpioEntry => ({
  path,
  mode: CPIO_CHARACTER | 0o600,
  device: { major, minor },
});
