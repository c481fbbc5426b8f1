// SPDX-License-Identifier: MIT
//
// The binary manifest: what the packer makes of a module's JSON manifest (custom section "glovebox.manifest"), so
// that the driver domain never parses JSON. Little-endian, fixed size, every field at a fixed offset.
//
//   0 ┌ magic u32 ┬ abi u16 ┬ role u16 ┐   8 ┌ name 32 bytes, NUL-padded ┐   40 ┌ version 16 bytes, NUL-padded ┐
//  56 ┌ vendor u16 ┬ device u16 ┬ subsystem vendor u16 ┬ subsystem u16 ┐   64 ┌ class<<8 | revision u32 ┐
//  68 ┌ capabilities u32 ┐  72 ┌ msi vectors u16 ┬ msix vectors u16 ┐  76 ┌ intx pin u8 ┬ msix bar u8 ┬ layout u16 ┐
//  80 ┌ memory pages u32 ┬ scanouts u32 ┐  88 ┌ fuel of each ENTRY_*: 6 x u32 ┐
// 112 ┌ 6 x bar, 16 bytes each: kind u8, space u8, prefetchable u8, size_param u8, 0 u32, size_bytes u64 ┐
// 208 ┌ 12 x param, 48 bytes each: name 24 bytes, default u64, min u64, max u64 ┐
// 784 ┌ interrupts a second u32 ┬ buffers u32 ┐ 792 ┌ bytes of all buffers u64 ┐ 800 ┌ pieces of all buffers u32 ┐
// 804 ┌ state format u32 ┬ state bytes u32 ┐ 812 ┌ fuel of each of the state's entry points u32 ┐
// 816 ┌ workloads u32 ┐ 820 ┌ 0 ... ┐ 832
// 832 ┌ capabilities of PCI configuration space, one behind the other: id u8, length u8, the rest; id 0 ends ┐ 976
//
// At 78 stands the layout's own version, so that a file of an older packer is refused by name and not misread.
//
// Plain constants only: imported by AssemblyScript and by the TypeScript host alike.

export const MANIFEST_SECTION = "glovebox.manifest";
export const MANIFEST_MAGIC = 0x4d584247; // "GBXM"
export const MANIFEST_BYTES = 976;
export const MANIFEST_LAYOUT_VERSION = 3; // 1: without quotas and state, 592 bytes; 2: 8 parameters, 784 bytes

export const MANIFEST_ABI = 4;
export const MANIFEST_ROLE = 6;
export const MANIFEST_NAME = 8;
export const MANIFEST_NAME_BYTES = 32;
export const MANIFEST_VERSION = 40;
export const MANIFEST_VERSION_BYTES = 16;
export const MANIFEST_VENDOR_ID = 56;
export const MANIFEST_DEVICE_ID = 58;
export const MANIFEST_SUBSYSTEM_VENDOR_ID = 60;
export const MANIFEST_SUBSYSTEM_ID = 62;
export const MANIFEST_CLASS_REVISION = 64;
export const MANIFEST_CAPABILITIES = 68;
export const MANIFEST_MSI_VECTORS = 72; // 0, 1, 2, 4, 8, 16 or 32
export const MANIFEST_MSIX_VECTORS = 74; // 0 to 64; the table lies at the start of BAR `msix bar`, the PBA behind it
export const MANIFEST_INTX_PIN = 76; // 0 none, 1 INTA
export const MANIFEST_MSIX_BAR = 77;
export const MANIFEST_LAYOUT = 78;
export const MANIFEST_MEMORY_PAGES = 80; // of 64 KiB
export const MANIFEST_SCANOUTS = 84;
export const MANIFEST_FUEL = 88;
export const MANIFEST_FUEL_COUNT = 6; // ENTRY_ATTACH to ENTRY_WORK_DONE; those of the state share one, below

export const MANIFEST_BARS = 112;
export const MANIFEST_BAR_COUNT = 6;
export const MANIFEST_BAR_BYTES = 16;
export const BAR_KIND = 0;
export const BAR_SPACE = 1;
export const BAR_PREFETCHABLE = 2;
export const BAR_SIZE_PARAM = 3; // 0xff: size_bytes holds; else the number of the param that gives the size
export const BAR_SIZE_BYTES = 8; // a power of two; memory >= 16, io 4 to 256, ram >= 4096

export const BAR_KIND_NONE = 0;
export const BAR_KIND_TRAP = 1;
export const BAR_KIND_RAM = 2;
export const BAR_KIND_MSIX = 3; // the core's own MSI-X table and PBA; the module never sees it
export const BAR_SPACE_MEMORY32 = 0;
export const BAR_SPACE_MEMORY64 = 1; // takes the next BAR slot too
export const BAR_SPACE_IO = 2;
export const BAR_NO_SIZE_PARAM = 0xff;

export const MANIFEST_PARAMS = 208;
export const MANIFEST_PARAM_COUNT = 12;
export const MANIFEST_PARAM_BYTES = 48;
export const PARAM_NAME = 0;
export const PARAM_NAME_BYTES = 24;
export const PARAM_DEFAULT = 24;
export const PARAM_MIN = 32;
export const PARAM_MAX = 40;

// --- promises: what the module needs at most, and is held to ---
export const MANIFEST_INTERRUPTS_PER_SECOND = 784; // more lose the vGPU (FAULT_PROMISE)
export const MANIFEST_BUFFERS = 788; // handles at a time; 0 without capability "buffer"
export const MANIFEST_BUFFER_BYTES = 792; // of all of them
export const MANIFEST_BUFFER_PIECES = 800; // of all their scatter lists, neighbours joined; set aside at attach
export const MANIFEST_WORKLOADS = 816; // that wait at a time; 0 without capability "work"

// --- capabilities of PCI configuration space that the core only lays out: what lies behind MSI and MSI-X there ---
export const MANIFEST_PCI_CAPABILITIES = 832;
export const MANIFEST_PCI_CAPABILITIES_BYTES = 144; // 0x70 to 0x100; each a multiple of 4

// --- live replacement: 0, 0 and 0 = the module's state cannot be handed over ---
export const MANIFEST_STATE_FORMAT = 804;
export const MANIFEST_STATE_BYTES = 808;
export const MANIFEST_FUEL_STATE = 812;

export const ROLE_DEVICE = 0;
export const ROLE_GPU = 1;
