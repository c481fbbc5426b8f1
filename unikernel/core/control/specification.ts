// SPDX-License-Identifier: MIT
//
// A vGPU's specification: `module=NAME guest=pvh|hvm [slot=1..31] [PARAM=INTEGER ...]` (docs/CONTROL.md),
// and the scheduler's words (scheduling.ts).
// Two passes over the words: first the three that everything depends on, then the module's own parameters. The first
// word that is wrong ends it, with a sentence that names the word, the value and the limit.

import { BAR_KIND, BAR_KIND_NONE, BAR_NO_SIZE_PARAM, BAR_SIZE_PARAM, BAR_SPACE } from "../../abi/manifest";
import { PARAM_DEFAULT, PARAM_MAX, PARAM_MIN, PARAM_NAME, PARAM_NAME_BYTES } from "../../abi/manifest";
import { BARS, PARAMS, SLOTS } from "../limits";
import { PARAMETERS_BYTES, Parameters, parametersDefault } from "../sched/entity";
import { PARAMETER_COUNT, parametersFit } from "../sched/parameter";
import { SPACE, Text, WORDS_BYTES, Words, equals, parseNumber, parsed } from "../text";
import { MODE_HVM, MODE_PVH } from "../vgpu/guest";
import { barRow, barSizeFits, moduleFind, paramFind, paramRow } from "../vgpu/module";
import { schedulingValue, schedulingWord } from "./scheduling";

@unmanaged
export class SpecificationRecord {
  module: u32;
  mode: u32; // MODE_*
  slot: u32; // 0: the first free one
  given: u32; // a bit for each parameter that stands in the text
  // behind it: PARAMS values

  param(i: u32): u64 {
    return load<u64>(changetype<usize>(this) + 16 + i * 8);
  }

  setParam(i: u32, value: u64): void {
    store<u64>(changetype<usize>(this) + 16 + i * 8, value);
  }

  get scheduling(): Parameters {
    return changetype<Parameters>(changetype<usize>(this) + SCHEDULING);
  }
}
const SCHEDULING: u32 = 16 + PARAMS * 8;
const SPECIFICATION_BYTES: u32 = SCHEDULING + PARAMETERS_BYTES;
const SPECIFICATION: usize = memory.data(SPECIFICATION_BYTES, 8);

/** Scheduler's words that were given. */
let scheduled: u32 = 0;
const WORDS: usize = memory.data(WORDS_BYTES, 8);

// the word in hand, cut at its first '='
let key: usize = 0;
let keyLength: u32 = 0;
let value: usize = 0;
let valueLength: u32 = 0;

/** The record that the text means; null with words in `error`. One at a time: the record is reused. */
export function parseSpecification(at: usize, length: u32, error: Text): SpecificationRecord | null {
  const spec = changetype<SpecificationRecord>(SPECIFICATION);
  memory.fill(SPECIFICATION, 0, SPECIFICATION_BYTES);
  parametersDefault(spec.scheduling);
  scheduled = 0;
  spec.module = u32.MAX_VALUE;
  const words = changetype<Words>(WORDS);
  for (words.open(at, length); words.next(SPACE); ) {
    if (!cut(words, error) || !firstPass(spec, error)) return null;
  }
  if (!complete(spec, error)) return null;
  for (let i: u32 = 0; i < PARAMS; i++) spec.setParam(i, load<u64>(paramRow(spec.module, i), PARAM_DEFAULT));
  for (words.open(at, length); words.next(SPACE); ) {
    if (!cut(words, error) || !secondPass(spec, error)) return null;
  }
  return sizesFit(spec, error) && parametersFit(spec.scheduling, error) ? spec : null;
}

function cut(words: Words, error: Text): bool {
  key = words.at;
  for (keyLength = 0; keyLength < words.length; keyLength++) if (load<u8>(key + keyLength) == 0x3d) break;
  value = key + keyLength + 1;
  valueLength = words.length - keyLength - 1;
  if (keyLength != 0 && keyLength < words.length && valueLength != 0) return true;
  error.put("word \"").quote(words.at, words.length).put("\" is not key=value");
  return false;
}

