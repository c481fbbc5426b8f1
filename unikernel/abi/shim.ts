// SPDX-License-Identifier: MIT
//
// The contract between the core (WebAssembly) and the native shim (C): native/include/shim.h, line for line
// (test/abi holds the two together). Read the meaning of each call there as well as here.

// --- limits ---
export const SHIM_SERVERS_MAX = 64;
export const SHIM_INSTANCES_MAX = 64;
export const SHIM_SHARE_PAGES = 256;
export const SHIM_COPY_BYTES_MAX = 4096;
export const SHIM_GUEST_COPY_BYTES_MAX = 28672;
export const SHIM_XENSTORE_PAYLOAD_MAX = 4096;
export const SHIM_LOG_BYTES_MAX = 256;
export const SHIM_RECORDS_MAX = 66;
export const SHIM_RECORD_BYTES_MAX = 4080;
export const SHIM_MODULES_MAX = 32;

// --- how a call into a module instance ended (shim_call_fault) ---
export const FAULT_NONE = 0;
export const FAULT_FUEL = 1;
export const FAULT_STACK = 2;
export const FAULT_MEMORY = 3;
export const FAULT_ARITHMETIC = 4;
export const FAULT_UNREACHABLE = 5;
export const FAULT_TABLE = 6;
export const FAULT_CAPABILITY = 7;
export const FAULT_PROMISE = 8;

// --- entry points of a module (shim_instance_call) ---
export const ENTRY_ATTACH = 0;
export const ENTRY_RESET = 1;
export const ENTRY_BAR_READ = 2;
export const ENTRY_BAR_WRITE = 3;
export const ENTRY_EVENT = 4;
export const ENTRY_WORK_DONE = 5;
export const ENTRY_STATE_BUFFER = 6;
export const ENTRY_STATE_SAVE = 7;
export const ENTRY_STATE_RESTORE = 8;
export const ENTRY_COUNT = 9;

// --- flags of core_on_ioreq ---
export const IOREQ_FLAG_READ = 1;
export const IOREQ_FLAG_DF = 2;
export const IOREQ_FLAG_DATA_IS_PTR = 4;

// --- what a core export answers to a module's import call when the instance must not go on ---
export const CAPABILITY_FATAL = (-0x7fffffff - 1);
export const CAPABILITY_PROMISE = -2147483647;

// --- what core_on_idle answers ---
export const IDLE_DONE = 0;
export const IDLE_MORE = 1;
export const IDLE_POLLS = 2;

// --- why core_on_start is called (shim_restart) ---
export const RESTART_NONE = 0;
export const RESTART_KEEP = 1;
export const RESTART_LOSE = 2;

// --- life, time, talk ---
// Our bug: print code and detail, restart in place (docs/decisions/0008). Does not return.
@external("shim", "panic") export declare function shim_panic(code: u32, detail: u64): void;
// One line of text, without its newline, to the domain's console; at most SHIM_LOG_BYTES_MAX.
@external("shim", "log") export declare function shim_log(text_ptr: u32, len: u32): void;
// The domain's command line (start_info.cmd_line) copied to dst; returns its length, at most max.
@external("shim", "command_line") export declare function shim_command_line(dst_ptr: u32, max: u32): i32;
// Xen system time, ns since the machine's boot.
@external("shim", "time_ns") export declare function shim_time_ns(): u64;
// Wall-clock time, ns since 1970-01-01 UTC.
@external("shim", "wall_ns") export declare function shim_wall_ns(): u64;
// Arm the one-shot timer for an absolute system time; 0 disarms it. It ends in core_on_timer.
@external("shim", "set_timer") export declare function shim_set_timer(deadline_ns: u64): void;
// Before blocking, look for events for this long; 0 = block at once.
@external("shim", "set_busy_wait") export declare function shim_set_busy_wait(busy_ns: u64): void;
// Figures of the domain itself, by STAT_*; unknown numbers give 0.
@external("shim", "stat") export declare function shim_stat(which: u32): u64;

export const STAT_ENTRY_NS = 0;
export const STAT_READY_NS = 1;
export const STAT_IMAGE_BYTES = 2;
export const STAT_MEMORY_PAGES = 3;
export const STAT_EVENTS = 4;
export const STAT_BLOCKS = 5;
export const STAT_CONSOLE_DROPPED = 6;
export const STAT_ARENA_PAGES_USED = 7;
export const STAT_RESTARTS = 8;
export const STAT_PANIC_NS = 9;
// The time that our vCPU had a processor: of two readings the difference, without what Xen gave to others between.
export const STAT_RUN_NS = 10;

