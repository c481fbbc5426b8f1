// SPDX-License-Identifier: MIT
//
// Writes vGPUs' records. Steps that Xen remembers whatever becomes of us (RAM given to the guest) are written down
// before and after, not only at the end of the event.

import { PCI_CFG_SPACE_SIZE, PCI_MSIX_ENTRY_SIZE } from "../../abi/pci";
import { shim_save } from "../../abi/shim";
import { wishSpecification } from "../control/wish";
import { scanoutAt } from "../display/scanout";
import { BARS, MSIX_VECTORS_MAX, PARAMS, SCANOUTS_PER_VGPU_MAX, SCANOUT_BYTES } from "../limits";
import { barAt } from "../vgpu/bar";
import { buffersOf } from "../vgpu/buffer";
import { BOOKS_BYTES, booksChanged, booksTake } from "../vgpu/quarantine";
import { configBytes } from "../vgpu/config_space";
import { guestAt } from "../vgpu/guest";
import { reasonOf } from "../vgpu/lose";
import { msixTable } from "../vgpu/msix";
import { paramValues } from "../vgpu/param";
import { VGPU_FREE, VGPU_LOST, Vgpu, vgpuAt } from "../vgpu/vgpu";
import { Parameters } from "../sched/entity";
import { workSave } from "../work/work";
import { isDirty, takeDirty } from "./dirty";
import {
  AT_CONFIG, AT_MSIX, AT_PARAMS, AT_RAM, AT_REASON, AT_SCANOUTS, AT_SCHEDULING, AT_SPECIFICATION, RAM_BYTES,
  RECORD_BYTES, RECORD_QUARANTINE, SAVED_FORMAT, record, recordPart,
} from "./record";

/** At the end of every event. */
@inline
export function saveChanges(): void {
  if (isDirty()) saveDirty();
  if (booksChanged()) shim_save(RECORD_QUARANTINE, <u32>booksTake(), BOOKS_BYTES);
}

function saveDirty(): void {
  while (isDirty()) save(vgpuAt(takeDirty()));
}

export function save(vgpu: Vgpu): void {
  if (vgpu.state == VGPU_FREE) {
    shim_save(vgpu.index, 0, 0);
    return;
  }
  memory.fill(recordPart(0), 0, RECORD_BYTES);
  putHead(vgpu);
  memory.copy(recordPart(AT_PARAMS), paramValues(vgpu.index), PARAMS * 8);
  workSave(vgpu, changetype<Parameters>(recordPart(AT_SCHEDULING)));
  for (let i: u32 = 0; i < BARS; i++) putRam(vgpu, i);
  memory.copy(
    recordPart(AT_SCANOUTS), changetype<usize>(scanoutAt(vgpu.index, 0)), SCANOUTS_PER_VGPU_MAX * SCANOUT_BYTES,
  );
  memory.copy(recordPart(AT_CONFIG), configBytes(vgpu), PCI_CFG_SPACE_SIZE);
  memory.copy(recordPart(AT_MSIX), msixTable(vgpu), MSIX_VECTORS_MAX * PCI_MSIX_ENTRY_SIZE);
  shim_save(vgpu.index, <u32>recordPart(0), RECORD_BYTES);
}

function putHead(vgpu: Vgpu): void {
  const saved = record();
  const guest = guestAt(vgpu.guest);
  saved.format = SAVED_FORMAT;
  saved.state = vgpu.state;
  saved.domid = vgpu.domid;
  saved.number = vgpu.number;
  saved.mode = guest.mode;
  saved.slot = vgpu.slot;
  saved.module = vgpu.module;
  saved.instance = vgpu.instance;
  saved.cf8 = guest.cf8;
  saved.msix_pending = vgpu.msix_pending;
  saved.buffers = buffersOf(vgpu);
  const specification = wishSpecification(vgpu.domid, vgpu.number);
  if (specification != null) {
    saved.specification = specification.length;
    memory.copy(recordPart(AT_SPECIFICATION), specification.bytes, specification.length);
  }
  if (vgpu.state != VGPU_LOST) return;
  const reason = reasonOf(vgpu.index);
  saved.reason = reason.length;
  memory.copy(recordPart(AT_REASON), reason.bytes, reason.length);
}

function putRam(vgpu: Vgpu, i: u32): void {
  const bar = barAt(vgpu.index, i);
  store<u64>(recordPart(AT_RAM + i * RAM_BYTES), bar.ram_gfn);
  store<u32>(recordPart(AT_RAM + i * RAM_BYTES), bar.ram_pages, 8);
  store<u32>(recordPart(AT_RAM + i * RAM_BYTES), bar.mapped, 12);
  if (bar.ram_moving) record().moving |= <u32>1 << i;
}