@inline
function isCommon(): bool {
  return equals(key, keyLength, "module") || equals(key, keyLength, "guest") || equals(key, keyLength, "slot");
}

function firstPass(spec: SpecificationRecord, error: Text): bool {
  if (equals(key, keyLength, "module")) return readModule(spec, error);
  if (equals(key, keyLength, "guest")) return readMode(spec, error);
  if (equals(key, keyLength, "slot")) return readSlot(spec, error);
  return true;
}

function putWord(error: Text): Text {
  return error.quote(key, keyLength).put("=").quote(value, valueLength).put(": ");
}

function twice(error: Text): bool {
  putWord(error).put("given twice");
  return false;
}

function readModule(spec: SpecificationRecord, error: Text): bool {
  if (spec.module != u32.MAX_VALUE) return twice(error);
  const module = moduleFind(value, valueLength);
  if (module >= 0) {
    spec.module = module;
    return true;
  }
  putWord(error).put("no such module in this domain");
  return false;
}

function readMode(spec: SpecificationRecord, error: Text): bool {
  if (spec.mode != 0) return twice(error);
  if (equals(value, valueLength, "pvh")) spec.mode = MODE_PVH;
  if (equals(value, valueLength, "hvm")) spec.mode = MODE_HVM;
  if (spec.mode != 0) return true;
  putWord(error).put("must be pvh or hvm");
  return false;
}

function readSlot(spec: SpecificationRecord, error: Text): bool {
  if (spec.slot != 0) return twice(error);
  if (parseNumber(value, valueLength) && parsed >= 1 && parsed < SLOTS) {
    spec.slot = <u32>parsed;
    return true;
  }
  putWord(error).put("must be 1 to ").number(SLOTS - 1);
  return false;
}

function complete(spec: SpecificationRecord, error: Text): bool {
  if (spec.module == u32.MAX_VALUE) error.put("module= is missing");
  else if (spec.mode == 0) error.put("guest=pvh or guest=hvm is missing");
  else if (spec.mode == MODE_HVM && spec.slot == 0) error.put("guest=hvm needs slot=1 to slot=31, one free of QEMU");
  else return true;
  return false;
}

function secondPass(spec: SpecificationRecord, error: Text): bool {
  if (isCommon()) return true;
  const word = schedulingWord(key, keyLength);
  if (word < PARAMETER_COUNT) {
    if ((scheduled >> word) & 1) return twice(error);
    scheduled |= 1 << word;
    return schedulingValue(spec.scheduling, word, value, valueLength, error);
  }
  const param = paramFind(spec.module, key, keyLength);
  if (param < 0) {
    putWord(error).put("the module has no such parameter");
    return false;
  }
  if ((spec.given >> param) & 1) return twice(error);
  const row = paramRow(spec.module, param);
  const least = load<u64>(row, PARAM_MIN);
  const most = load<u64>(row, PARAM_MAX);
  if (!parseNumber(value, valueLength) || parsed < least || parsed > most) {
    putWord(error).put("must be ").number(least).put(" to ").number(most);
    return false;
  }
  spec.given |= 1 << param;
  spec.setParam(param, parsed);
  return true;
}

/** A parameter that gives a BAR its size must give one that a BAR can have. */
function sizesFit(spec: SpecificationRecord, error: Text): bool {
  for (let i: u32 = 0; i < BARS; i++) {
    const row = barRow(spec.module, i);
    const kind: u32 = load<u8>(row, BAR_KIND);
    const param: u32 = load<u8>(row, BAR_SIZE_PARAM);
    if (kind == BAR_KIND_NONE || param == BAR_NO_SIZE_PARAM) continue;
    if (barSizeFits(kind, load<u8>(row, BAR_SPACE), spec.param(param))) continue;
    error.field(paramRow(spec.module, param) + PARAM_NAME, PARAM_NAME_BYTES).put("=").number(spec.param(param));
    error.put(": the size of BAR ").number(i).put(" must be a power of two that a BAR can have");
    return false;
  }
  return true;
}
