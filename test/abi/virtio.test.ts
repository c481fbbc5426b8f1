// SPDX-License-Identifier: MIT
//
// The constants of unikernel/abi/virtio.ts and of the virtio GPU are the specification's, as Linux' headers have
// them: a small C program, compiled against Debian's linux-libc-dev, prints what those say. Offsets of fields are
// held against the structures by the table below.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BUILD } from "../../host/lab/paths.js";
import * as ring from "../../unikernel/abi/virtio.js";
import * as gpu from "../../unikernel/modules/virtio-gpu/protocol.js";

const SCRATCH = join(BUILD, "test/abi");

const at = (struct: string, field: string) => `offsetof(struct virtio_gpu_${struct}, ${field})`;
const size = (struct: string) => `sizeof(struct virtio_gpu_${struct})`;

/** Names that are ours: what the headers call it. */
const EXPRESSIONS: Record<string, string> = {
  VIRTIO_PCI_VENDOR_ID: "PCI_VENDOR",
  VIRTIO_PCI_DEVICE_ID_BASE: "MODERN_DEVICE",
  VIRTIO_PCI_COMMON_BYTES: "sizeof(struct virtio_pci_common_cfg)",
  VIRTIO_PCI_ISR_QUEUE: "1",
  VIRTIO_PCI_ISR_CONFIG: "VIRTIO_PCI_ISR_CONFIG",
  VRING_DESC_BYTES: "sizeof(struct vring_desc)",
  VRING_IDX: "offsetof(struct vring_avail, idx)",
  VRING_RING: "offsetof(struct vring_used, ring)",
  VRING_USED_ELEM_BYTES: "sizeof(struct vring_used_elem)",
  VIRTIO_GPU_CONFIG_EVENTS_READ: at("config", "events_read"),
  VIRTIO_GPU_CONFIG_EVENTS_CLEAR: at("config", "events_clear"),
  VIRTIO_GPU_CONFIG_NUM_SCANOUTS: at("config", "num_scanouts"),
  VIRTIO_GPU_CONFIG_BYTES: size("config"),
  HEADER_FLAGS: at("ctrl_hdr", "flags"),
  HEADER_FENCE_ID: at("ctrl_hdr", "fence_id"),
  HEADER_CTX_ID: at("ctrl_hdr", "ctx_id"),
  HEADER_BYTES: size("ctrl_hdr"),
  RECT_BYTES: size("rect"),
  CREATE_2D_RESOURCE: at("resource_create_2d", "resource_id"),
  CREATE_2D_FORMAT: at("resource_create_2d", "format"),
  CREATE_2D_WIDTH: at("resource_create_2d", "width"),
  CREATE_2D_HEIGHT: at("resource_create_2d", "height"),
  CREATE_2D_BYTES: size("resource_create_2d"),
  SIMPLE_ID: at("resource_unref", "resource_id"),
  SIMPLE_BYTES: size("cmd_get_edid"),
  SET_SCANOUT_RECT: at("set_scanout", "r"),
  SET_SCANOUT_SCANOUT: at("set_scanout", "scanout_id"),
  SET_SCANOUT_RESOURCE: at("set_scanout", "resource_id"),
  SET_SCANOUT_BYTES: size("set_scanout"),
  FLUSH_RECT: at("resource_flush", "r"),
  FLUSH_RESOURCE: at("resource_flush", "resource_id"),
  FLUSH_BYTES: size("resource_flush"),
  TRANSFER_RECT: at("transfer_to_host_2d", "r"),
  TRANSFER_OFFSET: at("transfer_to_host_2d", "offset"),
  TRANSFER_RESOURCE: at("transfer_to_host_2d", "resource_id"),
  TRANSFER_BYTES: size("transfer_to_host_2d"),
  ATTACH_RESOURCE: at("resource_attach_backing", "resource_id"),
  ATTACH_ENTRIES: at("resource_attach_backing", "nr_entries"),
  ATTACH_BYTES: size("resource_attach_backing"),
  MEM_ENTRY_LENGTH: at("mem_entry", "length"),
  MEM_ENTRY_BYTES: size("mem_entry"),
  BLOB_RESOURCE: at("resource_create_blob", "resource_id"),
  BLOB_MEM: at("resource_create_blob", "blob_mem"),
  BLOB_ENTRIES: at("resource_create_blob", "nr_entries"),
  BLOB_SIZE: at("resource_create_blob", "size"),
  BLOB_BYTES: size("resource_create_blob"),
  SCANOUT_BLOB_WIDTH: at("set_scanout_blob", "width"),
  SCANOUT_BLOB_HEIGHT: at("set_scanout_blob", "height"),
  SCANOUT_BLOB_FORMAT: at("set_scanout_blob", "format"),
  SCANOUT_BLOB_STRIDE: at("set_scanout_blob", "strides"),
  SCANOUT_BLOB_OFFSET: at("set_scanout_blob", "offsets"),
  SCANOUT_BLOB_BYTES: size("set_scanout_blob"),
  CURSOR_SCANOUT: at("update_cursor", "pos.scanout_id"),
  CURSOR_X: at("update_cursor", "pos.x"),
  CURSOR_Y: at("update_cursor", "pos.y"),
  CURSOR_RESOURCE: at("update_cursor", "resource_id"),
  CURSOR_HOT_X: at("update_cursor", "hot_x"),
  CURSOR_HOT_Y: at("update_cursor", "hot_y"),
  CURSOR_BYTES: size("update_cursor"),
  DISPLAY_ONE_ENABLED: `${at("resp_display_info", "pmodes[0].enabled")} - ${size("ctrl_hdr")}`,
  DISPLAY_ONE_BYTES: "sizeof(((struct virtio_gpu_resp_display_info *)0)->pmodes[0])",
  DISPLAY_INFO_BYTES: size("resp_display_info"),
  EDID_SIZE: at("resp_edid", "size"),
  EDID_BLOCKS: at("resp_edid", "edid"),
  EDID_BYTES: size("resp_edid"),
};

