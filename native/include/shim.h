/* SPDX-License-Identifier: MIT */
/*
 * The contract between the native shim (C) and the core (WebAssembly).
 *
 * shim_*: what the shim gives the core; each is a wasm import "shim"."<name without shim_>".
 * core_*: what the core gives the shim; each is a wasm export "<name without core_>".
 * unikernel/abi/shim.ts says the same, line for line; test/abi holds the two together.
 *
 * Only integers cross. A `_ptr` is an offset into the core's linear memory; the shim panics when
 * [ptr, ptr + len) is not inside it (that is the core's bug, never a guest's). Calls that can fail return 0 or
 * more for success and a negated Xen errno (xen/errno.h) for failure; nothing stays half done after a failure.
 * The shim decides nothing: it copies, maps, notifies and waits.
 */
#ifndef GLOVEBOX_SHIM_H
#define GLOVEBOX_SHIM_H

#include <stdint.h>

/* --- limits ------------------------------------------------------------------------------------------------ */
#define SHIM_SERVERS_MAX 64
#define SHIM_INSTANCES_MAX 64
#define SHIM_SHARE_PAGES 256
#define SHIM_COPY_BYTES_MAX 4096
#define SHIM_GUEST_COPY_BYTES_MAX 28672
#define SHIM_XENSTORE_PAYLOAD_MAX 4096
#define SHIM_LOG_BYTES_MAX 256
#define SHIM_RECORDS_MAX 66
#define SHIM_RECORD_BYTES_MAX 4080
#define SHIM_MODULES_MAX 32

/* --- how a call into a module instance ended (shim_call_fault) ----------------------------------------------- */
#define FAULT_NONE 0
#define FAULT_FUEL 1
#define FAULT_STACK 2
#define FAULT_MEMORY 3
#define FAULT_ARITHMETIC 4
#define FAULT_UNREACHABLE 5
#define FAULT_TABLE 6
#define FAULT_CAPABILITY 7
#define FAULT_PROMISE 8

/* --- entry points of a module (shim_instance_call) ----------------------------------------------------------- */
#define ENTRY_ATTACH 0
#define ENTRY_RESET 1
#define ENTRY_BAR_READ 2
#define ENTRY_BAR_WRITE 3
#define ENTRY_EVENT 4
#define ENTRY_WORK_DONE 5
#define ENTRY_STATE_BUFFER 6
#define ENTRY_STATE_SAVE 7
#define ENTRY_STATE_RESTORE 8
#define ENTRY_COUNT 9

/* --- flags of core_on_ioreq ---------------------------------------------------------------------------------- */
#define IOREQ_FLAG_READ 1
#define IOREQ_FLAG_DF 2
#define IOREQ_FLAG_DATA_IS_PTR 4

/* --- what a core export answers to a module's import call when the instance must not go on ------------------- */
#define CAPABILITY_FATAL (-0x7fffffff - 1)
#define CAPABILITY_PROMISE -2147483647

/* --- what core_on_idle answers -------------------------------------------------------------------------------- */
#define IDLE_DONE 0
#define IDLE_MORE 1
#define IDLE_POLLS 2

/* --- why core_on_start is called (shim_restart) --------------------------------------------------------------- */
#define RESTART_NONE 0
#define RESTART_KEEP 1
#define RESTART_LOSE 2

/* --- life, time, talk ---------------------------------------------------------------------------------------- */
/* Our bug: print code and detail, restart in place (docs/decisions/0008). Does not return. */
void shim_panic(uint32_t code, uint64_t detail);
/* One line of text, without its newline, to the domain's console; at most SHIM_LOG_BYTES_MAX. */
void shim_log(uint32_t text_ptr, uint32_t len);
/* The domain's command line (start_info.cmd_line) copied to dst; returns its length, at most max. */
int32_t shim_command_line(uint32_t dst_ptr, uint32_t max);
/* Xen system time, ns since the machine's boot. */
uint64_t shim_time_ns(void);
/* Wall-clock time, ns since 1970-01-01 UTC. */
uint64_t shim_wall_ns(void);
/* Arm the one-shot timer for an absolute system time; 0 disarms it. It ends in core_on_timer. */
void shim_set_timer(uint64_t deadline_ns);
/* Before blocking, look for events for this long; 0 = block at once. */
void shim_set_busy_wait(uint64_t busy_ns);
/* Figures of the domain itself, by STAT_*; unknown numbers give 0. */
uint64_t shim_stat(uint32_t which);

