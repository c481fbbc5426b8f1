// SPDX-License-Identifier: MIT
//
// Every hostile module that must be refused before it runs. (What only shows at run time is contained: those modules
// are others.)

import { BORDER } from "./border.js";
import type { Hostile } from "./builder.js";
import { INSTRUCTIONS } from "./instructions.js";
import { MANIFESTS } from "./manifests.js";
import { MEMORIES } from "./memories.js";
import { SIZES } from "./sizes.js";
import { STRUCTURE } from "./structure.js";
import { TABLES } from "./tables.js";

export const HOSTILE: Hostile[] = [
  ...STRUCTURE,
  ...INSTRUCTIONS,
  ...BORDER,
  ...MEMORIES,
  ...TABLES,
  ...MANIFESTS,
  ...SIZES,
];