// --- restart in place: what outlives a panic of ours ---
// NONE: the first start. KEEP: a panic, take up what was saved. LOSE: two in a short window, lose all by name.
@external("shim", "restart") export declare function shim_restart(): u32;
// The last panic in words, copied to dst; returns their length, at most max; 0: there was none.
@external("shim", "panic_words") export declare function shim_panic_words(dst_ptr: u32, max: u32): i32;
// Keep len bytes (at most SHIM_RECORD_BYTES_MAX) as record number `record` beyond a restart; len 0 forgets it.
@external("shim", "save") export declare function shim_save(record: u32, src_ptr: u32, len: u32): i32;
// What was saved last under that number; returns its length, 0: nothing. -EIO: it is damaged.
@external("shim", "saved") export declare function shim_saved(record: u32, dst_ptr: u32, max: u32): i32;
// In core_on_start after a restart: take the instance on, with a new tag. -EIO: it ran a call when we panicked;
// -ENOENT: there is none like that. Instances and servers that nobody took on are gone when core_on_start is over.
@external("shim", "instance_adopt")
export declare function shim_instance_adopt(instance: u32, module: u32, tag: u32): i32;

// --- xenstore: one message at a time, answers by core_on_xenstore ---
// Send one message (xen/io/xs_wire.h type, payload); -EAGAIN while the ring has no room. tx is always 0.
@external("shim", "xenstore_send")
export declare function shim_xenstore_send(type: u32, req_id: u32, payload_ptr: u32, len: u32): i32;

// --- ioreq servers: one per guest ---
// Create a server on the guest and map its ioreq page; answers a server handle. tag comes back in core_on_ioreq.
// In core_on_start after a restart: the server that the guest had, ranges and all; those not mapped again go.
@external("shim", "ioreq_server_create") export declare function shim_ioreq_server_create(domid: u32, tag: u32): i32;
// Bind one event channel per vCPU and enable; from here on requests arrive. Answers the number of vCPUs.
@external("shim", "ioreq_server_enable") export declare function shim_ioreq_server_enable(server: u32): i32;
// Complete what is pending with all ones, then give everything back. Works on a guest that is dead, too.
@external("shim", "ioreq_server_destroy") export declare function shim_ioreq_server_destroy(server: u32): i32;
// Claim [start, end] (inclusive); type is XEN_DMOP_IO_RANGE_PORT, _MEMORY or _PCI.
@external("shim", "ioreq_range_map")
export declare function shim_ioreq_range_map(server: u32, type: u32, start: u64, end: u64): i32;
@external("shim", "ioreq_range_unmap")
export declare function shim_ioreq_range_unmap(server: u32, type: u32, start: u64, end: u64): i32;

// --- guest memory ---
// Copy len bytes (at most SHIM_COPY_BYTES_MAX, page crossings allowed) from guest-physical gpa into the core; after a
// failure the bytes at dst_ptr are anything.
@external("shim", "guest_read")
export declare function shim_guest_read(domid: u32, gpa: u64, dst_ptr: u32, len: u32): i32;
// The other way.
@external("shim", "guest_write")
export declare function shim_guest_write(domid: u32, gpa: u64, src_ptr: u32, len: u32): i32;
// Copy len bytes (at most SHIM_GUEST_COPY_BYTES_MAX) within one guest; where they overlap as memmove does.
@external("shim", "guest_copy")
export declare function shim_guest_copy(domid: u32, dst_gpa: u64, src_gpa: u64, len: u32): i32;
// Give the guest fresh RAM at gfn (XENMEM_populate_physmap); answers the pages that Xen did, maybe fewer than asked.
@external("shim", "guest_populate")
export declare function shim_guest_populate(domid: u32, gfn: u64, nr_pages: u32): i32;
// Take RAM at gfn from the guest (XENMEM_decrease_reservation); answers the pages that Xen did.
@external("shim", "guest_depopulate")
export declare function shim_guest_depopulate(domid: u32, gfn: u64, nr_pages: u32): i32;
// Move nr_pages of the guest from src_gfn to dst_gfn with their contents (XEN_DMOP_relocate_memory).
@external("shim", "guest_relocate")
export declare function shim_guest_relocate(domid: u32, src_gfn: u64, dst_gfn: u64, nr_pages: u32): i32;
// CRC-32 (IEEE 802.3, as zlib's) of rows of row_bytes every stride bytes, continuing from crc; >= 0 or -errno.
@external("shim", "guest_crc32")
export declare function shim_guest_crc32(domid: u32, gpa: u64, row_bytes: u32, stride: u32, rows: u32, crc: u32): i64;

