// SPDX-License-Identifier: MIT
//
// Capability "work": modules ask for copies, the scheduler says whose is next, the copy engine does it in slices of the
// loop's background part, work_done() tells the module. Between two slices traps are answered, so a big copy delays
// nobody; what it takes is measured and charged to its vGPU.
//
// Everything that a module says is checked when it asks. What may have changed until its turn comes (a buffer
// destroyed, RAM taken away) is found then, and ends that workload alone.

import { MANIFEST_CAPABILITIES, MANIFEST_WORKLOADS } from "../../abi/manifest";
import {
  CAPABILITY_BUSY, CAPABILITY_OK, CAPABILITY_WORK, ENGINE_COPY, WORK_CANCELLED, WORK_FAILED, WORK_OK,
} from "../../abi/module";
import { CAPABILITY_FATAL, STAT_RUN_NS, shim_stat, shim_time_ns } from "../../abi/shim";
import { COPY_REACHES_MAX, COPY_SLICE_BYTES, COPY_SLICE_NS, VGPUS_MAX } from "../limits";
import { touch } from "../restart/dirty";
import {
  ACTION_PREEMPT, ENGINE_RUNNING, Engine, engineAt, engineAttach, engineCancel, engineDetach, engineDone,
  engineEntity, engineInit, engineLook, enginePolicy, engineRan, engineSet, engineSlot, engineStopped, engineSubmit,
  engineThrottle, engineTick,
} from "../sched/engine";
import { admits } from "../sched/admission";
import { Parameters, entityAt, parametersCopy } from "../sched/entity";
import { parametersSound } from "../sched/parameter";
import { POLICIES, POLICY_WEIGHTED } from "../sched/policy";
import { queueSlot, workloadAt } from "../sched/workload";
import { Text } from "../text";
import { wakeBy } from "../timer";
import { bufferFind, mayUseBuffers } from "../vgpu/buffer";
import { holdsRows } from "../vgpu/buffer_access";
import { deviceWorkDone } from "../vgpu/device";
import { refusedBy } from "../vgpu/guest_memory";
import { lose, loseWords } from "../vgpu/lose";
import { manifest } from "../vgpu/module";
import { quarantineCount } from "../vgpu/quarantine";
import { THRESHOLD_ENGINE_TIMEOUTS } from "../vgpu/threshold";
import { VGPU_ATTACHING, VGPU_FREE, VGPU_READY, Vgpu, vgpuAt } from "../vgpu/vgpu";
import { COPY_DONE, COPY_MORE, Copy, copiedBytes, copyAt, copyNothing, copyReach, copyRows } from "./copy";

/** Something may be to do: the loop asks after every trap, which must cost nothing. */
let due: bool = false;

@inline
export function copyEngine(): Engine {
  return engineAt(ENGINE_COPY);
}

export function workStart(): void {
  engineInit(ENGINE_COPY, POLICY_WEIGHTED, true);
}

// --- a vGPU's life ---

/** With default parameters; modules without the capability take part too, so that they can be set beforehand. */
export function workAttach(vgpu: Vgpu): void {
  engineAttach(copyEngine(), vgpu.index, load<u32>(manifest(vgpu.module), MANIFEST_WORKLOADS), shim_time_ns());
}

/** What of it outlives a restart: the parameters, and the policy. Workloads do not, as buffers do not. */
export function workSave(vgpu: Vgpu, to: Parameters): void {
  parametersCopy(entityAt(ENGINE_COPY, vgpu.index), to);
  to.policy = copyEngine().policy;
}

/** Parameters that nobody can have set are the default ones again. */
export function workRestore(vgpu: Vgpu, from: Parameters): void {
  workAttach(vgpu);
  if (parametersSound(from)) engineSet(copyEngine(), vgpu.index, from, shim_time_ns());
  if (from.policy < POLICIES) enginePolicy(copyEngine(), from.policy, shim_time_ns());
}

export function workDetach(vgpu: Vgpu): void {
  const now = shim_time_ns();
  if (engineDetach(copyEngine(), vgpu.index, now)) stop(now);
}

/** Nothing that it asked for is done any more, and nobody is told. */
export function workCancel(vgpu: Vgpu): void {
  if (engineCancel(copyEngine(), vgpu.index)) stop(shim_time_ns());
}

/** Before its module is reset: it hears of each workload that will not be done. */
export function workReset(vgpu: Vgpu): void {
  const entity = entityAt(ENGINE_COPY, vgpu.index);
  for (let left = entity.count; left != 0 && vgpu.state == VGPU_READY; left--) {
    deviceWorkDone(vgpu, workloadAt(queueSlot(entity, entity.count - left)).cookie, WORK_CANCELLED);
  }
  workCancel(vgpu);
}

/** The copy engine runs by steps, so between two of them it stops at once. */
function stop(now: u64): void {
  if (engineTick(copyEngine(), now) == ACTION_PREEMPT) engineStopped(copyEngine(), now);
}

// --- what modules ask for ---

function mayWork(vgpu: Vgpu, engine: u32): bool {
  if (!(load<u32>(manifest(vgpu.module), MANIFEST_CAPABILITIES) & CAPABILITY_WORK)) return false;
  return engine == ENGINE_COPY && (vgpu.state == VGPU_READY || vgpu.state == VGPU_ATTACHING);
}

