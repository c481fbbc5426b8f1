// SPDX-License-Identifier: MIT
//
// The first thing that happens: read the command line, look at the modules, tell xenstore.
//
// Words of the command line: wait=block (the default), or wait=busy:<microseconds> for a domain with a pCPU of its own;
// threshold=<name>:<number>[:<action>], any number of them (vgpu/threshold.ts).

import { shim_command_line, shim_set_busy_wait } from "../../abi/shim";
import { COMMAND_LINE_BYTES_MAX, checkLimits } from "../limits";
import { logLine, logSend } from "../log";
import { restoreAll } from "../restart/restore";
import { SPACE, Text, WORDS_BYTES, Words, fieldLength, parseNumber, parsed, startsWith } from "../text";
import { moduleCount, modulesLoad } from "../vgpu/module";
import { SETTINGS, settingName, thresholdApply, thresholdParse } from "../vgpu/threshold";
import { controlPump } from "./control";
import { VERSION, domainFailed, domainStart } from "./domain";

/** A busy wait of more than a second is a mistake in the unit. */
const BUSY_US_MAX: u64 = 1_000_000;

const COLON: u32 = 0x3a;

const LINE: usize = memory.data(COMMAND_LINE_BYTES_MAX, 8);
const WORDS: usize = memory.data(WORDS_BYTES, 8);

export function start(): void {
  checkLimits();
  modulesLoad();
  readCommandLine();
  logSend(logLine().put("glovebox ").put(VERSION).put(", ").number(moduleCount()).put(" modules"));
  restoreAll();
  domainStart();
  controlPump();
}

function readCommandLine(): void {
  const length = shim_command_line(<u32>LINE, COMMAND_LINE_BYTES_MAX);
  if (length <= 0) return;
  const words = changetype<Words>(WORDS).open(LINE, fieldLength(LINE, length));
  while (words.next(SPACE)) if (!readWord(words)) return logSend(wrongWord(domainFailed(), words));
}

function readWord(words: Words): bool {
  if (words.is("wait=block")) {
    shim_set_busy_wait(0);
    return true;
  }
  if (startsWith(words.at, words.length, "threshold=")) return readThreshold(words.at + 10, words.length - 10);
  if (!startsWith(words.at, words.length, "wait=busy:")) return false;
  if (!parseNumber(words.at + 10, words.length - 10) || parsed > BUSY_US_MAX) return false;
  shim_set_busy_wait(parsed * 1000);
  return true;
}

/** <name>:<number>[:<action>] */
function readThreshold(at: usize, length: u32): bool {
  if (!thresholdParse(at, length, COLON)) return false;
  thresholdApply();
  return true;
}

function wrongWord(text: Text, words: Words): Text {
  text.put("command line: \"").quote(words.at, min<u32>(words.length, 64));
  text.put("\": known are wait=block, wait=busy:<us, 0 to ").number(BUSY_US_MAX)
    .put("> and threshold=");
  for (let i: u32 = 0; i < SETTINGS; i++) text.put(i == 0 ? "" : "|").put(settingName(i));
  return text.put(":<number>[:warn|throttle|quarantine]");
}
