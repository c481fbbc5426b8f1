// SPDX-License-Identifier: MIT
//
// One engine, its guests and the driver domain's scheduler in simulated time. Event by event: arrivals, the end of a
// workload, of a slice, of a wait for a cap or a window. Same load, same seed, same run; nothing asks the host's clock.

import type { SchedulerCode } from "./code.js";
import { type Change, draw, type GuestLoad, type Load } from "./load.js";
import { createQueue, type EventQueue, nextTime, put, take } from "./queue.js";
import { createRandom, exponential, type Random } from "./random.js";
import {
  ACTION_NONE,
  ACTION_PREEMPT,
  ACTION_RESET,
  ACTION_START,
  type PolicyName,
  policyNumber,
  setParameters,
} from "./scheduler.js";

const NS_PER_US = 1000;
const NS_PER_MS = 1_000_000;
const NEVER = Number.POSITIVE_INFINITY;
const ENGINE = 0;

export interface Options {
  load: Load;
  policy: PolicyName;
  timeMs: number;
  seed: number;
  /** Looked at after every so many events; 0: never. An unsound scheduler is an exception. */
  checkEvery?: number;
  /** Engine time of all guests is noted at these moments, ms. */
  samplesMs?: readonly number[];
}

export interface GuestResult {
  name: string;
  usedNs: number;
  done: number;
  refused: number;
  lost: boolean;
  late: number;
  withDeadline: number;
  /** From arrival to the first start, each. */
  waitsNs: number[];
  /** Longest time that it wanted the engine and did not get it. */
  gapNs: number;
}

export interface Result {
  timeNs: number;
  busyNs: number;
  decisions: number;
  steps: number;
  stepsMax: number;
  guests: GuestResult[];
  /** By sample, by guest. */
  samples: number[][];
  finalCheck: number;
}

interface Job {
  guest: number;
  leftNs: number;
  arrivedNs: number;
  deadlineNs: number;
  started: boolean;
}

interface Guest {
  load: GuestLoad;
  result: GuestResult;
  hung: boolean;
  wantsSinceNs: number; // NEVER while it has nothing, or runs
}

type Event = { kind: "arrival"; guest: number } | { kind: "change"; change: Change } | { kind: "sample" };

interface World {
  code: SchedulerCode;
  options: Options;
  random: Random;
  now: number;
  events: EventQueue<Event>;
  guests: Guest[];
  jobs: Map<bigint, Job>;
  cookie: bigint;
  running: { job: Job; cookie: bigint; startedNs: number } | undefined;
  doneNs: number; // when the running workload will be finished
  stopNs: number; // when the engine will have stopped, or be reset
  resetting: boolean;
  stepsMax: number;
  /** Turns in which time did not move. */
  still: number;
  samples: number[][];
}

export function simulate(code: SchedulerCode, options: Options): Result {
  const world = begin(code, options);
  const end = options.timeMs * NS_PER_MS;
  for (let events = 1; ; events++) {
    const time = nextMoment(world);
    if (time > end) break;
    mustMove(world, time);
    engineEvents(world);
    while (nextTime(world.events) <= world.now) happen(world, take(world.events) as Event);
    drive(world);
    if (options.checkEvery && events % options.checkEvery === 0) mustBeSound(world);
  }
  world.now = end;
  return results(world);
}

/** A scheduler that does not let time go on is broken; 10,000 guests may all arrive at one moment. */
const STANDSTILL_MAX = 200_000;

function mustMove(world: World, time: number): void {
  world.still = time > world.now ? 0 : world.still + 1;
  if (world.still > STANDSTILL_MAX) throw new Error(`time stands still at ${world.now} ns`);
  world.now = Math.max(time, world.now);
}

function begin(code: SchedulerCode, options: Options): World {
  const { load, policy, seed } = options;
  const world: World = {
    code,
    options,
    random: createRandom(seed),
    now: 0,
    events: createQueue(),
    guests: load.guests.map(newGuest),
    jobs: new Map(),
    cookie: 0n,
    running: undefined,
    doneNs: NEVER,
    stopNs: NEVER,
    resetting: false,
    stepsMax: 0,
    still: 0,
    samples: [],
  };
  code.init(ENGINE, policyNumber(policy), 0);
  for (const [vgpu, guest] of load.guests.entries()) {
    code.attach(ENGINE, vgpu, 0n);
    setParameters(code, vgpu, guest, 0);
    firstArrivals(world, vgpu, guest);
  }
  for (const change of load.changes ?? []) put(world.events, change.atMs * NS_PER_MS, { kind: "change", change });
  for (const at of options.samplesMs ?? []) put(world.events, at * NS_PER_MS, { kind: "sample" });
  return world;
}

