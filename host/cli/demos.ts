// SPDX-License-Identifier: MIT
//
// What `npm start` can show: three guests on one driver domain under FLASK, or one guest on Debian's own Xen. A demo
// names its stages, its scenario, its pictures, and what it says at the end.

import { flaskXen } from "../lab/flask/hypervisor.js";
import { policy } from "../lab/flask/policy.js";
import { images } from "../lab/images.js";
import type { ScenarioOptions, ScenarioResult } from "../lab/scenario.js";
import { demo, readDemo } from "../lab/scenarios/demo.js";
import { readTrio, SCREENS, trio } from "../lab/scenarios/trio.js";
import { summary, trioSummary } from "./summary.js";

type Say = (text: string) => void;

export interface Told {
  report: { faults: string[] };
  /** The last words on the terminal. */
  text: (pictures: readonly string[], logs: string) => string;
}

export interface Demo {
  /** Name in the scenario's steps -> title on the terminal. */
  stages: Record<string, string>;
  /** Makes what the machine boots, once. */
  prepare: (say: Say) => Promise<unknown>;
  scenario: () => ScenarioOptions;
  /** Of the scenario's outputs. */
  pictures: readonly string[];
  /** The one of them that is also kept as screen.png, the picture of the README. */
  front: string;
  read: (result: ScenarioResult) => Told;
}

const STOCK: Demo = {
  stages: {
    boot: "boot Xen and Dom0",
    "driver domain": "start the driver domain",
    guest: "boot the guest",
    draw: "draw at 1024x768",
    picture: "take a picture of the guest's screen",
    draw2: "draw at 1280x720",
    summary: "collect figures and logs",
  },
  prepare: (say) => images({ onProgress: say }),
  scenario: demo,
  pictures: ["screen.png"],
  front: "screen.png",
  read: (result) => {
    const report = readDemo(result);
    return { report, text: ([picture = ""], logs) => summary(report, picture, logs) };
  },
};

const FLASK: Demo = {
  stages: {
    boot: "boot Xen, enforcing its FLASK policy, and Dom0",
    "driver domain": "start one driver domain",
    guests: "boot three guests: two on virtio-gpu, one on bochs-display",
    draw: "draw on all five screens",
    pictures: "take a picture of each screen",
    share: "let two guests compete for the engine, weights 8 and 4",
    summary: "collect figures and logs",
  },
  prepare: async (say) => policy(await flaskXen(await images({ onProgress: say }), say), say),
  scenario: () => trio(),
  pictures: SCREENS.map((name) => `${name}.png`),
  front: "panel-0.png",
  read: (result) => {
    const report = readTrio(result);
    return { report, text: (pictures, logs) => trioSummary(report, pictures, logs) };
  },
};

/** --flask says what is so anyway. */
export const chooseDemo = (options: { stock?: boolean }): Demo => (options.stock ? STOCK : FLASK);
