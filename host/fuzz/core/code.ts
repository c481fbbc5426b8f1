// SPDX-License-Identifier: MIT
//
// core.wasm with coverage, as one instance that is used again for each input: a fresh core is this one with its memory
// and globals as they were at first. What was reached stays, across inputs and across restarts in place.

import { wordName } from "../cover/builder.js";
import { type Covered, cover } from "../cover/cover.js";

const PAIRS_MAX = 4096;

type Imports = Record<string, (...args: never[]) => unknown>;

export class CoveredCore {
  readonly covered: Covered;
  /** Sites that something happened at for the first time. */
  news = 0;
  /** Operands of comparisons, low 32 bits each, while they are wanted. */
  private pairs: number[] | undefined;
  private readonly exports: WebAssembly.Exports;
  private readonly words: WebAssembly.Global[];
  private readonly memory: Uint8Array;
  private readonly pristine: Uint8Array;
  private shim: Imports = {};

  constructor(
    readonly file: Uint8Array,
    countsBlocks = false,
  ) {
    this.covered = cover(file, true, countsBlocks);
    const code = new WebAssembly.Module(this.covered.wasm);
    const names = WebAssembly.Module.imports(code).filter((one) => one.module === "shim");
    const passOn =
      (name: string) =>
      (...args: never[]) =>
        (this.shim[name] as (...args: never[]) => unknown)(...args);
    this.exports = new WebAssembly.Instance(code, {
      cover: { pair: (site: number, a: bigint, b: bigint) => this.pair(site, a, b), edge: () => this.edge() },
      shim: Object.fromEntries(names.map(({ name }) => [name, passOn(name)])),
    }).exports;
    this.words = Array.from({ length: this.covered.words }, (_, i) => this.exports[wordName(i)] as WebAssembly.Global);
    this.memory = new Uint8Array((this.exports.memory as WebAssembly.Memory).buffer);
    this.pristine = this.memory.slice();
  }

  /** A core that knows nothing yet, calling this shim. The one before is over. */
  fresh(shim: WebAssembly.ModuleImports): WebAssembly.Exports {
    this.shim = shim as unknown as Imports;
    this.memory.set(this.pristine);
    (this.exports.__g_init as () => void)();
    return this.exports;
  }

  private edge(): void {
    this.news++;
  }

  private pair(_site: number, a: bigint, b: bigint): void {
    this.news++;
    if (this.pairs !== undefined && this.pairs.length < PAIRS_MAX) {
      this.pairs.push(Number(BigInt.asIntN(32, a)), Number(BigInt.asIntN(32, b)));
    }
  }

  /** All that was reached, a word each (cover.ts has what the bits say). */
  reached(): bigint[] {
    return this.words.map((one) => BigInt.asUintN(64, one.value as bigint));
  }

  /** What `run` reaches by itself, and its comparisons; what was reached before stays reached. */
  alone(run: () => void): { reached: bigint[]; pairs: Int32Array } {
    const before = this.reached();
    for (const word of this.words) word.value = 0n;
    this.pairs = [];
    run();
    const pairs = Int32Array.from(this.pairs);
    this.pairs = undefined;
    const reached = this.reached();
    for (const [i, word] of this.words.entries()) {
      word.value = BigInt.asIntN(64, (before[i] as bigint) | (reached[i] as bigint));
    }
    return { reached, pairs };
  }
}
