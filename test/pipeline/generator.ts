// SPDX-License-Identifier: MIT
//
// Valid integer modules made from a seed: all integer instructions, edge values, memory accesses of all widths at and
// beyond the end, blocks, loops, br_table, calls, recursion, indirect calls, globals, bulk memory, traps. As text, so
// that a failure can be read. Not everything ends: fuel sees to that.

const I32_UNARY = ["clz", "ctz", "popcnt", "eqz", "extend8_s", "extend16_s"];
const BINARY = ["add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl", "shr_s", "shr_u"];
const ROTATE = ["rotl", "rotr"];
const COMPARE = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
const LOADS = {
  i32: ["load", "load8_s", "load8_u", "load16_s", "load16_u"],
  i64: ["load", "load8_s", "load8_u", "load16_s", "load16_u", "load32_s", "load32_u"],
};
const STORES = { i32: ["store", "store8", "store16"], i64: ["store", "store8", "store16", "store32"] };
const EDGES32 = ["0", "1", "-1", "2", "31", "32", "33", "0x7fffffff", "0x80000000", "0xffff", "65535", "65528"];
const EDGES64 = ["0", "1", "-1", "63", "64", "0x7fffffffffffffff", "0x8000000000000000", "0xffffffff", "0x100000000"];
const FUNCTIONS = 12;
const DEPTH_MAX = 5;
const RARE = 48;

type Type = "i32" | "i64";

/** Functions $f0 to $f11 of (i32, i64) -> i64; the entry points call them with what the caller gave. */
export function program(next: () => number): string {
  const made = new Generator(next);
  const functions = Array.from({ length: FUNCTIONS }, (_, index) => made.function(index));
  const names = Array.from({ length: FUNCTIONS }, (_, index) => `$f${index}`).join(" ");
  return `(module (memory (export "memory") 1 1) (type $t (func (param i32 i64) (result i64))) (type $other (func))
    (table 16 16 funcref) (elem (i32.const 0) ${names} $none)
    (global $a (mut i32) (i32.const 11)) (global $b (mut i64) (i64.const -12)) (data (i32.const 64) "some data here")
    (func $none)
    ${functions.join("\n    ")}
    (func (export "attach") (result i32) (i32.wrap_i64 (call $f0 (i32.const 3) (i64.const 5))))
    (func (export "reset") (drop (call $f1 (i32.const -1) (i64.const 0x8000000000000000))))
    (func (export "bar_read") (param i32 i32 i32) (result i64)
      (call_indirect (type $t) (local.get 1) (i64.extend_i32_u (local.get 2)) (local.get 0)))
    (func (export "bar_write") (param i32 i32 i32 i64) (drop (call $f2 (local.get 1) (local.get 3)))))`;
}

class Generator {
  #labels = 0;
  /** Of the function that is being made. */
  #index = 0;

  constructor(private readonly next: () => number) {}

  /** Locals: 0 i32, 1 i64 (parameters), 2 i32, 3 i64. */
  function(index: number): string {
    this.#index = index;
    const body = Array.from({ length: 2 + (this.next() % 4) }, () => this.statement(0, []));
    const head = `(func $f${index} (type $t) (local i32 i64)`;
    return `${head} ${body.join(" ")} ${this.value("i64", 1)})`;
  }

  private pick<T>(values: readonly T[]): T {
    return values[this.next() % values.length] as T;
  }

  /** `labels` are those that a branch may go to. */
  private statement(depth: number, labels: string[]): string {
    const kinds = depth >= DEPTH_MAX ? 5 : 11;
    const type = this.pick(["i32", "i64"] as const);
    const inner = (): string =>
      Array.from({ length: 1 + (this.next() % 2) }, () => this.statement(depth + 1, labels)).join(" ");
    switch (this.next() % kinds) {
      case 0:
        return this.store(type, depth);
      case 1:
        return `(local.set ${type === "i32" ? 2 : 3} ${this.value(type, depth)})`;
      case 2:
        return `(global.set ${type === "i32" ? "$a" : "$b"} ${this.value(type, depth)})`;
      case 3:
        return labels.length === 0 ? "(nop)" : `(br_if ${this.pick(labels)} ${this.value("i32", depth)})`;
      case 4:
        return this.call(depth);
      case 5:
        return `(if ${this.value("i32", depth)} (then ${inner()}) (else ${inner()}))`;
      case 6:
        return this.within("block", depth, labels);
      case 7:
        return this.within("loop", depth, labels);
      case 8:
        return this.table(depth);
      case 9:
        return this.bulk(depth);
      default:
        if (this.isRare()) return "(if (i32.eqz (local.get 2)) (then (unreachable)))";
        return this.next() % 4 > 0
          ? this.call(depth)
          : `(drop (call_indirect (type $t) ${this.value("i32", depth)} ${this.value("i64", depth)} ${this.index()}))`;
    }
  }

