// SPDX-License-Identifier: MIT
//
// The scheduler's promises, in simulated time.

import { suite } from "uvu";
import { PROMISES } from "./promises.js";
import { smallWasm } from "./support.js";

const promises = suite("scheduler");
const wasm = await smallWasm();
for (const [name, holds] of PROMISES) promises(name, () => holds(wasm));
promises.run();
