// SPDX-License-Identifier: MIT
//
// Paths of the control tree (docs/CONTROL.md), relative to the domain's own directory.

import { Text } from "../text";

export function putBase(text: Text): Text {
  return text.put("data/glovebox/");
}

export function putVgpuPath(text: Text, domid: u32, number: u32): Text {
  return putBase(text).put("vgpu/").number(domid).put("/").number(number);
}