#define STAT_ENTRY_NS 0
#define STAT_READY_NS 1
#define STAT_IMAGE_BYTES 2
#define STAT_MEMORY_PAGES 3
#define STAT_EVENTS 4
#define STAT_BLOCKS 5
#define STAT_CONSOLE_DROPPED 6
#define STAT_ARENA_PAGES_USED 7
#define STAT_RESTARTS 8
#define STAT_PANIC_NS 9
/* The time that our vCPU had a processor: of two readings the difference, without what Xen gave to others between. */
#define STAT_RUN_NS 10

/* --- restart in place: what outlives a panic of ours ---------------------------------------------------------- */
/* NONE: the first start. KEEP: a panic, take up what was saved. LOSE: two in a short window, lose all by name. */
uint32_t shim_restart(void);
/* The last panic in words, copied to dst; returns their length, at most max; 0: there was none. */
int32_t shim_panic_words(uint32_t dst_ptr, uint32_t max);
/* Keep len bytes (at most SHIM_RECORD_BYTES_MAX) as record number `record` beyond a restart; len 0 forgets it. */
int32_t shim_save(uint32_t record, uint32_t src_ptr, uint32_t len);
/* What was saved last under that number; returns its length, 0: nothing. -EIO: it is damaged. */
int32_t shim_saved(uint32_t record, uint32_t dst_ptr, uint32_t max);
/* In core_on_start after a restart: take the instance on, with a new tag. -EIO: it ran a call when we panicked;
 * -ENOENT: there is none like that. Instances and servers that nobody took on are gone when core_on_start is over. */
int32_t shim_instance_adopt(uint32_t instance, uint32_t module, uint32_t tag);

/* --- xenstore: one message at a time, answers by core_on_xenstore ------------------------------------------- */
/* Send one message (xen/io/xs_wire.h type, payload); -EAGAIN while the ring has no room. tx is always 0. */
int32_t shim_xenstore_send(uint32_t type, uint32_t req_id, uint32_t payload_ptr, uint32_t len);

/* --- ioreq servers: one per guest ---------------------------------------------------------------------------- */
/* Create a server on the guest and map its ioreq page; answers a server handle. tag comes back in core_on_ioreq.
 * In core_on_start after a restart: the server that the guest had, ranges and all; those not mapped again go. */
int32_t shim_ioreq_server_create(uint32_t domid, uint32_t tag);
/* Bind one event channel per vCPU and enable; from here on requests arrive. Answers the number of vCPUs. */
int32_t shim_ioreq_server_enable(uint32_t server);
/* Complete what is pending with all ones, then give everything back. Works on a guest that is dead, too. */
int32_t shim_ioreq_server_destroy(uint32_t server);
/* Claim [start, end] (inclusive); type is XEN_DMOP_IO_RANGE_PORT, _MEMORY or _PCI. */
int32_t shim_ioreq_range_map(uint32_t server, uint32_t type, uint64_t start, uint64_t end);
int32_t shim_ioreq_range_unmap(uint32_t server, uint32_t type, uint64_t start, uint64_t end);

/* --- guest memory -------------------------------------------------------------------------------------------- */
/*
 * Copy len bytes (at most SHIM_COPY_BYTES_MAX, page crossings allowed) from guest-physical gpa into the core; after a
 * failure the bytes at dst_ptr are anything.
 */
int32_t shim_guest_read(uint32_t domid, uint64_t gpa, uint32_t dst_ptr, uint32_t len);
/* The other way. */
int32_t shim_guest_write(uint32_t domid, uint64_t gpa, uint32_t src_ptr, uint32_t len);
/* Copy len bytes (at most SHIM_GUEST_COPY_BYTES_MAX) within one guest; where they overlap as memmove does. */
int32_t shim_guest_copy(uint32_t domid, uint64_t dst_gpa, uint64_t src_gpa, uint32_t len);
/* Give the guest fresh RAM at gfn (XENMEM_populate_physmap); answers the pages that Xen did, maybe fewer than asked. */
int32_t shim_guest_populate(uint32_t domid, uint64_t gfn, uint32_t nr_pages);
/* Take RAM at gfn from the guest (XENMEM_decrease_reservation); answers the pages that Xen did. */
int32_t shim_guest_depopulate(uint32_t domid, uint64_t gfn, uint32_t nr_pages);
/* Move nr_pages of the guest from src_gfn to dst_gfn with their contents (XEN_DMOP_relocate_memory). */
int32_t shim_guest_relocate(uint32_t domid, uint64_t src_gfn, uint64_t dst_gfn, uint32_t nr_pages);
/* CRC-32 (IEEE 802.3, as zlib's) of rows of row_bytes every stride bytes, continuing from crc; >= 0 or -errno. */
int64_t shim_guest_crc32(uint32_t domid, uint64_t gpa, uint32_t row_bytes, uint32_t stride, uint32_t rows,
                         uint32_t crc);

