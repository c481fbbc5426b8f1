// SPDX-License-Identifier: MIT
//
// The module ABI, version 1-draft: what a device module exports and which imports exist. docs/MODULE_ABI.md is the
// prose. Plain constants only: this file is imported by AssemblyScript and by the TypeScript host alike.

export const MODULE_ABI_VERSION = 1;
/** The wasm import namespace of every capability. */
export const MODULE_IMPORT_NAMESPACE = "glovebox";

// --- capabilities: a bit each; an import may be used only when the manifest asks for its capability ---
export const CAPABILITY_NONE = 0; // always granted: param
export const CAPABILITY_IRQ = 1; // irq_raise
export const CAPABILITY_SCANOUT = 2; // scanout_set, scanout_flush
export const CAPABILITY_LOG = 4; // log

// --- answers of imports (0 = done) ---
export const CAPABILITY_OK = 0;
/** The interrupt is masked or not enabled by the guest; it is pending where the guest can see that. */
export const CAPABILITY_MASKED = 1;
/** What the guest's settings ask for cannot be (a picture outside its BAR, say); nothing has changed. */
export const CAPABILITY_REFUSED = 2;

// --- pixel formats of a scanout: DRM fourcc codes (drm_fourcc.h) ---
export const FORMAT_NONE = 0; // scanout off
export const FORMAT_XRGB8888 = 0x34325258; // 'XR24'
export const FORMAT_RGB888 = 0x34324752; // 'RG24'
export const FORMAT_RGB565 = 0x36314752; // 'RG16'

// --- kinds of `event` ---
/** The guest changed the PCI command register; argument = its new value. */
export const EVENT_PCI_COMMAND = 0;
