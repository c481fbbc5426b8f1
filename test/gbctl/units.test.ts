// SPDX-License-Identifier: MIT
//
// gbctl's parsers, JSON and xl, without a world around them (units.c).

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runUnits } from "./bench.js";

const units = suite("gbctl units");

units("parsers, JSON and xl", () => assert.match(runUnits(), /^0 failures$/m));
units.run();
