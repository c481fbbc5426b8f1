// SPDX-License-Identifier: MIT
//
// Requests about modules: what is one, load one out of granted pages, unload one. A module that a vGPU names stays,
// also when the vGPU is lost and has no instance.

import { MODULES_MAX, VGPUS_MAX } from "../limits";
import { shim_module_load, shim_module_load_words, shim_module_unload } from "../../abi/shim";
import { SPACE, Text, Words } from "../text";
import { moduleFind, moduleLook, moduleOffered, putModuleTitle } from "../vgpu/module";
import { VGPU_FREE, vgpuAt } from "../vgpu/vgpu";
import { DOMID_END, argument, atEnd, take } from "./arguments";
import { domainModule } from "./domain";
import { putModuleReply } from "./module_words";
import { putPair, replyError, replyOk } from "./reply";

/** module <slot> */
export function describe(words: Words): void {
  if (!take(words, "slot", MODULES_MAX) || !atEnd(words)) return;
  if (moduleOffered(<u32>argument)) putModuleReply(replyOk(), <u32>argument);
  else replyError().put("no module in slot ").number(argument);
}

/** load <directory gref> <bytes> <peer> */
export function loadModule(words: Words): void {
  if (!take(words, "directory", 1 << 32)) return;
  const directory = <u32>argument;
  if (!take(words, "bytes", 1 << 32)) return;
  const bytes = <u32>argument;
  if (!take(words, "peer", DOMID_END) || !atEnd(words)) return;
  const slot = shim_module_load(<u32>argument, directory, bytes);
  if (slot < 0) return refused(slot);
  const wrong = moduleLook(slot);
  if (wrong.length != 0) {
    shim_module_unload(slot);
    moduleLook(slot);
    replyError().put("module refused: manifest: ").put(wrong);
    return;
  }
  domainModule(slot);
  putModuleReply(putPair(replyOk(), "slot", slot), slot);
}

function refused(result: i32): void {
  const text = replyError().put("module refused: ");
  const start = text.length;
  text.length += <u32>shim_module_load_words(<u32>(text.bytes + start), text.capacity - start);
  if (text.length == start) text.put("its pages cannot be read, error ").signed(result);
}

/** unload <name>@<version> */
export function unloadModule(words: Words): void {
  const given = words.next(SPACE);
  const at = words.at;
  const length = words.length;
  if (!given || !hasVersion(at, length)) {
    replyError().put("malformed request: unload needs <name>@<version>");
    return;
  }
  if (!atEnd(words)) return;
  const slot = moduleFind(at, length);
  if (slot < 0) {
    replyError().put("no such module: ").quote(at, min<u32>(length, 64));
    return;
  }
  const users = usersOf(slot);
  if (users != 0) return inUse(replyError(), slot, users);
  const result = shim_module_unload(slot);
  if (result < 0) {
    putModuleTitle(replyError().put("module "), slot).put(" not unloaded, error ").signed(result);
    return;
  }
  moduleLook(slot);
  domainModule(slot);
  replyOk();
}

function hasVersion(at: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (load<u8>(at + i) == 0x40) return true;
  return false;
}

function usersOf(module: u32): u32 {
  let users: u32 = 0;
  for (let i: u32 = 0; i < VGPUS_MAX; i++) {
    const vgpu = vgpuAt(i);
    if (vgpu.state != VGPU_FREE && vgpu.module == module) users++;
  }
  return users;
}

function inUse(text: Text, module: u32, users: u32): void {
  putModuleTitle(text.put("module "), module).put(" in use: ").number(users).put(" vGPUs have it");
}
