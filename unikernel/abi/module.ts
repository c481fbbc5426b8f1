// SPDX-License-Identifier: MIT
//
// The module ABI, version 1: what a device module exports and which imports exist. docs/MODULE_ABI.md is the
// prose. Plain constants only: this file is imported by AssemblyScript and by the TypeScript host alike.

export const MODULE_ABI_VERSION = 1;
/** The wasm import namespace of every capability. */
export const MODULE_IMPORT_NAMESPACE = "glovebox";

// --- capabilities: a bit each; an import may be used only when the manifest asks for its capability ---
export const CAPABILITY_NONE = 0; // always granted: param
export const CAPABILITY_IRQ = 1; // irq_raise
export const CAPABILITY_SCANOUT = 2; // scanout_set, scanout_flush, cursor_move
export const CAPABILITY_LOG = 4; // log
export const CAPABILITY_WORK = 64; // work_fence; with CAPABILITY_BUFFER also work_copy
export const CAPABILITY_MEMORY = 8; // guest_read, guest_write
export const CAPABILITY_BUFFER = 16; // buffer_*; with CAPABILITY_SCANOUT also scanout_set_buffer, cursor_set
export const CAPABILITY_POLL = 32; // poll

// --- answers of imports (0 = done) ---
export const CAPABILITY_OK = 0;
/** The interrupt is masked or not enabled by the guest; it is pending where the guest can see that. */
export const CAPABILITY_MASKED = 1;
/** What the guest's settings ask for cannot be (a picture outside its BAR, say); nothing has changed. */
export const CAPABILITY_REFUSED = 2;
/** The queue is full; ask again after the next work_done. */
export const CAPABILITY_BUSY = 3;

// --- workloads ---
/** The engine of work_copy and work_fence: the mediator copies. */
export const ENGINE_COPY = 0;
/** How a workload ended (work_done). */
export const WORK_OK = 0;
/** A buffer was destroyed in between, or the guest has no RAM there any more; some rows may have been copied. */
export const WORK_FAILED = 1;
/** The device is being reset. */
export const WORK_CANCELLED = 2;

// --- sizes of imports' arguments; more is a fault ---
/** Bytes of one guest_read, guest_write, buffer_read or buffer_write. */
export const TRANSFER_BYTES_MAX = 4096;
/** One piece of a scatter list: {gpa u64, bytes u64}. */
export const LIST_ENTRY_BYTES = 16;
/** Pieces of one buffer_create or buffer_append: a list is a transfer, too. */
export const LIST_ENTRIES_MAX = 256;
/** Bytes of one buffer_copy, all rows together. */
export const BUFFER_COPY_BYTES_MAX = 65536;
/** Pixels of a cursor in each direction: the largest that GPUs of today have. */
export const CURSOR_EXTENT_MAX = 256;
/** The handle of no buffer. */
export const BUFFER_NONE = 0;

// --- what imports with a length cost beyond the packer's fixed price (host/sim/charge.ts, native/wasm/charge.h) ---
/** Bytes for one unit of fuel, as with memory.copy. */
export const CHARGE_BYTES_PER_UNIT = 64;
/** Each reach into guest memory or into the buffers' tables, and each started page of a row of buffer_copy. */
export const CHARGE_REACH = 1024;

// --- pixel formats of a scanout: DRM fourcc codes (drm_fourcc.h) ---
export const FORMAT_NONE = 0; // scanout off
export const FORMAT_XRGB8888 = 0x34325258; // 'XR24'
export const FORMAT_ARGB8888 = 0x34325241; // 'AR24', of a cursor only: colours are premultiplied by alpha
export const FORMAT_RGB888 = 0x34324752; // 'RG24'
export const FORMAT_RGB565 = 0x36314752; // 'RG16'

// --- kinds of `event` ---
/** The guest changed the PCI command register; argument = its new value. */
export const EVENT_PCI_COMMAND = 0;
/** The operator changed an output: argument = output << 32 | height << 16 | width; 0 x 0: nothing is plugged in. */
export const EVENT_OUTPUT = 1;
/** What `poll` asked for; argument 1: the time is over, this is the last. */
export const EVENT_POLL = 2;