/* --- interrupts ---------------------------------------------------------------------------------------------- */
int32_t shim_inject_msi(uint32_t domid, uint64_t address, uint32_t data);
int32_t shim_set_pci_intx_level(uint32_t domid, uint32_t device, uint32_t intx, uint32_t level);

/* --- the share: SHIM_SHARE_PAGES pages of ours that another domain may read -------------------------------- */
/* Grant the first nr_pages, read-only, to domid; answers the first of nr_pages consecutive grefs. */
int32_t shim_share_grant(uint32_t domid, uint32_t nr_pages);
/* Take the grants back; -EBUSY while the other side still has a page mapped. */
int32_t shim_share_revoke(void);
/* Copy len bytes from the guest to share_offset. */
int32_t shim_share_copy_guest(uint32_t domid, uint64_t gpa, uint32_t share_offset, uint32_t len);
/* Copy len bytes from the core's memory to share_offset. */
int32_t shim_share_write(uint32_t share_offset, uint32_t src_ptr, uint32_t len);

/* --- modules and their instances ----------------------------------------------------------------------------- */
/* Modules have slots, 0 to SHIM_MODULES_MAX - 1. One that is loaded later may take the slot of one that is gone, but
 * has a higher serial number. The binary manifest (unikernel/abi/manifest.ts) copied to dst; answers its length.
 * -ENOENT, here and below: the slot is free. */
int32_t shim_module_manifest(uint32_t module, uint32_t dst_ptr, uint32_t max);
/* What else is known of it: MODULE_FACTS_BYTES bytes to dst. */
int32_t shim_module_facts(uint32_t module, uint32_t dst_ptr);
/* Why the nth refused file of the ramdisk was refused, "name: words"; their length, at most max; 0: no more. */
int32_t shim_module_refusal(uint32_t nth, uint32_t dst_ptr, uint32_t max);
/* Load a .gbx file of `bytes` bytes out of pages that domid granted; the directory page holds their grefs. Answers the
 * slot; -ENOEXEC: refused for what it is. */
int32_t shim_module_load(uint32_t domid, uint32_t directory_gref, uint32_t bytes);
/* Why the last shim_module_load was refused, in words; 0: there is only the errno. */
int32_t shim_module_load_words(uint32_t dst_ptr, uint32_t max);
/* -EBUSY: it has instances. */
int32_t shim_module_unload(uint32_t module);

/* Facts by offset: numbers of 32 bits, the BLAKE2b-512 of the .gbx file, the SHA-256 of the vendor's .wasm file. */
#define MODULE_FACTS_BYTES 120
#define MODULE_FACT_SERIAL 0
#define MODULE_FACT_ORIGIN 4
#define MODULE_FACT_INSTANCES 8
#define MODULE_FACT_GBX_BYTES 12
#define MODULE_FACT_IMAGE_PAGES 16
#define MODULE_FACT_GBX_BLAKE2B 24
#define MODULE_FACT_WASM_SHA256 88
#define MODULE_FROM_RAMDISK 0
#define MODULE_FROM_LIVE 1

/* A fresh instance; tag comes back in the core exports that serve the module's imports. Answers a handle. */
int32_t shim_instance_create(uint32_t module, uint32_t tag);
/* Memory and globals as after creation. This and the next: -EBUSY while the instance runs a call. */
int32_t shim_instance_reset(uint32_t instance);
int32_t shim_instance_destroy(uint32_t instance);
/* Call one entry point with a budget of fuel. The answer counts only when shim_call_fault() is FAULT_NONE. An
 * entry point that the module does not export is FAULT_NONE and 0. */
uint64_t shim_instance_call(uint32_t instance, uint32_t entry, uint32_t fuel, uint64_t a, uint64_t b, uint64_t c,
                            uint64_t d);
/* CRC-32 over the whole state: the memory, then each mutable global but __fuel in the order of its number, 4 or 8
 * bytes little-endian. The same module after the same calls has the same on every machine. */
