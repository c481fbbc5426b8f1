// SPDX-License-Identifier: MIT
//
// Every limit of the core, with the sum that justifies it. checkLimits() is evaluated by the compiler: a relation
// that no longer holds stops the build.

import {
  SHIM_COPY_BYTES_MAX,
  SHIM_INSTANCES_MAX,
  SHIM_LOG_BYTES_MAX,
  SHIM_MODULES_MAX,
  SHIM_SERVERS_MAX,
  SHIM_SHARE_PAGES,
} from "../abi/shim";
import { BUFFER_COPY_BYTES_MAX, LIST_ENTRIES_MAX, LIST_ENTRY_BYTES, TRANSFER_BYTES_MAX } from "../abi/module";
import { MANIFEST_BAR_COUNT, MANIFEST_PARAM_COUNT } from "../abi/manifest";
import { XENSTORE_RING_SIZE, XSD_SOCKMSG_BYTES } from "../abi/xen/xs_wire";
import { PCI_MSIX_ENTRY_SIZE } from "../abi/pci";

/**
 * Linear memory, pages of 64 KiB, fixed: tables of this file and constant text, 1344 KiB in all (pieces 256, buffers
 * 160, workloads and copies 256, regions 148, trace 128, specifications and errors 96, MSI-X tables 64, scanouts and
 * cursors 56, configuration space 48, ...). The compiler refuses when they do not fit.
 */
export const CORE_MEMORY_PAGES: u32 = 22;

// --- how many ---
/** One ioreq server a guest. Stock Xen lets us serve one guest, FLASK as many as the shim has servers. */
export const GUESTS_MAX: u32 = SHIM_SERVERS_MAX;
/** One module instance a vGPU. */
export const VGPUS_MAX: u32 = SHIM_INSTANCES_MAX;
/** docs/CONTROL.md: n is 0 to 7. */
export const VGPUS_PER_GUEST_MAX: u32 = 8;
/** Device numbers of a PCI bus; 0 is the host bridge. */
export const SLOTS: u32 = 32;
export const BARS: u32 = MANIFEST_BAR_COUNT;
export const PARAMS: u32 = MANIFEST_PARAM_COUNT;
/** One region a BAR of every vGPU of a guest, and the CF8 register. */
export const REGIONS_MAX: u32 = VGPUS_PER_GUEST_MAX * BARS + 1;
export const MODULES_MAX: u32 = SHIM_MODULES_MAX;
export const SCANOUTS_PER_VGPU_MAX: u32 = 4;
/** Pictures of a vGPU: each scanout's own and its cursor's. */
export const PLANES_PER_VGPU_MAX: u32 = 2 * SCANOUTS_PER_VGPU_MAX;
/** Of a record of class Scanout, here because saved records hold such records, too. */
export const SCANOUT_BYTES: u32 = 56;
/** PCI 3.0, 6.8.1.3: 32 MSI messages. */
export const MSI_VECTORS_MAX: u32 = 32;
/** abi/manifest.ts; one pending word of 64 bits a vGPU. */
export const MSIX_VECTORS_MAX: u32 = 64;
/** Handles at a time: a desktop's buffers, with room; a handle has 6 bits for it. abi/manifest.schema.json agrees. */
export const BUFFERS_PER_VGPU_MAX: u32 = 64;
/** Pieces of all scatter lists: 64 MiB in pages that nowhere touch. A manifest may ask for half, so that two fit. */
export const PIECES_MAX: u32 = 16384;
export const PIECES_PER_VGPU_MAX: u32 = PIECES_MAX / 2;
/** Of a record of class Piece. */
export const PIECE_BYTES: u32 = 16;
/** Specifications known at a time: twice the vGPUs, so that each can also have one that was refused. */
export const WISHES_MAX: u32 = 2 * VGPUS_MAX;

// --- how much ---
/** Xen cuts a rep at the end of a page (xen/arch/x86/hvm/emulate.c), so 4096 items of one byte. */
export const REP_MAX: u32 = 4096;
export const COPY_BYTES_MAX: u32 = SHIM_COPY_BYTES_MAX;
export const PAGE_BYTES: u64 = 4096;
export const PAGE_SHIFT: u32 = 12;
/** Two-dimensional page tables of four levels cover 48 bits: a BAR beyond is not reachable by any guest. */
export const GUEST_ADDRESS_END: u64 = (<u64>1) << 48;
export const PORT_END: u64 = 0x10000;
/** RAM of one BAR: 256 MiB holds eight pictures of 4096 x 2160, and fits below 4 GiB in any guest. */
export const RAM_BYTES_MAX: u64 = 256 << 20;
/** What an import carries in or out of a module's memory in one call, and a scatter list. */
export const TRANSFER_BYTES: u32 = TRANSFER_BYTES_MAX;
/** One copy within a guest: at most 65536 rows of a byte, which cost 64 million of the 200 of fuel. */
export const BUFFER_COPY_BYTES: u32 = BUFFER_COPY_BYTES_MAX;
/** Interrupts a second that a manifest may promise: one each microsecond is what a processor takes. */
export const INTERRUPTS_PER_SECOND_MAX: u32 = 1_000_000;
/** Bytes that all buffers of a vGPU may speak of: 1 TiB, more than any guest has. */
export const BUFFER_BYTES_MAX: u64 = (<u64>1) << 40;
/** Bytes of a saved state: all memory that a module can have. */
export const STATE_BYTES_MAX: u32 = 1 << 20;
/** Pages a call to populate, move or give back: 2 MiB, so that no single hypercall batch takes long. */
export const RAM_BATCH_PAGES: u32 = 512;
/** Fuel of one call: at one to three instructions a unit, well below a second. */
export const FUEL_MAX: u32 = 200_000_000;
/** Pictures: the largest mode of DisplayPort 2 in each direction. */
export const SCANOUT_EXTENT_MAX: u32 = 16384;
/** Rows of a picture in a buffer looked at in one slice: each is one copy of its own at least. */
export const SLICE_ROWS: u32 = 64;
/** Pixels looked at in one slice of background work: 64 KiB, so about 16 foreign pages. */
export const SLICE_BYTES: u32 = 65536;
/**
 * One slice of the copy engine ends after so much of our own time, and at the latest after so many bytes or reaches
 * into the guest. Between pages that the shim has mapped 128 KiB take some 40 us, and 32 reaches of a few bytes 64 us;
 * pages that are met for the first time cost up to 2 us each, and whoever has many of them has less in a slice
 * (measured under -icount).
 */
