// SPDX-License-Identifier: MIT
//
// Connects the user's terminal to the machine's serial line until the machine ends or the user types Ctrl-].

import type { Machine } from "./machine.js";

const CTRL_RIGHT_BRACKET = 0x1d;

export async function attachTerminal(machine: Machine): Promise<void> {
  const { stdin, stdout } = process;
  const show = (chunk: Buffer): boolean => stdout.write(chunk);
  const type = (chunk: Buffer): void => {
    const end = chunk.indexOf(CTRL_RIGHT_BRACKET);
    machine.process.stdin?.write(end === -1 ? chunk : chunk.subarray(0, end));
    if (end !== -1) void machine.stop();
  };
  stdout.write("(Ctrl-] switches the machine off)\n");
  if (stdin.isTTY) stdin.setRawMode(true);
  machine.process.stdout?.on("data", show);
  stdin.on("data", type);
  stdin.resume();
  try {
    await machine.ended;
  } finally {
    machine.process.stdout?.off("data", show);
    stdin.off("data", type);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  }
}
