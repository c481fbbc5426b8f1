// SPDX-License-Identifier: MIT
//
// One kind of error for everything that the pipeline refuses: which thing, at which step, why and what to do.

export type Step = "compile" | "manifest" | "check" | "instrument" | "wasm2c" | "gcc" | "link" | "gbx" | "ramdisk";

export class PipelineError extends Error {
  readonly subject: string;
  readonly step: Step;
  readonly reason: string;

  constructor(subject: string, step: Step, reason: string) {
    super(`${subject}: ${step}: ${reason}`);
    this.name = "PipelineError";
    this.subject = subject;
    this.step = step;
    this.reason = reason;
  }
}