export function workCopy(
  tag: u32, engine: u32, cookie: u64, dst: u32, dst_offset: u64, dst_stride: u32, src: u32, src_offset: u64,
  src_stride: u32, row_bytes: u32, rows: u32,
): i32 {
  const vgpu = vgpuAt(tag);
  const to = mayWork(vgpu, engine) && mayUseBuffers(vgpu) ? bufferFind(vgpu, dst) : null;
  const from = bufferFind(vgpu, src);
  if (to == null || from == null) return CAPABILITY_FATAL;
  if (!holdsRows(to, dst_offset, dst_stride, row_bytes, rows)) return refusedBy(vgpu);
  if (!holdsRows(from, src_offset, src_stride, row_bytes, rows)) return refusedBy(vgpu);
  const copy = submit(vgpu, cookie, <u64>row_bytes * rows);
  if (copy == null) return CAPABILITY_BUSY;
  copyRows(copy, dst, dst_offset, dst_stride, src, src_offset, src_stride, row_bytes, rows);
  return CAPABILITY_OK;
}

export function workFence(tag: u32, engine: u32, cookie: u64): i32 {
  const vgpu = vgpuAt(tag);
  if (!mayWork(vgpu, engine)) return CAPABILITY_FATAL;
  return submit(vgpu, cookie, 0) == null ? CAPABILITY_BUSY : CAPABILITY_OK;
}

/** A place in the queue, nothing to copy yet; null: it is full. */
function submit(vgpu: Vgpu, cookie: u64, cost: u64): Copy | null {
  const slot = engineSubmit(copyEngine(), vgpu.index, cookie, cost, shim_time_ns());
  if (slot < 0) return null;
  due = true;
  const copy = copyAt(slot);
  copyNothing(copy);
  return copy;
}

// --- the loop's background part ---

/** Could these parameters be kept? False with the arithmetic in `error`. */
export function workAdmits(vgpu: Vgpu, to: Parameters, error: Text): bool {
  return admits(ENGINE_COPY, vgpu.index, to, error);
}

/** What the operator sets may let somebody run who had to wait. */
export function workSet(vgpu: Vgpu, to: Parameters): void {
  engineSet(copyEngine(), vgpu.index, to, shim_time_ns());
  touch(vgpu.index);
  due = true;
}

/** Percent of the engine at most, beside its parameters; 0: by these alone. */
export function workThrottle(vgpu: Vgpu, percent: u32): void {
  engineThrottle(copyEngine(), vgpu.index, percent, shim_time_ns());
  due = true;
}

export function workPolicy(policy: u32): void {
  if (policy == copyEngine().policy) return;
  enginePolicy(copyEngine(), policy, shim_time_ns());
  for (let i: u32 = 0; i < VGPUS_MAX; i++) if (vgpuAt(i).state != VGPU_FREE) touch(i);
  due = true;
}

/** The timer rang: a cap, a window or a budget may be over. */
export function workTime(): void {
  due = true;
}

/** One slice of somebody's workload; true: there is more. */
export function workSlice(): bool {
  if (!due) return false;
  const engine = copyEngine();
  const now = shim_time_ns();
  if (engineTick(engine, now) == ACTION_PREEMPT) preempted(engine, now);
  if (engine.state == ENGINE_RUNNING) run(engine);
  else rest(engine, now);
  return due;
}

function preempted(engine: Engine, now: u64): void {
  const vgpu = vgpuAt(engineEntity(engine).vgpu);
  if (engineStopped(engine, now)) engineTick(engine, now);
  else {
    quarantineCount(vgpu.domid, THRESHOLD_ENGINE_TIMEOUTS);
    loseWords(vgpu).put("a workload took more engine time than any may");
    lose(vgpu, 0, 0);
  }
}

/** Nobody may run now: ask again when that changes. */
function rest(engine: Engine, now: u64): void {
  due = false;
  const look = engineLook(engine, now);
  if (look != 0) wakeBy(look);
}

/** One slice of a copy, which began at that time of our own; at least one reach into the guest. */
function copySlice(vgpu: Vgpu, copy: Copy, begun_ns: u64): u32 {
  let end = COPY_MORE;
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < COPY_REACHES_MAX && bytes < COPY_SLICE_BYTES && end == COPY_MORE; i++) {
    if (i != 0 && shim_stat(STAT_RUN_NS) - begun_ns >= COPY_SLICE_NS) break;
    end = copyReach(vgpu, copy, COPY_SLICE_BYTES - bytes);
    bytes += copiedBytes;
  }
  return end;
}

function run(engine: Engine): void {
  const vgpu = vgpuAt(engineEntity(engine).vgpu);
  const slot = engineSlot(engine);
  const before = shim_stat(STAT_RUN_NS); // what Xen gives to others in between is nobody's engine time
  const end = copySlice(vgpu, copyAt(slot), before);
  engineRan(engine, shim_stat(STAT_RUN_NS) - before);
  if (end == COPY_MORE) return;
  const cookie = workloadAt(slot).cookie;
  engineDone(engine, shim_time_ns());
  deviceWorkDone(vgpu, cookie, end == COPY_DONE ? WORK_OK : WORK_FAILED);
}
