// SPDX-License-Identifier: MIT
//
// The answer to a request: `<seq> ok key=value ...` or `<seq> error <sentence>`, in one static text.

import { REPLY_BYTES_MAX } from "../limits";
import { TEXT_HEADER_BYTES, Text, textAt } from "../text";

const BYTES: u32 = REPLY_BYTES_MAX + TEXT_HEADER_BYTES;
const REPLY: usize = memory.data(BYTES, 8);

export function reply(): Text {
  return changetype<Text>(REPLY);
}

/** The number that the client chose; 0 as long as it is not known. */
let seq: u64 = 0;

export function replyTo(number: u64): void {
  seq = number;
}

export function replyOk(): Text {
  return textAt(REPLY, BYTES).number(seq).put(" ok");
}

export function replyError(): Text {
  return textAt(REPLY, BYTES).number(seq).put(" error ");
}

/** " name=value" */
export function putPair(text: Text, name: string, value: u64): Text {
  return text.put(" ").put(name).put("=").number(value);
}
