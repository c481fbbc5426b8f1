// SPDX-License-Identifier: MIT
//
// New records: an access to a register, an event, a piece of guest memory, out of what is known of the target
// (Vocabulary), of what the chosen parent compared (pairs), and chance. Valid ones only: BAR, offset and size of an
// access always exist, because the core promises that to modules.

import {
  KIND_ANSWERS,
  KIND_CALL_EVENT,
  KIND_CALL_READ,
  KIND_CALL_RESET,
  KIND_CALL_WORK_DONE,
  KIND_CALL_WRITE,
  KIND_MEMORY,
  KIND_MEMORY_LATER,
  KIND_TIME,
} from "../../trace/index.js";
import type { Random } from "../random.js";
import { RECORD_WORDS, type Vocabulary, WORD_ADDR, WORD_DATA, WORD_KIND, WORD_SIZE } from "../target.js";
import { putMemory } from "./ring.js";
import { bringUp, type putAll, request } from "./virtio.js";

const SIZES = [1, 2, 4, 8] as const;
const INTERESTING = [
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  15,
  16,
  31,
  32,
  63,
  64,
  127,
  128,
  255,
  256,
  4095,
  4096,
  65535,
  -1,
  -2,
  2 ** 31 - 1,
  -(2 ** 31),
];
const FOCUS_MAX = 6;

/** Which kinds of things are done how often; drawn anew every so often (swarm testing: Groce et al., ISSTA 2012). */
interface Swarm {
  write: number;
  read: number;
  memory: number;
  seldom: number;
  /** Registers that half of the accesses go to. */
  focus: Vocabulary["registers"];
  /** How values are made: weights of dictionary, pairs, small, random. */
  values: [number, number, number, number];
}

export class Operations {
  private swarm: Swarm;
  /** Operands of the parent's comparisons (Reach.pairs). */
  pairs: Int32Array = new Int32Array();

  constructor(
    private readonly random: Random,
    readonly known: Vocabulary,
  ) {
    this.swarm = this.draw();
  }

  redraw(): void {
    this.swarm = this.draw();
  }

  private draw(): Swarm {
    const { random, known } = this;
    const count = known.registers.length === 0 ? 0 : 1 + random.below(FOCUS_MAX);
    return {
      write: 1 + random.below(8),
      read: random.below(4),
      memory: known.hasMemory ? random.below(6) : 0,
      seldom: random.oneIn(3) ? 1 : 0,
      focus: Array.from({ length: count }, () => random.pick(known.registers)),
      values: [1 + random.below(8), random.below(8), random.below(4), random.below(3)],
    };
  }

  /** What a driver does next in several records, at most `room` of them; undefined: nothing such is known. */
  script(room: number, first: boolean): Parameters<typeof putAll>[2] | undefined {
    const { virtio } = this.known;
    if (virtio === undefined) return undefined;
    const all = first ? bringUp(virtio, this.random) : request(virtio, this.random, () => this.value());
    return all.length <= room ? all : undefined;
  }

  /** A new record at word `at` of `words`. */
  create(words: Int32Array, at: number): void {
    const { write, read, memory, seldom } = this.swarm;
    words.fill(0, at, at + RECORD_WORDS);
    const die = this.random.below(write + read + memory + seldom);
    if (die < write) this.access(words, at, KIND_CALL_WRITE);
    else if (die < write + read) this.access(words, at, KIND_CALL_READ);
    else if (die < write + read + memory) this.memory(words, at);
    else this.seldom(words, at);
  }

  /** Now, or behind the module's back. */
  private memory(words: Int32Array, at: number): void {
    putMemory(words, at, this.random, () => this.value());
    if (!this.random.oneIn(8)) return;
    words[at + WORD_KIND] = KIND_MEMORY_LATER << 24;
    words[at + WORD_SIZE] = (8 << 8) | (1 + this.random.below(4));
  }

  private seldom(words: Int32Array, at: number): void {
    const { known, random } = this;
    const kinds = [KIND_CALL_RESET];
    if (known.hasEvent) kinds.push(KIND_CALL_EVENT, KIND_CALL_EVENT);
    if (known.hasWorkDone) kinds.push(KIND_CALL_WORK_DONE, KIND_CALL_WORK_DONE);
    if (known.hasEvent || known.hasWorkDone) kinds.push(KIND_TIME);
    if (known.hasInterrupts) kinds.push(KIND_ANSWERS);
    const kind = random.pick(kinds);
    words[at + WORD_KIND] = kind << 24;
    if (kind === KIND_CALL_RESET) return;
    words[at + WORD_ADDR] = kind === KIND_CALL_WORK_DONE || kind === KIND_TIME ? this.value() : random.below(3);
    words[at + WORD_DATA] = this.value();
  }

