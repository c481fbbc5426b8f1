// SPDX-License-Identifier: MIT
//
// What we tell QEMU, and ask of it, while the machine runs: QEMU's Machine Protocol, docs/interop/qmp-spec.txt there.
// One question at a time; events are passed over.

import type { Duplex } from "node:stream";
import { type Machine, QMP_FD } from "./machine.js";

type Answer = Record<string, unknown>;
interface Line {
  return?: Answer;
  error?: { desc: string };
}

export class Qmp {
  #text = "";
  #answer: (line: Line) => void = () => {};

  static async of(machine: Machine): Promise<Qmp> {
    const qmp = new Qmp(machine.process.stdio[QMP_FD] as Duplex);
    await qmp.ask("qmp_capabilities");
    return qmp;
  }

  private constructor(private readonly stream: Duplex) {
    stream.on("data", (chunk: Buffer) => this.#feed(chunk.toString()));
    stream.on("error", () => {}); // what follows is "close"
    stream.on("close", () => this.#answer({ error: { desc: "it ended before it answered" } }));
  }

  async ask(execute: string, parameters: Answer = {}): Promise<Answer> {
    const answered = new Promise<Line>((resolve) => {
      this.#answer = resolve;
    });
    this.stream.write(`${JSON.stringify({ execute, arguments: parameters })}\n`);
    const { return: value, error } = await answered;
    if (error !== undefined) throw new Error(`QEMU, ${execute}: ${error.desc}`);
    return value ?? {};
  }

  #feed(text: string): void {
    const lines = (this.#text + text).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const said = JSON.parse(line) as Line;
      if (said.return !== undefined || said.error !== undefined) this.#answer(said);
    }
  }
}
