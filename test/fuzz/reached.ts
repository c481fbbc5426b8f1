// SPDX-License-Identifier: MIT
//
// The lines of a module's sources that some inputs leave out, as `glovebox coverage` counts them, in this process.

import { reachOf } from "../../host/fuzz/coverage/reach.js";
import { reportOf } from "../../host/fuzz/coverage/report.js";
import { parseSourceMap } from "../../host/fuzz/coverage/source-map.js";
import { prepareFuzz } from "../../host/fuzz/module/prepare.js";
import { ModuleTarget } from "../../host/fuzz/module/target.js";
import { RECORD_WORDS } from "../../host/fuzz/target.js";
import { buildModule } from "../../host/pipeline/module.js";
import { inProject } from "../../host/pipeline/paths.js";
import { sourceMapOfFolder } from "../../host/pipeline/source.js";

/** How many lines have code, and FILE:LINE of those left out, the file without its folders. */
export async function linesLeftOut(
  folder: string,
  inputs: readonly { params: readonly bigint[]; records: Uint8Array }[],
): Promise<{ all: number; left: string[] }> {
  const module = await prepareFuzz(folder, await buildModule(folder), true);
  const target = new ModuleTarget(
    module,
    inputs.map((one) => one.params),
  );
  target.standing(); // as in a session: each set of parameters is attached once
  for (const { params, records } of inputs) {
    const words = new Int32Array(records.slice().buffer);
    target.input.set(words);
    target.run(target.setOf(params), words.length / RECORD_WORDS);
  }
  const reach = reachOf(module.file, module.fuelled, module.covered.sites, target.instance.reached());
  const map = parseSourceMap(folder, (await sourceMapOfFolder(inProject(folder))) ?? "");
  const told = { module: folder, version: "", corpus: "", inputs: inputs.length, faults: 0 };
  const lines = reportOf(told, reach, map).files.flatMap((file) =>
    file.lines.map((one) => ({ ...one, at: `${file.path.replace(/.*\//, "")}:${one.line}` })),
  );
  return { all: lines.length, left: lines.filter(({ ran }) => ran === 0).map(({ at }) => at) };
}