  private access(words: Int32Array, at: number, kind: number): void {
    words[at + WORD_KIND] = kind << 24;
    this.place(words, at);
    if (kind === KIND_CALL_WRITE) this.putValue(words, at);
  }

  /** BAR, offset and size of an access that exists. */
  place(words: Int32Array, at: number): void {
    const { random, known, swarm } = this;
    if (known.bars.length === 0) return;
    const die = random.below(16);
    if (die < 14 && known.registers.length > 0) {
      const list = swarm.focus.length > 0 && die < 8 ? swarm.focus : known.registers;
      const register = random.pick(list);
      const size = register.size !== 0 && !random.oneIn(16) ? register.size : random.pick(SIZES);
      this.setPlace(words, at, register.bar, register.offset, size);
      if (register.values.length > 0 && random.oneIn(2)) words[at + WORD_DATA] = random.pick(register.values) | 0;
    } else {
      const bar = random.pick(known.bars);
      const size = random.pick(SIZES);
      const offset = die === 15 ? bar.bytes - size : random.below(bar.bytes);
      this.setPlace(words, at, bar.index, random.oneIn(4) ? offset : offset - (offset % size), size);
    }
  }

  /** Into the BAR if it would leave it. */
  private setPlace(words: Int32Array, at: number, index: number, offset: number, size: number): void {
    const bytes = this.known.bars.find((one) => one.index === index)?.bytes ?? 0;
    const fits = size <= bytes ? size : 1;
    words[at + WORD_SIZE] = index | (fits << 8);
    words[at + WORD_ADDR] = Math.max(0, Math.min(offset, bytes - fits));
    words[at + WORD_ADDR + 1] = 0;
  }

  /** Another register near this one, or another size. */
  shift(words: Int32Array, at: number): void {
    const old = words[at + WORD_SIZE] as number;
    const size = (old >> 8) & 0xff;
    const offset = words[at + WORD_ADDR] as number;
    if (this.random.oneIn(3)) this.setPlace(words, at, old & 0xff, offset, this.random.pick(SIZES));
    else this.setPlace(words, at, old & 0xff, offset + (this.random.below(9) - 4) * (size || 1), size);
  }

  putValue(words: Int32Array, at: number): void {
    if (words[at + WORD_DATA] === 0) words[at + WORD_DATA] = this.value();
    const die = this.random.below(16);
    words[at + WORD_DATA + 1] = die === 0 ? this.value() : die === 1 ? -1 : 0;
  }

  /** 32 bits worth trying. */
  value(): number {
    const { random, known, pairs, swarm } = this;
    const [words, compared, small, wild] = swarm.values;
    let die = random.below(words + compared + small + wild);
    if (die < words) return (random.pick(known.constants) + (random.oneIn(4) ? random.below(3) - 1 : 0)) | 0;
    die -= words;
    if (die < compared && pairs.length > 0) return pairs[random.below(pairs.length)] as number;
    die -= compared;
    if (die < small) return random.pick(INTERESTING);
    return (random.next() >>> random.below(32)) | 0;
  }

  /** Change the value of a record: a bit, a little, a byte, a word of the dictionary, or what it was compared with. */
  revalue(words: Int32Array, at: number): void {
    const { random, pairs } = this;
    const kind = ((words[at + WORD_KIND] as number) >>> 24) & 0xff;
    const word = at + (kind === KIND_MEMORY && random.oneIn(4) ? WORD_ADDR : WORD_DATA) + (random.oneIn(12) ? 1 : 0);
    const old = words[word] as number;
    switch (random.below(6)) {
      case 0:
        words[word] = old ^ (1 << random.below(32));
        return;
      case 1:
        words[word] = (old + random.below(71) - 35) | 0;
        return;
      case 2:
        words[word] = (old & ~(0xff << 8)) | (random.next() & 0xff);
        return;
      case 3:
        words[word] = counterpart(pairs, old, random) ?? this.value();
        return;
      default:
        words[word] = this.value();
    }
  }
}

/** What this very value was compared with (as a whole, or its low 16 bits): "input to state", REDQUEEN, NDSS 2019. */
function counterpart(pairs: Int32Array, value: number, random: Random): number | undefined {
  if (pairs.length === 0) return undefined;
  const start = random.below(pairs.length >> 1);
  for (let i = 0; i < pairs.length >> 1; i++) {
    const at = ((start + i) % (pairs.length >> 1)) * 2;
    const [a, b] = [pairs[at] as number, pairs[at + 1] as number];
    if (a === value || a === (value & 0xffff)) return b;
    if (b === value || b === (value & 0xffff)) return a;
  }
  return undefined;
}
