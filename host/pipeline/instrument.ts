// SPDX-License-Identifier: MIT
//
// Fuel: every function, and every turn of every loop, first pays for the instructions it is about to run, out of the
// exported global `__fuel`; who cannot pay stops there (`unreachable`, with `__fuel` below zero: that is how the
// mediator tells it from an ordinary trap). A straight line is paid for in advance and both arms of an `if` count, so
// the price is an upper bound that depends on nothing but the path taken: same input, same fuel, on every machine.
//
//   f:    [pay(all of f outside its loops)] ...
//   loop: [pay(all of the loop's body outside inner loops)] ...
//   memory.fill/copy(d, s, n)  ->  (d, s, __charge(n))     1 more for each BULK_BYTES
//
// The file is read and written anew by binaryen: names, custom sections and odd encodings do not survive.

import { PipelineError } from "./error.js";
import { withoutCustomSections } from "./section.js";
import { type Bytes, hashOf, kept } from "./store.js";

export const FUEL_GLOBAL = "__fuel";
/** The module's own mutable globals are exported as __g0, __g1, ...: with its memory, all of an instance's state. */
export const STATE_GLOBAL = "__g";
/** What one capability costs beyond its instructions: about what the native side does for it. */
export const IMPORT_COST = 32;
/** Bytes of memory.fill and memory.copy for one unit of fuel. */
export const BULK_BYTES = 64;

/** Part of the cache key: raise it when the output changes. */
const REVISION = "4";
const CHARGE = "__charge";
const BULK_SHIFT = Math.log2(BULK_BYTES);
const INITIAL_FUEL = 0x7fffffff; // so that an uninstructed host (a fuzzer, a browser) can simply call

type Binaryen = typeof import("binaryen").default;
type Module = InstanceType<Binaryen["Module"]>;
type Expression = number;

/** A wrapper class of binaryen: static getters and setters; its typings (132) do not know them. */
type Wrapper = Record<string, (expression: Expression, child?: Expression) => Expression | Expression[]>;

/** Add fuel to a checked module. */
export async function instrument(name: string, wasm: Bytes): Promise<Bytes> {
  return kept("fuel.wasm", hashOf("instrument", REVISION, wasm), async () => {
    const { default: binaryen } = await import("binaryen");
    try {
      return withoutCustomSections(rewrite(binaryen, wasm));
    } catch (error) {
      const reason = error instanceof Error ? error.message : JSON.stringify(error);
      throw new PipelineError(name, "instrument", reason);
    }
  });
}

