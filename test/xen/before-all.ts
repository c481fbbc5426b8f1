// SPDX-License-Identifier: MIT
//
// What a file's tests stand on. uvu counts the tests as failed when a hook of its `before` throws, and keeps what it
// threw to itself; this tells it.

import type { Test } from "uvu";

/** Once, before the tests of that suite; they do not run when it throws. */
export function beforeAll(suite: Test, hook: () => Promise<void>): void {
  suite.before(async () => {
    try {
      await hook();
    } catch (error) {
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stdout.write(`\n   FAIL  what all stand on\n${words}\n`);
      throw error;
    }
  });
}
