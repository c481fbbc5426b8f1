// SPDX-License-Identifier: MIT
//
// What the rest of the host may use of the pipeline.

export { type CheckReport, check } from "./check.js";
export type { CheckOptions } from "./check-context.js";
export { compile } from "./compile.js";
export { type Border, coreBorder, MODULE_BORDER } from "./contract.js";
export { PipelineError } from "./error.js";
export { type PackedModule, packModule } from "./gbx.js";
export { type GbxFile, readGbx } from "./gbx-rules.js";
export { buildUnikernel, IMAGE_BYTES_MAX, type Unikernel, type Variant } from "./image.js";
export { FUEL_GLOBAL, instrument } from "./instrument.js";
export { fuelByEntry, type Manifest, parseManifest } from "./manifest.js";
export { encodeManifest } from "./manifest-binary.js";
export { buildModule, prepareCore, prepareModule, prepareWasm } from "./module.js";
export { buildModuleImages, type ModuleImage } from "./module-images.js";
export { MODULES_MAX, makeRamdisk } from "./ramdisk.js";
