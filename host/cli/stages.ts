// SPDX-License-Identifier: MIT
//
// Turns a scenario's steps into stages that can be waited for one after the other: a stage is done when a later one
// begins, and the one that runs when something fails takes the error.

export class Stages {
  readonly #names: readonly string[];
  readonly #done: Promise<void>[] = [];
  readonly #resolve: (() => void)[] = [];
  readonly #reject: ((error: unknown) => void)[] = [];
  #current = 0;

  constructor(names: readonly string[]) {
    this.#names = names;
    for (let i = 0; i < names.length; i++) {
      const done = new Promise<void>((resolve, reject) => {
        this.#resolve.push(resolve);
        this.#reject.push(reject);
      });
      done.catch(() => {}); // nobody may be waiting for it yet
      this.#done.push(done);
    }
  }

  /** "STAGE: text" enters that stage; any other text belongs to the current one. Returns what to show. */
  enter(text: string): { stage: number; text: string } {
    const colon = text.indexOf(": ");
    const found = this.#names.indexOf(text.slice(0, Math.max(colon, 0)));
    if (found > this.#current) {
      for (let i = this.#current; i < found; i++) this.#resolve[i]?.();
      this.#current = found;
    }
    return { stage: this.#current, text: found < 0 ? text : text.slice(colon + 2) };
  }

  finish(): void {
    for (const resolve of this.#resolve) resolve();
  }

  fail(error: unknown): void {
    this.#reject[this.#current]?.(error);
  }

  wait(index: number): Promise<void> {
    return this.#done[index] ?? Promise.resolve();
  }
}
