// SPDX-License-Identifier: MIT
//
// `glovebox check FILE`: all reasons why a module is refused, for people or as JSON.
//
//   {"file": "x.wasm", "accepted": false, "reasons": [{"rule", "offset", "function"?, "what", "remedy", "count"}]}

import { reasonText } from "../pipeline/reasons.js";
import { review } from "../pipeline/review.js";
import { UserError } from "./exit.js";
import { isPacked, moduleBytes, print, printJson } from "./module-file.js";

export async function checkVerb(file: string, options: { json?: boolean }): Promise<void> {
  const bytes = await moduleBytes(file);
  if (isPacked(bytes))
    throw new UserError(`${file} is packed already; check reads the .wasm file, info tells the rest`);
  const { reasons, manifest } = await review(bytes);
  const accepted = reasons.length === 0;
  if (!accepted) process.exitCode = 1;
  if (options.json) {
    const whose = manifest === undefined ? {} : { name: manifest.name, version: manifest.version };
    printJson({ file, accepted, ...whose, reasons });
    return;
  }
  if (accepted) print(`${file}: ${manifest?.name} ${manifest?.version} keeps to module ABI ${manifest?.abi}`);
  else print(`${file}: refused, ${reasons.length === 1 ? "1 reason" : `${reasons.length} reasons`}`);
  for (const reason of reasons) print(`  ${reasonText(reason)} [${reason.rule}]`);
}
