// SPDX-License-Identifier: MIT
//
// Requests about the scheduler: set, policy, engine (docs/CONTROL.md).

import { ENGINE_COPY } from "../../abi/module";
import { deadlines, promised } from "../sched/admission";
import { PARAMETERS_BYTES, Parameters, entityAt, parametersCopy } from "../sched/entity";
import { PARAMETER_COUNT, parametersFit } from "../sched/parameter";
import { POLICIES, policyName } from "../sched/policy";
import { SCHED_VGPUS_MAX } from "../sched/size";
import { SPACE, Text, Words } from "../text";
import { copyEngine, workAdmits, workPolicy, workSet } from "../work/work";
import { atEnd, takeVgpu } from "./arguments";
import { putPair, replyError, replyOk } from "./reply";
import { policyNamed, putEngine, putPolicies, schedulingValue, schedulingWord } from "./scheduling";

const WANTED: usize = memory.data(PARAMETERS_BYTES, 8);

/** All words or none. */
export function set(words: Words): void {
  const vgpu = takeVgpu(words);
  if (vgpu == null) return;
  const to = changetype<Parameters>(WANTED);
  parametersCopy(entityAt(ENGINE_COPY, vgpu.index), to);
  const error = replyError();
  let given: u32 = 0;
  for (; words.next(SPACE); given++) if (!setWord(words, to, error)) return;
  if (given == 0) {
    error.put("malformed request: set needs words like weight=4");
    return;
  }
  if (!parametersFit(to, error) || !workAdmits(vgpu, to, error)) return;
  workSet(vgpu, to);
  putEngine(replyOk(), vgpu);
}

function setWord(words: Words, to: Parameters, error: Text): bool {
  let length: u32 = 0;
  while (length < words.length && load<u8>(words.at + length) != 0x3d) length++;
  const which = schedulingWord(words.at, length);
  if (length < words.length && which < PARAMETER_COUNT) {
    return schedulingValue(to, which, words.at + length + 1, words.length - length - 1, error);
  }
  error.put("\"").quote(words.at, min<u32>(words.length, 32)).put("\" cannot be set");
  return false;
}

/** Without a name: which it is. */
export function policy(words: Words): void {
  if (words.next(SPACE)) {
    const to = policyNamed(words.at, words.length);
    if (to == POLICIES) {
      const error = replyError().put("no such policy: \"").quote(words.at, min<u32>(words.length, 32));
      putPolicies(error.put("\", there are "));
      return;
    }
    if (!atEnd(words)) return;
    workPolicy(to);
  }
  const text = replyOk().put(" policy=").put(policyName(copyEngine().policy));
  putPair(text, "deadlines", deadlines(ENGINE_COPY));
  putPair(text, "promised_ppm", promised(ENGINE_COPY, SCHED_VGPUS_MAX));
}

export function engine(words: Words): void {
  const vgpu = takeVgpu(words);
  if (vgpu != null && atEnd(words)) putEngine(replyOk(), vgpu);
}
