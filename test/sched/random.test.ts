// SPDX-License-Identifier: MIT

import { suite } from "uvu";
import { randomWorlds } from "./random.js";
import { smallWasm } from "./support.js";

const random = suite("scheduler in random worlds");
const wasm = await smallWasm();
random("300 worlds: sound after every event, shares of the fluid model", () => randomWorlds(wasm, 300));
random.run();
