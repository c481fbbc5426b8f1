// SPDX-License-Identifier: MIT
//
// Runs a scenario in the simulated machine, with all checkers on: a log line for each step, and what was not as
// expected. The table of steps is the format's definition.

import { addMemory } from "../domain.js";
import { actNth, failNth } from "../faults.js";
import { finish } from "../play/finish.js";
import {
  Breach,
  bear,
  createMachine,
  type Guest,
  guarded,
  inspect,
  type Machine,
  type MachineOptions,
  PLANNED,
} from "../play/machine.js";
import { rest } from "../play/operation.js";
import { CorePanic } from "../shim.js";
import { advanceTime, killDomain } from "../world.js";
import { storeRead, storeRemove, storeWrite } from "../xenstore.js";
import { type Cpu, isGuestCommand, tellGuest } from "./guest.js";
import { durationOf, numberOf, ScenarioTextError, type Step } from "./parse.js";

export interface LogLine {
  line: number;
  step: string;
  answer: string;
  /** What was expected instead. */
  wrong?: string;
}

export interface ScenarioLog {
  lines: LogLine[];
  /** The checker's words, when one noticed something. */
  breach: string | undefined;
  failed: number;
}

interface Play {
  machine: Machine;
  cpus: Map<string, Cpu>;
  request: number;
}

/** RAM of the test's guests: 16 MiB, as their configuration says. */
const GUEST_PAGES = 4096;
const ERRNO = 12;

type Run = (play: Play, words: string[], step: Step) => string;

const STEPS: Record<string, Run> = {
  guest: newGuest,
  attach: (play, [, name, number, ...spec]) => setNode(play, vgpuPath(play, name, number), spec.join(" ")),
  detach: (play, [, name, number]) => dropNode(play, vgpuPath(play, name, number)),
  state: (play, [, name, number]) => node(play, `${vgpuPath(play, name, number)}/state`),
  error: (play, [, name, number]) => node(play, `${vgpuPath(play, name, number)}/error`),
  node: (play, [, path]) => node(play, `data/glovebox/${path}`),
  put: (play, [, path, ...value]) => setNode(play, `data/glovebox/${path}`, value.join(" ")),
  remove: (play, [, path]) => dropNode(play, `data/glovebox/${path}`),
  request,
  time: (play, [, duration]) => time(play, durationOf(duration)),
  fail: (play, [, call, nth]) => fault(play, call, nth, false),
  panic: (play, [, call, nth]) => fault(play, call, nth, true),
  die: (play, [, name]) => die(play, name),
  pause: (play, [, name]) => pause(play, name, true),
  unpause: (play, [, name]) => pause(play, name, false),
};

export function runScenarioText(options: MachineOptions, subject: string, steps: readonly Step[]): ScenarioLog {
  const play: Play = { machine: createMachine(options), cpus: new Map(), request: 0 };
  const log: ScenarioLog = { lines: [], breach: undefined, failed: 0 };
  try {
    for (const step of steps) {
      log.lines.push(runStep(play, subject, step));
      inspect(play.machine, false);
    }
    finish(play.machine);
  } catch (error) {
    if (!(error instanceof Breach)) throw error;
    log.breach = error.message;
  }
  log.failed = log.lines.filter((one) => one.wrong !== undefined).length + (log.breach === undefined ? 0 : 1);
  return log;
}

function runStep(play: Play, subject: string, step: Step): LogLine {
  const answer = tell(play, subject, step);
  const line: LogLine = { line: step.line, step: step.rest, answer };
  const { expect } = step;
  if (expect === undefined) return line;
  const shown = answer.replace(/^\d+ ok \w+ /, "");
  if ("is" in expect && shown !== expect.is && answer !== expect.is) line.wrong = expect.is;
  if ("like" in expect && !expect.like.test(answer)) line.wrong = `${expect.like}`;
  return line;
}

