// SPDX-License-Identifier: MIT
//
// What `npm start` can show: one guest on Debian's own Xen, or three on one driver domain under FLASK. A demo names its
// stages, its scenario, its pictures, and what it says at the end.

import { flaskXen } from "../lab/flask/hypervisor.js";
import { policy } from "../lab/flask/policy.js";
import { images } from "../lab/images.js";
import type { ScenarioOptions, ScenarioResult } from "../lab/scenario.js";
import { demo, readDemo } from "../lab/scenarios/demo.js";
import { GUESTS, guests, readGuests } from "../lab/scenarios/guests.js";
import { guestsSummary, summary } from "./summary.js";

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
  read: (result) => {
    const report = readDemo(result);
    return { report, text: ([picture = ""], logs) => summary(report, picture, logs) };
  },
};

const FLASK: Demo = {
  stages: {
    boot: "boot Xen, enforcing its FLASK policy, and Dom0",
    "driver domain": "start one driver domain",
    guests: "boot three guests",
    draw: "each draws its own picture",
    pictures: "take a picture of each screen",
    summary: "collect figures and logs",
  },
  prepare: async (say) => policy(await flaskXen(await images({ onProgress: say }), say), say),
  scenario: guests,
  pictures: GUESTS.map((name) => `screen-${name}.png`),
  read: (result) => {
    const report = readGuests(result);
    return { report, text: (pictures, logs) => guestsSummary(report, pictures, logs) };
  },
};

/** Without --flask the demo is the one that needs nothing but Debian's binaries. */
export const chooseDemo = (options: { flask?: boolean }): Demo => (options.flask ? FLASK : STOCK);
