// SPDX-License-Identifier: MIT
//
// How a list of steps is shown: redrawn on a terminal, plain lines elsewhere, always on stderr, so that what a verb
// prints on stdout is its result and nothing else.

import { ListrLogger, ProcessOutput } from "listr2";

/** A terminal narrower than this (or of unknown width: 0) gets plain lines. */
const COLUMNS_MIN = 60;

export function progressOptions() {
  const redrawn = process.stderr.isTTY && process.stderr.columns >= COLUMNS_MIN;
  const renderer: "default" | "simple" = redrawn ? "default" : "simple";
  const logger = new ListrLogger({
    useIcons: !redrawn,
    processOutput: new ProcessOutput(process.stderr, process.stderr),
  });
  return {
    renderer,
    rendererOptions: { collapseErrors: false, logger },
    registerSignalListeners: false, // signals are exit.ts's
  };
}
