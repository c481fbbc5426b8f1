// SPDX-License-Identifier: MIT
//
// `glovebox build`: the driver domain's images, the modules, gbctl and friends, the guests' test programs.

import { buildNative } from "../lab/native.js";
import { buildModuleImages, buildUnikernel, type Variant } from "../pipeline/index.js";

const VARIANTS: Variant[] = ["release", "bare", "probe", "panic"];

export type Say = (text: string) => void;

/** What every lab scenario needs; what is unchanged is not made again. */
export async function build(say: Say = () => {}): Promise<void> {
  for (const variant of VARIANTS) await buildUnikernel({ variant, log: say });
  await buildModuleImages(say);
  say("gbctl and the test programs");
  await buildNative();
}

/** The verb. */
export async function buildAndTell(): Promise<void> {
  const toStderr = (text: string): boolean => process.stderr.write(`${text}\n`);
  await build(toStderr);
}