  private store(type: Type, depth: number): string {
    const name = `${type}.${this.pick(STORES[type])} ${this.offset()}`;
    return `(${name} ${this.address(depth)} ${this.value(type, depth)})`;
  }

  /** Usually of a later function, so that most calls end; of any, so that some recurse without end. */
  private call(depth: number): string {
    const later = FUNCTIONS - 1 - this.#index;
    const rare = this.isRare();
    if (later === 0 && !rare) return "(nop)";
    const callee = rare ? this.next() % FUNCTIONS : this.#index + 1 + (this.next() % later);
    return `(local.set 3 (call $f${callee} ${this.value("i32", depth)} ${this.value("i64", depth)}))`;
  }

  private within(kind: "block" | "loop", depth: number, labels: string[]): string {
    const label = `$l${this.#labels++}`;
    const body = [this.statement(depth + 1, [...labels, label]), this.statement(depth + 1, [...labels, label])];
    return `(${kind} ${label} ${body.join(" ")})`;
  }

  private table(depth: number): string {
    const label = `$l${this.#labels++}`;
    const way = `(br_table ${label}a ${label}b ${label}a ${this.value("i32", depth)})`;
    const inner = `(block ${label}a ${way}) ${this.statement(depth + 1, [])}`;
    return `(block ${label}b ${inner} (br ${label}b))`;
  }

  /** What ends a call - beyond the memory, a zero divisor - is rare: else nothing behind it would ever run. */
  private isRare(): boolean {
    return this.next() % RARE === 0;
  }

  private offset(): string {
    return this.isRare() ? this.pick(["offset=65530", "offset=4294967295"]) : this.pick(["", "offset=1", "offset=8"]);
  }

  /** Usually within the memory, at most to 16 bytes below its end. */
  private address(depth: number): string {
    if (this.isRare()) return this.value("i32", depth);
    return `(i32.and ${this.value("i32", depth)} (i32.const 0xffef))`;
  }

  private bulk(depth: number): string {
    const start = (): string => {
      const any = this.value("i32", depth);
      return this.isRare() ? any : `(i32.and ${any} (i32.const 0x7ff9))`;
    };
    const length = this.pick(this.isRare() ? ["65536", "65537", "-1"] : ["0", "1", "63", "64", "65", "4096"]);
    const other = this.next() % 2 === 0 ? `(memory.fill ${start()} ${this.value("i32", depth)}` : undefined;
    return `${other ?? `(memory.copy ${start()} ${start()}`} (i32.const ${length}))`;
  }

  /** A divisor is usually made odd, so that it is not 0. */
  private binary(type: Type, inner: () => string): string {
    const name = this.pick([...BINARY, ...ROTATE]);
    const divides = name.startsWith("div") || name.startsWith("rem");
    const right = divides && !this.isRare() ? `(${type}.or ${inner()} (${type}.const 1))` : inner();
    return `(${type}.${name} ${inner()} ${right})`;
  }

  /** Usually one of $f0 to $f7; an entry of another type, none, or beyond the table now and then. */
  private index(): string {
    const mask = this.isRare() ? this.pick(["15", "31", "-1"]) : this.pick(["1", "3", "7"]);
    return `(i32.and (local.get 2) (i32.const ${mask}))`;
  }

  private value(type: Type, depth: number): string {
    const deeper = depth >= DEPTH_MAX + 2;
    const inner = (of: Type = type): string => this.value(of, depth + 1 + (this.next() % 2));
    switch (this.next() % (deeper ? 3 : 10)) {
      case 0:
        return `(${type}.const ${this.pick(type === "i32" ? EDGES32 : EDGES64)})`;
      case 1:
        return `(local.get ${this.pick(type === "i32" ? [0, 2] : [1, 3])})`;
      case 2:
        return `(global.get ${type === "i32" ? "$a" : "$b"})`;
      case 3:
        return `(${type}.${this.pick(LOADS[type])} ${this.offset()} ${this.address(depth + 1)})`;
      case 4:
        return type === "i32" ? `(i32.${this.pick(I32_UNARY)} ${inner()})` : this.unary64(inner);
      case 5: {
        const of = this.pick(["i32", "i64"] as const);
        const compared = `(${of}.${this.pick(COMPARE)} ${inner(of)} ${inner(of)})`;
        return type === "i32" ? compared : `(i64.extend_i32_u ${compared})`;
      }
      case 6:
        return `(select ${inner()} ${inner()} ${inner("i32")})`;
      case 7:
        return type === "i32" ? `(i32.wrap_i64 ${inner("i64")})` : `(i64.extend_i32_s ${inner("i32")})`;
      default:
        return this.binary(type, inner);
    }
  }

  private unary64(inner: (of?: Type) => string): string {
    return `(i64.${this.pick(["clz", "ctz", "popcnt", "extend8_s", "extend16_s", "extend32_s"])} ${inner("i64")})`;
  }
}
