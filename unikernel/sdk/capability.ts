// SPDX-License-Identifier: MIT
//
// What a module may ask of its mediator. Each group needs its word in the manifest's `capabilities`; a module that
// imports more than its manifest asks for is refused by the packer. docs/MODULE_ABI.md has ranges, errors and costs.
//
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
// This rectangle has new contents. Only a hint: what is shown is read from the BAR anyway.
@external("glovebox", "scanout_flush") export declare function scanout_flush(
  scanout: u32, x: u32, y: u32, width: u32, height: u32,
): i32;

// --- capability "log" ---
// One line of text, `len` bytes of ASCII at `ptr`, to the operator; at most 200 bytes, rate-limited.
@external("glovebox", "log") export declare function log(ptr: u32, len: u32): void;
