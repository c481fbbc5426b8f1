// SPDX-License-Identifier: MIT
//
// Schedulers with planted bugs: each must break one of the promises. A test that notices none of these would notice
// nothing.

import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { inProject } from "../../host/pipeline/paths.js";
import { SMALL, schedulerWasm } from "../../host/sched/code.js";
import { PROMISES } from "./promises.js";
import { randomWorlds } from "./random.js";

interface Mutant {
  name: string;
  file: string;
  from: string;
  to: string;
}

const MUTANTS: Mutant[] = [
  { name: "a heap that never sinks", file: "heap", from: "if (heapKey(heap, below) >= key) break;", to: "break;" },
  { name: "the wrong child", file: "heap", from: "child + 1 < size &&", to: "child + 1 > size &&" },
  { name: "removal forgets to settle", file: "heap", from: "if (at != last) settle", to: "if (at > last) settle" },
  { name: "weights do not count", file: "fair", from: "units / entity.share_weight", to: "units" },
  {
    name: "what is left of a division is lost",
    file: "fair",
    from: "ran_ns * SCALE + entity.share_rest",
    to: "(ran_ns / 1000000) * 16000000",
  },
  { name: "sleepers collect credit", file: "fair", from: "max<u64>(entity.pass, behind)", to: "entity.pass" },
  {
    name: "virtual time stands still",
    file: "fair",
    from: "store<u64>(levelOf(entity.engine, level), max<u64>(virtualTime(entity.engine, level), behind));",
    to: "",
  },
  {
    name: "what was charged in two pieces moves virtual time too far",
    file: "fair",
    from: "heapSize(heap) == 0 ? entity.pass : min<u64>(entity.pass, heapTopKey(heap))",
    to: "entity.pass",
  },
  {
    name: "a low priority is owed nothing any more when it has nobody for a moment",
    file: "fair",
    from: "  heapRemove(heap, entity.vgpu);\n",
    to: "  heapRemove(heap, entity.vgpu);\n  if (heapSize(heap) == 0) setOwed(entity.engine, entity.share_level, 0);\n",
  },
  { name: "low priorities starve", file: "fair", from: "owed(engine, level) >=", to: "owed(engine, level) + 1 == " },
  {
    name: "what a low priority ran too long is forgotten",
    file: "fair",
    from: "debt = PRIORITY_DEBT_NS",
    to: "debt = 0",
  },
  {
    name: "high priority is not asked first",
    file: "fair",
    from: "for (let level = PRIORITIES; level-- > 0; )",
    to: "for (let level: u32 = 0; level < PRIORITIES; level++)",
  },
  { name: "a new weight does not scale the lead", file: "fair", from: "* entity.share_weight) / weight", to: "* 50)" },
  { name: "caps are never charged", file: "cap", from: "max<u64>(entity.cap_ns, since) +", to: "since +" },
  { name: "an endless cap window", file: "cap", from: "max<u64>(entity.cap_ns, since) +", to: "entity.cap_ns +" },
  { name: "capped ones are not let go", file: "weighted", from: "i < RELEASES_MAX", to: "i < 0" },
  { name: "caps are not looked at", file: "weighted", from: "!capped(entity, now)) return;", to: "true) return;" },
  {
    name: "high waits for a slice's end",
    file: "weighted",
    from: "woken.share_level > running.share_level",
    to: "false",
  },
  {
    name: "throttled ones are not held",
    file: "throttle",
    from: "entity.free_ns <= now) return;",
    to: "true) return;",
  },
  { name: "held ones are not let go", file: "throttle", from: "i < RELEASES_MAX", to: "i < 0" },
  { name: "held ones stay so", file: "throttle", from: "  throttleForget(entity);\n    if", to: "  if" },
  {
    name: "a throttled one's promise is kept",
    file: "deadline",
    from: "entity.runtime_ns == 0 || entity.throttle != 0",
    to: "entity.runtime_ns == 0",
  },
  { name: "budgets are endless", file: "deadline", from: "entity.budget_ns -=", to: "entity.budget_ns -= 0 *" },
  { name: "sleeping renews a budget", file: "deadline", from: "if (!budgetFits(entity, now))", to: "if (true)" },
  { name: "budgets do not come back", file: "deadline", from: "heapTopKey(spent) > now) break;", to: "true) break;" },
  { name: "deadlines do not preempt", file: "deadline", from: "return running.serving == 0 ||", to: "return false &&" },
  {
    name: "latest deadline first",
    file: "deadline",
    from: "heapInsert(heap, entity.vgpu, entity.deadline_ns);",
    to: "heapInsert(heap, entity.vgpu, 0 - entity.deadline_ns);",
  },
  {
    name: "idle slots are given away",
    file: "fixed_share",
    from: "chooseNobody(entity.paid_until_ns > now ?",
    to: [
      "if (runnable(entityAt(engine, (entity.vgpu + 1) % 3))) {",
      "  choose(100000, 0);",
      "  return (entity.vgpu + 1) % 3;",
      "}",
      "chooseNobody(entity.paid_until_ns > now ?",
    ].join("\n"),
  },
  { name: "slots do not end", file: "fixed_share", from: "choose(end - now, end);", to: "choose(frame.length_ns, 0);" },
  {
    name: "new slots are never laid out",
    file: "fixed_share",
    from: "if (number != frame.changed_frame)",
    to: "if (false)",
  },
  {
    name: "best effort serves one for ever",
    file: "best_effort",
    from: "heapUpdate(heap, entity.vgpu, turn++);",
    to: "turn++;",
  },
  {
    name: "no timeout of preemption",
    file: "engine",
    from: "now - engine.stop_ns < engineEntity(engine).timeout_ns",
    to: "true",
  },
  {
    name: "no limit of a workload",
    file: "engine",
    from: "total < WORKLOAD_NS_MAX ? WORKLOAD_NS_MAX - total : 0",
    to: "WORKLOAD_NS_MAX",
  },
  {
    name: "slices never end",
    file: "engine",
    from: "if (endOfSlice(engine, now) > now) return ACTION_NONE;",
    to: "return ACTION_NONE;",
  },
  {
    name: "a slice is not charged",
    file: "engine",
    from: "  charge(engine, now);\n  if (workloadLeft",
    to: "  engine.started_ns = now;\n  if (workloadLeft",
  },
  {
    name: "the queue's order is lost",
    file: "workload",
    from: "(entity.head + i) % WORKLOADS_MAX",
    to: "(entity.head - i) % WORKLOADS_MAX",
  },
  {
    name: "a sleeper stays in the order",
    file: "engine",
    from: "  if (!runnable(entity)) policySleep(engine.policy, entity);\n  return true;",
    to: "  return true;",
  },
];

function mutate({ file, from, to }: Mutant): ReadonlyMap<string, string> {
  const path = `unikernel/core/sched/${file}.ts`;
  const text = readFileSync(inProject(path), "utf8");
  if (!text.includes(from)) throw new Error(`${path} has no "${from}" any more`);
  return new Map([[path, text.replace(from, to)]]);
}

/** The first promise that it breaks. */
function broken(wasm: Uint8Array): string | undefined {
  for (const [name, holds] of [...PROMISES, ["random worlds", (one: Uint8Array) => randomWorlds(one, 40)] as const]) {
    try {
      holds(wasm);
    } catch {
      return name;
    }
  }
  return undefined;
}

const mutants = suite("mutants of the scheduler");
for (const mutant of MUTANTS) {
  mutants(`${mutant.name} is noticed`, async () => {
    assert.ok(broken(await schedulerWasm(SMALL, mutate(mutant))), "no promise was broken");
  });
}
mutants.run();