// --- interrupts ---
@external("shim", "inject_msi") export declare function shim_inject_msi(domid: u32, address: u64, data: u32): i32;
@external("shim", "set_pci_intx_level")
export declare function shim_set_pci_intx_level(domid: u32, device: u32, intx: u32, level: u32): i32;

// --- the share: SHIM_SHARE_PAGES pages of ours that another domain may read ---
// Grant the first nr_pages, read-only, to domid; answers the first of nr_pages consecutive grefs.
@external("shim", "share_grant") export declare function shim_share_grant(domid: u32, nr_pages: u32): i32;
// Take the grants back; -EBUSY while the other side still has a page mapped.
@external("shim", "share_revoke") export declare function shim_share_revoke(): i32;
// Copy len bytes from the guest to share_offset.
@external("shim", "share_copy_guest")
export declare function shim_share_copy_guest(domid: u32, gpa: u64, share_offset: u32, len: u32): i32;
// Copy len bytes from the core's memory to share_offset.
@external("shim", "share_write")
export declare function shim_share_write(share_offset: u32, src_ptr: u32, len: u32): i32;

// --- modules and their instances ---
// Modules have slots, 0 to SHIM_MODULES_MAX - 1. One that is loaded later may take the slot of one that is gone, but
// has a higher serial number. The binary manifest (unikernel/abi/manifest.ts) copied to dst; answers its length.
// -ENOENT, here and below: the slot is free.
@external("shim", "module_manifest")
export declare function shim_module_manifest(module: u32, dst_ptr: u32, max: u32): i32;
// What else is known of it: MODULE_FACTS_BYTES bytes to dst.
@external("shim", "module_facts") export declare function shim_module_facts(module: u32, dst_ptr: u32): i32;
// Why the nth refused file of the ramdisk was refused, "name: words"; their length, at most max; 0: no more.
@external("shim", "module_refusal")
export declare function shim_module_refusal(nth: u32, dst_ptr: u32, max: u32): i32;
// Load a .gbx file of `bytes` bytes out of pages that domid granted; the directory page holds their grefs. Answers
// the slot; -ENOEXEC: refused for what it is.
@external("shim", "module_load")
export declare function shim_module_load(domid: u32, directory_gref: u32, bytes: u32): i32;
// Why the last shim_module_load was refused, in words; 0: there is only the errno.
@external("shim", "module_load_words") export declare function shim_module_load_words(dst_ptr: u32, max: u32): i32;
// -EBUSY: it has instances.
@external("shim", "module_unload") export declare function shim_module_unload(module: u32): i32;
// Facts by offset: numbers of 32 bits, the BLAKE2b-512 of the .gbx file, the SHA-256 of the vendor's .wasm file.
export const MODULE_FACTS_BYTES = 120;
export const MODULE_FACT_SERIAL = 0;
export const MODULE_FACT_ORIGIN = 4;
export const MODULE_FACT_INSTANCES = 8;
export const MODULE_FACT_GBX_BYTES = 12;
export const MODULE_FACT_IMAGE_PAGES = 16;
export const MODULE_FACT_GBX_BLAKE2B = 24;
export const MODULE_FACT_WASM_SHA256 = 88;
export const MODULE_FROM_RAMDISK = 0;
export const MODULE_FROM_LIVE = 1;