uint32_t shim_instance_hash(uint32_t instance);
/* Copy len bytes between two instances' memories; -EINVAL: outside of one of them. -EBUSY as above. */
int32_t shim_instance_copy(uint32_t dst, uint32_t dst_ptr, uint32_t src, uint32_t src_ptr, uint32_t len);
/* How the last shim_instance_call ended, and the fuel it took. */
uint32_t shim_call_fault(void);
uint32_t shim_call_fuel(void);

/* --- what the core exports to the shim ------------------------------------------------------------------------ */
void core_on_start(void);
/* One ioreq, already a private copy. Answers the data for a read (ignored otherwise). */
uint64_t core_on_ioreq(uint32_t tag, uint32_t vcpu, uint32_t type, uint32_t flags, uint64_t addr, uint64_t data,
                       uint32_t count, uint32_t size);
/* One xenstore message; its payload (len bytes) is at core_xenstore_buffer(). */
void core_on_xenstore(uint32_t type, uint32_t req_id, uint32_t len);
void core_on_timer(void);
/* A bounded slice of background work. MORE: call again after looking at events; POLLS: the same, but whoever else
 * wants the pCPU goes first. */
uint32_t core_on_idle(void);
uint32_t core_xenstore_buffer(void);
uint32_t core_log_buffer(void);
/* SHIM_COPY_BYTES_MAX bytes for what modules' imports carry in and out. */
uint32_t core_transfer_buffer(void);

/* --- what the core exports to serve modules' imports; tag is the instance's ----------------------------------- */
int32_t core_irq_raise(uint32_t tag, uint32_t vector);
int32_t core_scanout_set(uint32_t tag, uint32_t scanout, uint32_t bar, uint64_t offset, uint32_t width,
                         uint32_t height, uint32_t stride, uint32_t format);
int32_t core_scanout_flush(uint32_t tag, uint32_t scanout, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
int32_t core_scanout_set_buffer(uint32_t tag, uint32_t scanout, uint32_t buffer, uint64_t offset, uint32_t width,
                                uint32_t height, uint32_t stride, uint32_t format);
int32_t core_cursor_set(uint32_t tag, uint32_t scanout, uint32_t buffer, uint64_t offset, uint32_t width,
                        uint32_t height, uint32_t stride, uint32_t format);
int32_t core_cursor_move(uint32_t tag, uint32_t scanout, int32_t x, int32_t y);
/* len bytes (at most SHIM_COPY_BYTES_MAX) from the guest to core_transfer_buffer(), and the other way. */
int32_t core_guest_read(uint32_t tag, uint64_t gpa, uint32_t len);
int32_t core_guest_write(uint32_t tag, uint64_t gpa, uint32_t len);
/* count entries {gpa u64, bytes u64} are at core_transfer_buffer(). Answers a handle, always below 2^31, or 0. */
int32_t core_buffer_create(uint32_t tag, uint32_t count);
int32_t core_buffer_append(uint32_t tag, uint32_t buffer, uint32_t count);
int32_t core_buffer_bar(uint32_t tag, uint32_t bar, uint64_t offset, uint64_t bytes);
int32_t core_buffer_destroy(uint32_t tag, uint32_t buffer);
int32_t core_work_copy(uint32_t tag, uint32_t engine, uint64_t cookie, uint32_t dst, uint64_t dst_offset,
                       uint32_t dst_stride, uint32_t src, uint64_t src_offset, uint32_t src_stride, uint32_t row_bytes,
                       uint32_t rows);
int32_t core_work_fence(uint32_t tag, uint32_t engine, uint64_t cookie);
/* len bytes (at most SHIM_COPY_BYTES_MAX) from the buffer to core_transfer_buffer(), and the other way. */
int32_t core_buffer_read(uint32_t tag, uint32_t buffer, uint64_t offset, uint32_t len);
int32_t core_buffer_write(uint32_t tag, uint32_t buffer, uint64_t offset, uint32_t len);
int32_t core_buffer_copy(uint32_t tag, uint32_t dst, uint64_t dst_offset, uint32_t dst_stride, uint32_t src,
                         uint64_t src_offset, uint32_t src_stride, uint32_t row_bytes, uint32_t rows);
int32_t core_poll(uint32_t tag, uint64_t ns);
/* len bytes of text, copied out of the module, are at core_log_buffer(). */
int32_t core_log(uint32_t tag, uint32_t len);
/* The value of the module's manifest parameter number `key` for this vGPU. */
uint64_t core_param(uint32_t tag, uint32_t key);

#endif