function newGuest(load: GuestLoad): Guest {
  const result: GuestResult = {
    name: load.name,
    usedNs: 0,
    done: 0,
    refused: 0,
    lost: false,
    late: 0,
    withDeadline: 0,
    waitsNs: [],
    gapNs: 0,
  };
  return { load, result, hung: false, wantsSinceNs: NEVER };
}

function firstArrivals(world: World, guest: number, { arrivals, fromMs = 0 }: GuestLoad): void {
  const from = fromMs * NS_PER_MS;
  const first = (delay: number) => put(world.events, Math.round(from + delay), { kind: "arrival", guest });
  if (arrivals.kind === "flood") for (let i = 0; i < (arrivals.queue ?? 2); i++) first(0);
  else if (arrivals.kind === "periodic") first((arrivals.offsetUs ?? 0) * NS_PER_US);
  else if (arrivals.kind === "poisson") first(exponential(world.random, arrivals.meanUs) * NS_PER_US);
  else first(draw(world.random, arrivals.thinkUs));
}

// --- what comes next ---

function nextMoment(world: World): number {
  const look = Number(world.code.look(ENGINE, BigInt(world.now)));
  return Math.min(nextTime(world.events), world.doneNs, world.stopNs, look === 0 ? NEVER : Math.max(look, world.now));
}

function happen(world: World, event: Event): void {
  if (event.kind === "arrival") arrive(world, event.guest);
  else if (event.kind === "change") change(world, event.change);
  else world.samples.push(world.guests.map((_, vgpu) => usedNs(world, vgpu)));
}

/** With what runs right now and is not charged yet. */
function usedNs(world: World, vgpu: number): number {
  return Number(world.code.used_ns(ENGINE, vgpu, BigInt(world.now)));
}

function arrive(world: World, vgpu: number): void {
  const guest = world.guests[vgpu] as Guest;
  const { load, result } = guest;
  if (result.lost || (load.untilMs !== undefined && world.now >= load.untilMs * NS_PER_MS)) return;
  const { arrivals, costUs = 1000, deadlineUs } = load;
  const cookie = world.cookie++;
  const cost = draw(world.random, costUs);
  if (world.code.queued(ENGINE, vgpu) === 0) guest.wantsSinceNs = world.now;
  const submit = () => world.code.submit(ENGINE, vgpu, cookie, BigInt(cost), BigInt(world.now));
  if (counted(world, submit) < 0) result.refused++;
  else {
    const deadlineNs = deadlineUs === undefined ? NEVER : world.now + deadlineUs * NS_PER_US;
    world.jobs.set(cookie, { guest: vgpu, leftNs: cost, arrivedNs: world.now, deadlineNs, started: false });
    if (deadlineUs !== undefined) result.withDeadline++;
  }
  if (arrivals.kind === "periodic") again(world, vgpu, arrivals.everyUs * NS_PER_US);
  if (arrivals.kind === "poisson") again(world, vgpu, exponential(world.random, arrivals.meanUs) * NS_PER_US);
}

function again(world: World, guest: number, delay: number): void {
  put(world.events, Math.round(world.now + delay), { kind: "arrival", guest });
}

function change(world: World, { policy, guest, throttle, atMs: _, ...parameters }: Change): void {
  if (policy !== undefined) world.code.policy(ENGINE, policyNumber(policy), BigInt(world.now));
  const vgpu = world.guests.findIndex(({ load }) => load.name === guest);
  if (vgpu >= 0) setParameters(world.code, vgpu, parameters, world.now);
  if (vgpu >= 0 && throttle !== undefined) world.code.throttle(ENGINE, vgpu, throttle, BigInt(world.now));
}

// --- the engine ---

function engineEvents(world: World): void {
  if (world.doneNs <= world.now) finish(world);
  else if (world.stopNs <= world.now) stop(world);
}

function off(world: World): NonNullable<World["running"]> {
  const was = world.running as NonNullable<World["running"]>;
  world.running = undefined;
  world.doneNs = NEVER;
  world.stopNs = NEVER;
  const guest = world.guests[was.job.guest] as Guest;
  guest.wantsSinceNs = world.now;
  return was;
}