// A fresh instance; tag comes back in the core exports that serve the module's imports. Answers a handle.
@external("shim", "instance_create") export declare function shim_instance_create(module: u32, tag: u32): i32;
// Memory and globals as after creation. This and the next: -EBUSY while the instance runs a call.
@external("shim", "instance_reset") export declare function shim_instance_reset(instance: u32): i32;
@external("shim", "instance_destroy") export declare function shim_instance_destroy(instance: u32): i32;
// Call one entry point with a budget of fuel. The answer counts only when shim_call_fault() is FAULT_NONE. An
// entry point that the module does not export is FAULT_NONE and 0.
@external("shim", "instance_call")
export declare function shim_instance_call(instance: u32, entry: u32, fuel: u32, a: u64, b: u64, c: u64, d: u64): u64;
// CRC-32 over the whole state: the memory, then each mutable global but __fuel in the order of its number, 4 or 8
// bytes little-endian. The same module after the same calls has the same on every machine.
@external("shim", "instance_hash") export declare function shim_instance_hash(instance: u32): u32;
// Copy len bytes between two instances' memories; -EINVAL: outside of one of them. -EBUSY as above.
@external("shim", "instance_copy")
export declare function shim_instance_copy(dst: u32, dst_ptr: u32, src: u32, src_ptr: u32, len: u32): i32;
// How the last shim_instance_call ended, and the fuel it took.
@external("shim", "call_fault") export declare function shim_call_fault(): u32;
@external("shim", "call_fuel") export declare function shim_call_fuel(): u32;

// --- what the core exports to the shim ---
// export function on_start(): void;
// One ioreq, already a private copy. Answers the data for a read (ignored otherwise).
// export function on_ioreq(tag: u32, vcpu: u32, type: u32, flags: u32, addr: u64, data: u64, count: u32,
//   size: u32): u64;
// One xenstore message; its payload (len bytes) is at core_xenstore_buffer().
// export function on_xenstore(type: u32, req_id: u32, len: u32): void;
// export function on_timer(): void;
// A bounded slice of background work. MORE: call again after looking at events; POLLS: the same, but whoever else
// wants the pCPU goes first.
// export function on_idle(): u32;
// export function xenstore_buffer(): u32;
// export function log_buffer(): u32;
// SHIM_COPY_BYTES_MAX bytes for what modules' imports carry in and out.
// export function transfer_buffer(): u32;

// --- what the core exports to serve modules' imports; tag is the instance's ---
// export function irq_raise(tag: u32, vector: u32): i32;
// export function scanout_set(tag: u32, scanout: u32, bar: u32, offset: u64, width: u32, height: u32, stride: u32,
//   format: u32): i32;
// export function scanout_flush(tag: u32, scanout: u32, x: u32, y: u32, width: u32, height: u32): i32;
// export function scanout_set_buffer(tag: u32, scanout: u32, buffer: u32, offset: u64, width: u32, height: u32,
//   stride: u32, format: u32): i32;
// export function cursor_set(tag: u32, scanout: u32, buffer: u32, offset: u64, width: u32, height: u32, stride: u32,
//   format: u32): i32;
// export function cursor_move(tag: u32, scanout: u32, x: i32, y: i32): i32;
// len bytes (at most SHIM_COPY_BYTES_MAX) from the guest to core_transfer_buffer(), and the other way.
// export function guest_read(tag: u32, gpa: u64, len: u32): i32;
// export function guest_write(tag: u32, gpa: u64, len: u32): i32;
// count entries {gpa u64, bytes u64} are at core_transfer_buffer(). Answers a handle, always below 2^31, or 0.
// export function buffer_create(tag: u32, count: u32): i32;
// export function buffer_append(tag: u32, buffer: u32, count: u32): i32;
// export function buffer_bar(tag: u32, bar: u32, offset: u64, bytes: u64): i32;
// export function buffer_destroy(tag: u32, buffer: u32): i32;
// export function work_copy(tag: u32, engine: u32, cookie: u64, dst: u32, dst_offset: u64, dst_stride: u32, src: u32,
//   src_offset: u64, src_stride: u32, row_bytes: u32, rows: u32): i32;
// export function work_fence(tag: u32, engine: u32, cookie: u64): i32;
// len bytes (at most SHIM_COPY_BYTES_MAX) from the buffer to core_transfer_buffer(), and the other way.
// export function buffer_read(tag: u32, buffer: u32, offset: u64, len: u32): i32;
// export function buffer_write(tag: u32, buffer: u32, offset: u64, len: u32): i32;
// export function buffer_copy(tag: u32, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64,
//   src_stride: u32, row_bytes: u32, rows: u32): i32;
// export function poll(tag: u32, ns: u64): i32;
// len bytes of text, copied out of the module, are at core_log_buffer().
// export function log(tag: u32, len: u32): i32;
// The value of the module's manifest parameter number `key` for this vGPU.
// export function param(tag: u32, key: u32): u64;
