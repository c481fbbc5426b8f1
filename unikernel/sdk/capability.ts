// SPDX-License-Identifier: MIT
//
// What a module may ask of its mediator. Each group needs its word in the manifest's `capabilities`; a module that
// imports more than its manifest asks for is refused by the packer. docs/MODULE_ABI.md has ranges, errors and costs.
//
// Answers are CAPABILITY_OK (0) or a reason why it was not done; the module goes on. A handle of 0 is BUFFER_NONE.
// A wrong argument ends the call and the device instance with it (fault "capability"): check first, then ask.

// --- always there ---
// The value of parameter number `key` (its place in the manifest's `params`) for this device.
@external("glovebox", "param") export declare function param(key: u32): u64;

// --- capability "irq" ---
// Raise MSI or MSI-X vector `vector`, or pulse INTx when neither is enabled. CAPABILITY_OK or CAPABILITY_MASKED.
@external("glovebox", "irq_raise") export declare function irq_raise(vector: u32): i32;

// --- capability "scanout" ---
// From now on scanout `scanout` shows height rows of width pixels, stride bytes apart, at `offset` of ram BAR `bar`.
// FORMAT_NONE switches it off; the other arguments are then ignored.
@external("glovebox", "scanout_set") export declare function scanout_set(
  scanout: u32, bar: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32;
// The same from byte `offset` of a buffer (capability "buffer", too). FORMAT_NONE switches it off. When the buffer is
// destroyed the scanout is off.
@external("glovebox", "scanout_set_buffer") export declare function scanout_set_buffer(
  scanout: u32, buffer: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32;
// This rectangle has new contents. Only a hint: what is shown is read from the BAR anyway.
@external("glovebox", "scanout_flush") export declare function scanout_flush(
  scanout: u32, x: u32, y: u32, width: u32, height: u32,
): i32;

// A cursor over the scanout (capability "buffer", too): a picture in a buffer, at most CURSOR_EXTENT_MAX each way, in
// FORMAT_ARGB8888, colours premultiplied by alpha. FORMAT_NONE hides it. When the buffer is destroyed it is hidden.
@external("glovebox", "cursor_set") export declare function cursor_set(
  scanout: u32, buffer: u32, offset: u64, width: u32, height: u32, stride: u32, format: u32,
): i32;
// Where its upper left corner stands, in the scanout's pixels; also while it is hidden.
@external("glovebox", "cursor_move") export declare function cursor_move(scanout: u32, x: i32, y: i32): i32;

// --- capability "log" ---
// One line of text, `len` bytes of ASCII at `ptr`, to the operator; at most 256 bytes, rate-limited.
@external("glovebox", "log") export declare function log(ptr: u32, len: u32): void;

// --- capability "work": copies that are too much for one call, run by an engine behind the module's back ---
// As buffer_copy, without its limit, later: work_done(cookie, WORK_*) tells when. Workloads of one engine are done in
// the order in which they were asked for. CAPABILITY_BUSY: the queue is full (quotas.workloads); CAPABILITY_REFUSED:
// rows leave a buffer. The buffers may be destroyed meanwhile (WORK_FAILED).
@external("glovebox", "work_copy") export declare function work_copy(
  engine: u32, cookie: u64, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32,
  row_bytes: u32, rows: u32,
): i32;
// Nothing to do, but done only after all that was asked for before.
@external("glovebox", "work_fence") export declare function work_fence(engine: u32, cookie: u64): i32;

// --- capability "memory": the guest's RAM, copied; len at most TRANSFER_BYTES_MAX ---
// [gpa, gpa + len) of the guest to `ptr`. CAPABILITY_REFUSED: that is not RAM of this guest; nothing was copied.
@external("glovebox", "guest_read") export declare function guest_read(gpa: u64, ptr: u32, len: u32): i32;
// The other way.
@external("glovebox", "guest_write") export declare function guest_write(gpa: u64, ptr: u32, len: u32): i32;

// --- capability "buffer": handles for memory that is too much to copy ---
// A buffer of the pieces in the list at `list_ptr`: `count` entries {gpa u64, bytes u64}, at most LIST_ENTRIES_MAX.
// They follow each other in the buffer. No entries: an empty one. BUFFER_NONE: refused (a quota of the manifest, a
// piece that is empty or not addressable, one in the middle that is shorter than a page).
@external("glovebox", "buffer_create") export declare function buffer_create(list_ptr: u32, count: u32): u32;
// More pieces at its end; all of them or, CAPABILITY_REFUSED, none.
@external("glovebox", "buffer_append") export declare function buffer_append(
  buffer: u32, list_ptr: u32, count: u32,
): i32;
// `bytes` from byte `offset` of the own `ram` BAR `bar` as a buffer. BUFFER_NONE: a quota, or it leaves the BAR.
@external("glovebox", "buffer_bar") export declare function buffer_bar(bar: u32, offset: u64, bytes: u64): u32;
// The handle is stale from here on; a scanout that shows the buffer is off.
@external("glovebox", "buffer_destroy") export declare function buffer_destroy(buffer: u32): i32;
// len bytes, at most TRANSFER_BYTES_MAX, from byte `offset` of the buffer to `ptr`. CAPABILITY_REFUSED: they leave the
// buffer, or the guest has no RAM there.
@external("glovebox", "buffer_read") export declare function buffer_read(
  buffer: u32, offset: u64, ptr: u32, len: u32,
): i32;
// The other way.
@external("glovebox", "buffer_write") export declare function buffer_write(
  buffer: u32, offset: u64, ptr: u32, len: u32,
): i32;
// rows of row_bytes, the strides apart, from one buffer into another (or the same), together at most
// BUFFER_COPY_BYTES_MAX. CAPABILITY_REFUSED: rows leave a buffer (nothing was copied), or a page was not there.
@external("glovebox", "buffer_copy") export declare function buffer_copy(
  dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64, src_stride: u32, row_bytes: u32, rows: u32,
): i32;

// --- capability "poll" ---
// Call event(EVENT_POLL) again and again for the next `ns`, once at least; the last time with argument 1. 0: no more.
@external("glovebox", "poll") export declare function poll(ns: u64): i32;