function finish(world: World): void {
  const { job, cookie } = off(world);
  const guest = world.guests[job.guest] as Guest;
  counted(world, () => world.code.done(ENGINE, BigInt(world.now)));
  world.jobs.delete(cookie);
  guest.result.done++;
  if (world.now > job.deadlineNs) guest.result.late++;
  if (world.code.queued(ENGINE, job.guest) === 0) guest.wantsSinceNs = NEVER;
  const { arrivals } = guest.load;
  if (arrivals.kind === "flood") again(world, job.guest, 0);
  if (arrivals.kind === "closed") again(world, job.guest, draw(world.random, arrivals.thinkUs));
}

function stop(world: World): void {
  const { job, startedNs } = off(world);
  const now = BigInt(world.now);
  job.leftNs -= world.now - startedNs;
  let keep = true;
  if (world.resetting) world.code.reset_done(ENGINE, now);
  else keep = counted(world, () => world.code.stopped(ENGINE, now)) !== 0;
  if (world.resetting || !keep) lose(world, job.guest);
  world.resetting = false;
}

function lose(world: World, vgpu: number): void {
  const guest = world.guests[vgpu] as Guest;
  guest.result.lost = true;
  guest.wantsSinceNs = NEVER;
  world.code.detach(ENGINE, vgpu, BigInt(world.now));
}

/** Does what the scheduler says until it says nothing more. */
function drive(world: World): void {
  for (let turns = 0; ; turns++) {
    if (turns > STANDSTILL_MAX) throw new Error(`the scheduler does not come to rest at ${world.now} ns`);
    const action = counted(world, () => world.code.tick(ENGINE, BigInt(world.now)));
    if (action === ACTION_NONE) return;
    if (action === ACTION_START) start(world);
    if (action === ACTION_PREEMPT) askToStop(world);
    if (action === ACTION_RESET) reset(world);
  }
}

function start(world: World): void {
  const cookie = BigInt.asUintN(64, world.code.running_cookie(ENGINE));
  const job = world.jobs.get(cookie) as Job;
  const guest = world.guests[job.guest] as Guest;
  world.running = { job, cookie, startedNs: world.now };
  noteStart(world, guest, job);
  const { hangsAtMs } = guest.load;
  guest.hung ||= hangsAtMs !== undefined && world.now + job.leftNs >= hangsAtMs * NS_PER_MS;
  world.doneNs = guest.hung ? NEVER : world.now + job.leftNs;
}

function noteStart(world: World, guest: Guest, job: Job): void {
  if (!job.started) guest.result.waitsNs.push(world.now - job.arrivedNs);
  job.started = true;
  guest.result.gapNs = Math.max(guest.result.gapNs, world.now - guest.wantsSinceNs);
  guest.wantsSinceNs = NEVER;
}

function askToStop(world: World): void {
  const { job } = world.running as NonNullable<World["running"]>;
  const { preemptUs = 0 } = world.options.load.engine ?? {};
  if (!world.guests[job.guest]?.hung) world.stopNs = world.now + preemptUs * NS_PER_US;
  if (world.stopNs <= world.now && world.doneNs > world.now) stop(world);
}

function reset(world: World): void {
  world.resetting = true;
  world.doneNs = NEVER;
  world.stopNs = world.now + (world.options.load.engine?.resetUs ?? 0) * NS_PER_US;
  if (world.stopNs <= world.now) stop(world);
}

/** The most steps that one call took. */
function counted<T>(world: World, call: () => T): T {
  const before = world.code.steps();
  const answer = call();
  world.stepsMax = Math.max(world.stepsMax, Number(world.code.steps() - before));
  return answer;
}

// --- the end ---

function mustBeSound(world: World): void {
  const wrong = world.code.check(ENGINE);
  if (wrong !== 0) {
    throw new Error(`scheduler unsound at ${world.now} ns: code ${wrong >>> 16}, number ${wrong & 0xffff}`);
  }
}

function results(world: World): Result {
  const { code } = world;
  for (const [vgpu, guest] of world.guests.entries()) {
    guest.result.usedNs = usedNs(world, vgpu);
    if (guest.wantsSinceNs !== NEVER) {
      guest.result.gapNs = Math.max(guest.result.gapNs, world.now - guest.wantsSinceNs);
    }
  }
  for (const job of world.jobs.values()) {
    if (job.deadlineNs < world.now) (world.guests[job.guest] as Guest).result.late++;
  }
  return {
    timeNs: world.now,
    busyNs: world.guests.reduce((sum, { result }) => sum + result.usedNs, 0),
    decisions: Number(code.decisions(ENGINE)),
    steps: Number(code.steps()),
    stepsMax: world.stepsMax,
    guests: world.guests.map(({ result }) => result),
    samples: world.samples,
    finalCheck: code.check(ENGINE),
  };
}