function tell(play: Play, subject: string, step: Step): string {
  const [first = "", second = "", ...more] = step.words;
  const run = STEPS[first];
  try {
    if (run !== undefined) return run(play, step.words, step);
    const cpu = play.cpus.get(first);
    if (cpu === undefined) throw new Error(`no step and no guest is called "${first}"`);
    if (!isGuestCommand(second)) throw new Error(`guests know no command "${second}"`);
    return tellGuest(cpu, second, more.map(numberOf));
  } catch (error) {
    if (error instanceof Breach || error instanceof CorePanic) throw error;
    throw new ScenarioTextError(subject, step.line, (error as Error).message);
  }
}

function cpuOf(play: Play, name: string | undefined): Cpu {
  const cpu = play.cpus.get(name ?? "");
  if (cpu === undefined) throw new Error(`no guest is called "${name ?? ""}"`);
  return cpu;
}

/** guest NAME [KEY=NUMBER ...] [MODULE[:PARAM=VALUE ...] ...]: its devices get numbers from 0, in order. */
function newGuest(play: Play, [, name, ...words]: string[]): string {
  if (name === undefined || !/^[a-z]+$/.test(name)) throw new Error("a guest's name is a word of small letters");
  const value = (key: string, other: number) => {
    const word = words.find((one) => one.startsWith(`${key}=`));
    return word === undefined ? other : Number(numberOf(word.slice(key.length + 1)));
  };
  const allowancePages = value("allowance", 1 << 14);
  const guest: Guest = bear(play.machine, play.cpus.size, { vcpus: value("vcpus", 1), allowancePages });
  addMemory(guest.domain, 0n, GUEST_PAGES);
  const cpu = { machine: play.machine, guest, seen: 0 };
  play.cpus.set(name, cpu);
  let number = 0;
  for (const word of words.filter((one) => !/^(vcpus|allowance)=/.test(one))) {
    const [module, ...params] = word.split(":");
    setNode(play, vgpuPath(play, name, `${number}`), [`module=${module}`, "guest=pvh", ...params].join(" "));
    const state = node(play, `${vgpuPath(play, name, `${number++}`)}/state`);
    if (state !== "ready") return state;
  }
  return "up";
}

function vgpuPath(play: Play, name: string | undefined, number: string | undefined): string {
  return `data/glovebox/vgpu/${cpuOf(play, name).guest.domain.domid}/${number ?? "0"}`;
}

function node(play: Play, path: string): string {
  rest(play.machine);
  return storeRead(play.machine.world.store, path) ?? "none";
}

function setNode(play: Play, path: string, value: string): string {
  storeWrite(play.machine.world.store, path, value);
  rest(play.machine);
  return "done";
}

function dropNode(play: Play, path: string): string {
  const there = storeRemove(play.machine.world.store, path);
  rest(play.machine);
  return there ? "done" : "nothing there";
}

/** request VERB ...: a guest's name stands for its domid. The answer without its number. */
function request(play: Play, [, ...words]: string[]): string {
  const known = words.map((one) => play.cpus.get(one)?.guest.domain.domid ?? one);
  setNode(play, "data/glovebox/request", `${++play.request} ${known.join(" ")}`);
  play.machine.requests = Math.max(play.machine.requests, play.request);
  return node(play, "data/glovebox/reply").replace(/^\d+ /, "");
}

function time(play: Play, ns: bigint): string {
  guarded(play.machine, () => advanceTime(play.machine.world, ns));
  rest(play.machine);
  return "done";
}

function fault(play: Play, call = "", nth = "1", isPanic: boolean): string {
  const { faults } = play.machine.world;
  if (!isPanic) failNth(faults, call, Number(numberOf(nth)), ERRNO);
  else {
    actNth(faults, call, Number(numberOf(nth)), () => {
      play.machine.plannedPanics++;
      throw new CorePanic(PLANNED, 0n);
    });
  }
  return "planned";
}

function die(play: Play, name: string | undefined): string {
  killDomain(play.machine.world, cpuOf(play, name).guest.domain.domid);
  rest(play.machine);
  return "done";
}

function pause(play: Play, name: string | undefined, paused: boolean): string {
  cpuOf(play, name).guest.domain.paused = paused;
  return "done";
}
