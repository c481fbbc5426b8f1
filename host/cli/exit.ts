// SPDX-License-Identifier: MIT
//
// How the program ends: every verb runs in `guarded`, which turns its outcome into an exit code, its error into
// words, and a signal into an orderly end. When the process exits nothing of ours runs on and nothing half-made stays.

import { dropTemporary } from "../lab/cache.js";
import { killAllExec } from "../lab/exec.js";

const EXIT_FAILED = 1;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** An error that says all there is to say; it is shown without a stack. */
export class UserError extends Error {
  constructor(
    message: string,
    readonly exitCode = EXIT_FAILED,
  ) {
    super(message);
  }
}

export async function guarded(verb: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  let code = 0;
  for (const [name, value] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      if (code !== 0) process.exit(value); // the second time we do not wait
      code = value;
      killAllExec();
      controller.abort(new UserError("interrupted"));
    });
  }
  try {
    await verb(controller.signal);
  } catch (error) {
    code ||= error instanceof UserError ? error.exitCode : EXIT_FAILED;
    process.stderr.write(`glovebox: ${describe(error, controller.signal)}\n`);
  } finally {
    dropTemporary();
  }
  if (code !== 0) process.exitCode = code;
}

function describe(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "interrupted; nothing is left running";
  if (!(error instanceof Error)) return String(error);
  const ours = error.constructor !== Error && error.constructor !== TypeError && error.constructor !== RangeError;
  return ours || process.env.GLOVEBOX_STACK === undefined ? error.message : (error.stack ?? error.message);
}
