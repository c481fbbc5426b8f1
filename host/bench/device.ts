// SPDX-License-Identifier: MIT
//
// The device that every row of the benches answers as: the ids of the smallest test module.

import manifest from "../../test/modules/register-file/manifest.json" with { type: "json" };

const hex = (id: string): string => id.replace(/^0x/, "");

/** gb-measure's words for it. */
export const MODULE_IDS = `--device ${hex(manifest.vendor)}:${hex(manifest.device)}`;
