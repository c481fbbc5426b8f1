// SPDX-License-Identifier: MIT
//
// See hello.sh.

import type { ScenarioOptions } from "../scenario.js";
import dom0Script from "./hello.sh";

export function hello(): ScenarioOptions {
  return {
    name: "hello",
    dom0Script,
    guests: { hello: { script: 'echo "hello from $(uname -sr)"\n' } },
  };
}