export const COPY_SLICE_NS: u64 = 40_000;
export const COPY_SLICE_BYTES: u32 = 131072;
export const COPY_REACHES_MAX: u32 = 32;
export const SHARE_BYTES: u32 = SHIM_SHARE_PAGES * 4096;

/** The longest that a module may ask to be polled after its last work: longer than that, and a trap is cheaper. */
export const POLL_NS_MAX: u64 = 1_000_000;
/** Modules polled between two looks at events. */
export const POLLS_PER_SLICE: u32 = 4;

// --- quarantine ---
/** What may be counted within a window before it means something: one a millisecond for a day. */
export const THRESHOLD_MAX: u64 = 86_400_000;
export const QUARANTINE_WINDOW_MS_MAX: u64 = 86_400_000;

/** Traps of a guest, a power of two, that are a storm when they come within storm_ms: a vCPU that does nothing else. */
export const STORM_TRAPS: u32 = 256;
export const STORM_MS_MAX: u64 = 60_000;
/** A throttled vGPU that asks to be polled is looked at once, so much later. */
export const THROTTLE_POLL_NS: u64 = 10_000_000;

/** The longest trial of a replaced module: two instances for that time. */
export const TRIAL_MS_MAX: u64 = 60_000;

// --- trace ---
export const TRACE_RECORD_BYTES: u32 = 32;
export const TRACE_RECORDS: u32 = 4096;

// --- text ---
/** A message must fit into xenstore's ring, header included, so that sending never stalls half-way. */
export const XENSTORE_MESSAGE_BYTES: u32 = XENSTORE_RING_SIZE - XSD_SOCKMSG_BYTES;
/** Longest path of ours: data/glovebox/vgpu/65535/65535/ram_bytes, or module/ and a 32-byte name. */
export const PATH_BYTES_MAX: u32 = 64;
export const SPECIFICATION_BYTES_MAX: u32 = 512;
/** `set` with all seven of the scheduler's words takes 160. */
export const REQUEST_BYTES_MAX: u32 = 256;
export const REPLY_BYTES_MAX: u32 = XENSTORE_MESSAGE_BYTES - PATH_BYTES_MAX;
export const ERROR_BYTES_MAX: u32 = 240;
export const LOG_BYTES_MAX: u32 = SHIM_LOG_BYTES_MAX;
/** Lines of a module's log a second and vGPU; what is more is counted. */
export const LOG_LINES_PER_SECOND: u32 = 16;
export const COMMAND_LINE_BYTES_MAX: u32 = 1024; // MAX_GUEST_CMDLINE, xen/xen.h

/** Evaluated by the compiler; emits no code. */
@inline
export function checkLimits(): void {
  if (TRACE_RECORDS * TRACE_RECORD_BYTES > SHARE_BYTES) ERROR("the trace ring must fit into the share");
  if ((TRACE_RECORDS & (TRACE_RECORDS - 1)) != 0) ERROR("the trace ring's size must be a power of two");
  if ((STORM_TRAPS & (STORM_TRAPS - 1)) != 0) ERROR("a storm's traps must be a power of two");
  if (VGPUS_MAX > 64) ERROR("who asks to be polled is a bit of a u64");
  if (REP_MAX > 4096) ERROR("a rep of one-byte items must fit into one page");
  if (ERROR_BYTES_MAX + PATH_BYTES_MAX > XENSTORE_MESSAGE_BYTES) ERROR("an error node must fit into one message");
  if (TRANSFER_BYTES_MAX > SHIM_COPY_BYTES_MAX) ERROR("a transfer must fit into one copy of the shim's");
  if (LIST_ENTRIES_MAX * LIST_ENTRY_BYTES > TRANSFER_BYTES_MAX) ERROR("a scatter list must fit into one transfer");
  if (MSIX_VECTORS_MAX > 64) ERROR("pending bits are one 64-bit word");
  if (VGPUS_PER_GUEST_MAX >= SLOTS) ERROR("every vGPU of a guest needs a slot");
  if (SCANOUT_EXTENT_MAX * 4 > SLICE_BYTES) ERROR("a row must fit into one slice");
  if (MSIX_VECTORS_MAX * PCI_MSIX_ENTRY_SIZE + 8 > 4096) ERROR("the MSI-X table and PBA must fit into one page");
}