function rewrite(binaryen: Binaryen, wasm: Bytes): Bytes {
  const { MutableGlobals, BulkMemory, BulkMemoryOpt, SignExt } = binaryen.Features as unknown as Record<string, number>;
  // BulkMemory without BulkMemoryOpt aborts binaryen (132), and readBinary without features allows nothing.
  const features = [MutableGlobals, BulkMemory, BulkMemoryOpt, SignExt].reduce<number>(
    (all, one) => all | (one ?? 0),
    0,
  );
  const read = binaryen.readBinary as (bytes: Bytes, features: number) => Module;
  const module = read(wasm, features);
  try {
    addFuel(binaryen, module);
    if (!module.validate()) throw new Error("binaryen finds its own output invalid");
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

function addFuel(binaryen: Binaryen, module: Module): void {
  const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => module.getFunctionByIndex(index));
  const imported = new Set(
    functions
      .map((one) => binaryen.getFunctionInfo(one))
      .filter(isImport)
      .map((one) => one.name),
  );
  const walker = new Walker(binaryen, module, imported);
  for (const one of functions) if (!isImport(binaryen.getFunctionInfo(one))) walker.walkFunction(one);
  dropGlobalExports(binaryen, module);
  if (!walker.hasIndirectCalls) dropEmptyTable(binaryen, module);
  exportState(binaryen, module);
  module.addGlobal(FUEL_GLOBAL, binaryen.i32, true, module.i32.const(INITIAL_FUEL));
  module.addGlobalExport(FUEL_GLOBAL, FUEL_GLOBAL);
  addCharge(binaryen, module);
}

function isImport(info: { module: string | null }): boolean {
  return info.module !== null && info.module !== "";
}

/** Nobody reads them: compilers export constants and heap borders by habit. */
function dropGlobalExports(binaryen: Binaryen, module: Module): void {
  const exports = Array.from({ length: module.getNumExports() }, (_, index) =>
    binaryen.getExportInfo(module.getExportByIndex(index)),
  );
  for (const one of exports) if (one.kind === binaryen.ExternalGlobal) module.removeExport(one.name);
}

/** Linkers leave a table behind that nobody uses; check.ts has seen that nobody does. */
function dropEmptyTable(binaryen: Binaryen, module: Module): void {
  if (module.getNumElementSegments() > 0) return;
  const tables = Array.from({ length: module.getNumTables() }, (_, index) => module.getTableByIndex(index));
  for (const one of tables) module.removeTable(binaryen.getTableInfo(one).name);
}

function exportState(binaryen: Binaryen, module: Module): void {
  const globals = Array.from({ length: module.getNumGlobals() }, (_, index) =>
    binaryen.getGlobalInfo(module.getGlobalByIndex(index)),
  );
  const state = globals.filter((one) => one.mutable);
  for (const [index, one] of state.entries()) module.addGlobalExport(one.name, `${STATE_GLOBAL}${index}`);
}

/** __charge(n: i32) -> i32: pay for n bytes, give n back. n is unsigned; n / 64 + 1 cannot wrap the global. */
function addCharge(binaryen: Binaryen, module: Module): void {
  const units = module.i32.shr_u(module.local.get(0, binaryen.i32), module.i32.const(BULK_SHIFT));
  const price = module.i32.add(units, module.i32.const(1));
  const body = module.block(null, [...pay(binaryen, module, price), module.local.get(0, binaryen.i32)], binaryen.i32);
  module.addFunction(CHARGE, binaryen.i32, binaryen.i32, [], body);
}

function pay(binaryen: Binaryen, module: Module, price: Expression): Expression[] {
  const fuel = (): Expression => module.global.get(FUEL_GLOBAL, binaryen.i32);
  return [
    module.global.set(FUEL_GLOBAL, module.i32.sub(fuel(), price)),
    module.if(module.i32.lt_s(fuel(), module.i32.const(0)), module.unreachable()),
  ];
}

/** Wrapper class and children of each kind of expression ("...X" = a list). What is not here is refused. */
const KINDS: [name: string, ...children: string[]][] = [
  ["Nop"],
  ["Block", "...Children"],
  ["Loop", "Body"],
  ["If", "Condition", "IfTrue", "IfFalse"],
  ["Break", "Condition", "Value"],
  ["Switch", "Condition", "Value"],
  ["Call", "...Operands"],
  ["CallIndirect", "...Operands", "Target"],
  ["LocalGet"],
  ["LocalSet", "Value"],
  ["GlobalGet"],
  ["GlobalSet", "Value"],
  ["Load", "Ptr"],
  ["Store", "Ptr", "Value"],
  ["Const"],
  ["Unary", "Value"],
  ["Binary", "Left", "Right"],
  ["Select", "IfTrue", "IfFalse", "Condition"],
  ["Drop", "Value"],
  ["Return", "Value"],
  ["Unreachable"],
  ["MemorySize"],
  ["MemoryFill", "Dest", "Value", "Size"],
  ["MemoryCopy", "Dest", "Source", "Size"],
];

/** They only give structure: no instruction of the machine comes of them. */
const FREE = new Set(["Nop", "Block", "Loop"]);

/** The price of the straight line that is being walked; each loop has one of its own. */
interface Region {
  price: number;
}

class Walker {
  private readonly kinds = new Map<number, [name: string, ...children: string[]]>();
  private readonly table: Record<string, Wrapper>;
  hasIndirectCalls = false;

  constructor(
    private readonly binaryen: Binaryen,
    private readonly module: Module,
    private readonly imported: ReadonlySet<string>,
  ) {
    this.table = binaryen as unknown as Record<string, Wrapper>;
    const ids = binaryen as unknown as Record<string, number>;
    for (const kind of KINDS) this.kinds.set(ids[`${kind[0]}Id`] as number, kind);
  }

  walkFunction(reference: number): void {
    const { body } = this.binaryen.getFunctionInfo(reference);
    const region = { price: 1 };
    this.visit(body, region);
    this.table.Function?.setBody?.(reference, this.prepaid(body, region));
  }

  private visit(expression: Expression, region: Region): void {
    const kind = this.kinds.get(this.binaryen.getExpressionId(expression));
    if (kind === undefined)
      throw new Error(`expression kind ${this.binaryen.getExpressionId(expression)} is not allowed`);
    const [name] = kind;
    if (!FREE.has(name)) region.price++;
    if (name === "CallIndirect") this.hasIndirectCalls = true;
    if (name === "Call" && this.imported.has(String(this.get(name, "Target", expression)))) region.price += IMPORT_COST;
    const inner = name === "Loop" ? { price: 1 } : region;
    for (const child of this.childrenOf(kind, expression)) this.visit(child, inner);
    if (name === "Loop") this.set(name, "Body", expression, this.prepaid(this.get(name, "Body", expression), inner));
    if (name === "MemoryFill" || name === "MemoryCopy") this.chargeLength(name, expression);
  }

  private childrenOf([name, ...children]: [name: string, ...children: string[]], expression: Expression): Expression[] {
    const lists = children.map(
      (child) => this.get(name, child.replace("...", ""), expression) as Expression | Expression[],
    );
    return lists.flat().filter((child) => child !== 0);
  }

  /** [pay, body]: the body's own type, and branches to a loop's label come back to pay again. */
  private prepaid(body: Expression, region: Region): Expression {
    const price = this.module.i32.const(region.price);
    return this.module.block(null, [...pay(this.binaryen, this.module, price), body], this.binaryen.auto);
  }

  private chargeLength(name: string, expression: Expression): void {
    const size = this.get(name, "Size", expression);
    this.set(name, "Size", expression, this.module.call(CHARGE, [size], this.binaryen.i32));
  }

  private get(name: string, property: string, expression: Expression): Expression {
    return this.table[name]?.[`get${property}`]?.(expression) as Expression;
  }

  private set(name: string, property: string, expression: Expression, child: Expression): void {
    this.table[name]?.[`set${property}`]?.(expression, child);
  }
}