/** In no header of Linux' user space: virtio 1.2, 4.1.2. */
const OURS = { VIRTIO_PCI_VENDOR_ID: 0x1af4, VIRTIO_PCI_DEVICE_ID_BASE: 0x1040 };

function headersSay(expressions: readonly string[]): number[] {
  mkdirSync(SCRATCH, { recursive: true });
  const source = join(SCRATCH, "virtio.c");
  const headers = ["config", "pci", "ring", "ids", "gpu"].map((one) => `#include <linux/virtio_${one}.h>`);
  const lines = expressions.map((one) => `    printf("%llu\\n", (unsigned long long)(${one}));`);
  const text = [...headers, "#include <stddef.h>", "#include <stdio.h>", "int main(void) {", ...lines, "}", ""];
  writeFileSync(source, text.join("\n"));
  const program = join(SCRATCH, "virtio");
  execFileSync("gcc", ["-std=gnu11", source, "-o", program]);
  return execFileSync(program, { encoding: "utf8" }).trim().split("\n").map(Number);
}

function wrong(all: Record<string, number>): string[] {
  const names = Object.keys(all).filter((name) => !(name in OURS));
  const said = headersSay(names.map((name) => EXPRESSIONS[name] ?? name));
  return names.flatMap((name, i) =>
    said[i] === all[name] ? [] : [`${name} is ${all[name]}, the header says ${said[i]}`],
  );
}

test("every constant is what the headers say", () => {
  const all: Record<string, number> = { ...ring, ...gpu };
  assert.ok(Object.keys(all).length > 130);
  assert.equal(wrong(all), []);
  for (const [name, value] of Object.entries(OURS)) assert.is(all[name], value);
});

test("a wrong constant is found", () => {
  assert.equal(wrong({ VRING_DESC_BYTES: 15 }), ["VRING_DESC_BYTES is 15, the header says 16"]);
});

test.run();
