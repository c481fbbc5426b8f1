// SPDX-License-Identifier: MIT
//
// Requests about thresholds: the table, changed while guests run; and a guest's book (docs/CONTROL.md).

import { SPACE, Text, Words } from "../text";
import {
  isThrottled, isWarned, putBreach, putQuarantine, quarantineCounted, quarantined, thresholdsChanged, warningsOf,
} from "../vgpu/quarantine";
import { THRESHOLDS, putSettings, putTable, settingName, thresholdApply, thresholdParse } from "../vgpu/threshold";
import { DOMID_END, argument, atEnd, take } from "./arguments";
import { putPair, replyError, replyOk } from "./reply";

const EQUALS: u32 = 0x3d;

/** threshold [<name>=<number>[:<action>] ...]: all words or none, then the whole table. */
export function threshold(words: Words): void {
  const first = words.at + words.length;
  const rest = <u32>(words.end - first);
  while (words.next(SPACE)) if (!thresholdParse(words.at, words.length, EQUALS)) return wrong(words);
  for (words.open(first, rest); words.next(SPACE); ) {
    thresholdParse(words.at, words.length, EQUALS);
    thresholdApply();
  }
  if (rest != 0) thresholdsChanged();
  putTable(replyOk());
}

function wrong(words: Words): void {
  putSettings(replyError().put("\"").quote(words.at, min<u32>(words.length, 48)).put("\": must be "));
}

/** book <guest>: what happened within the window that runs, and what followed. */
export function book(words: Words): void {
  if (!take(words, "guest", DOMID_END)) return;
  const domid = <u32>argument;
  if (!atEnd(words)) return;
  const text = replyOk().put(" state=").put(stateOf(domid));
  for (let which: u32 = 0; which < THRESHOLDS; which++) {
    putPair(text, settingName(which), quarantineCounted(domid, which));
  }
  putPair(text, "warnings", warningsOf(domid)).put(" why=\"");
  putReasons(text, domid).put("\"");
}

/** The strongest of what is in force. */
function stateOf(domid: u32): string {
  if (quarantined(domid)) return "quarantined";
  if (isThrottled(domid)) return "throttled";
  return isWarned(domid) ? "warned" : "none";
}

function putReasons(text: Text, domid: u32): Text {
  const both = quarantined(domid) && (isThrottled(domid) || isWarned(domid));
  if (quarantined(domid)) putQuarantine(text, domid);
  return putBreach(both ? text.put("; ") : text, domid);
}
