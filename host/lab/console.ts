// SPDX-License-Identifier: MIT
//
// The machine's one serial line: Xen's and Dom0's text, kept in console.log, and between it the marks that
// host/lab/dom0/lib.sh prints for us. Xen may print in the middle of a line of Dom0's, so a mark is looked for
// anywhere in a line and the exit code is taken from the outputs when they are there.

import { createWriteStream, type WriteStream } from "node:fs";

export type Mark =
  | { kind: "step"; text: string }
  | { kind: "fail"; text: string }
  | { kind: "note"; text: string }
  | { kind: "booted" }
  | { kind: "saved" }
  | { kind: "exit"; code: number }
  | { kind: "keep" }
  | { kind: "dead"; text: string };

const MARK = /@@gb (booted|step|fail|note|saved|exit|keep)\b ?(.*)$/;
/** Lines after which nothing more will come. */
const DEAD = /Panic on CPU|Kernel panic - not syncing|Dom(ain )?0 crashed|Initial ramdisk not found|FATAL TRAP/;
const LAST_LINES = 30;
/** Behind a panic come registers and stacks; what led to it is worth more. */
const LINES_AFTER_DEATH = 8;
/** Xen says these by the dozen for each guest that starts; the log has them, the last lines do not. */
const CHATTER = /^\(XEN\) HVM ?d?\d+(v\d+)? (save|restore): /;
const PARTIAL_MAX = 4096;

export function parseLine(line: string): Mark | undefined {
  const found = MARK.exec(line);
  if (found === null) return DEAD.test(line) ? { kind: "dead", text: line.trim() } : undefined;
  const text = (found[2] ?? "").trim();
  switch (found[1]) {
    case "step":
    case "fail":
    case "note":
      return { kind: found[1], text };
    case "exit":
      return { kind: "exit", code: Number.parseInt(text, 10) || 0 };
    case "booted":
    case "saved":
      return { kind: found[1] };
    default:
      return { kind: "keep" };
  }
}

export class Console {
  readonly #log: WriteStream;
  readonly #last: string[] = [];
  #partial = "";
  #room = Number.POSITIVE_INFINITY;

  constructor(
    path: string,
    readonly onMark: (mark: Mark) => void,
  ) {
    this.#log = createWriteStream(path);
    this.#log.on("error", (error) => this.onMark({ kind: "dead", text: `cannot write ${path}: ${error.message}` }));
  }

  feed(chunk: Buffer): void {
    this.#log.write(chunk);
    const lines = (this.#partial + chunk.toString("latin1")).split(/\r*\n/);
    this.#partial = (lines.pop() ?? "").slice(-PARTIAL_MAX);
    for (const line of lines) {
      this.#remember(line);
      const mark = parseLine(line);
      if (mark?.kind === "dead") this.#room = Math.min(this.#room, LINES_AFTER_DEATH);
      if (mark !== undefined) this.onMark(mark);
    }
  }

  #remember(line: string): void {
    if (CHATTER.test(line) || this.#room === 0) return;
    this.#room--;
    this.#last.push(line);
    if (this.#last.length > LAST_LINES) this.#last.shift();
  }

  lastLines(): string {
    return [...this.#last, this.#partial].join("\n").trimEnd();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#log.end(resolve);
    });
  }
}
