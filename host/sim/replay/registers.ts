// SPDX-License-Identifier: MIT
//
// Names for the accesses of a recording: where each vGPU's BARs lie, as the core noted it, and what its module's
// manifest calls the registers in them.

import type { Manifest } from "../../pipeline/manifest.js";
import { KIND_BAR_MAP, KIND_BAR_UNMAP, KIND_MMIO, KIND_PIO, type TraceRecord } from "../../trace/index.js";

const NOTED_ATTACH = 0x80;

interface Place {
  bar: number;
  start: bigint;
  isPorts: boolean;
  registers: NonNullable<Manifest["registers"]>;
}

export class Registers {
  /** By guest and vGPU. */
  private readonly manifests = new Map<string, Manifest>();
  private readonly places = new Map<string, Place[]>();

  constructor(private readonly modules: readonly { name: string; manifest?: Manifest }[]) {}

  /** A record that the core noted; `specification` is its vGPU's. */
  note(one: TraceRecord, specification: string | undefined): void {
    const key = `${one.domid}/${one.vgpu}`;
    if (one.kind === NOTED_ATTACH) this.attach(key, specification ?? "");
    const bar = Number(one.data);
    if (one.kind !== KIND_BAR_MAP && one.kind !== KIND_BAR_UNMAP) return;
    const others = (this.places.get(key) ?? []).filter((each) => each.bar !== bar);
    const manifest = this.manifests.get(key);
    const described = manifest?.bars.find((each) => each.index === bar);
    if (one.kind === KIND_BAR_MAP && manifest !== undefined && described !== undefined) {
      const registers = (manifest.registers ?? []).filter((each) => each.bar === bar);
      others.push({ bar, start: one.addr, isPorts: described.space === "io", registers });
    }
    this.places.set(key, others);
  }

  private attach(key: string, specification: string): void {
    const name = /\bmodule=([^\s@]+)/.exec(specification)?.[1];
    const manifest = this.modules.find((each) => each.name === name)?.manifest;
    if (manifest === undefined) this.manifests.delete(key);
    else this.manifests.set(key, manifest);
    this.places.delete(key);
  }

  /** " (NAME)" of the register that this access reaches, or nothing. */
  named({ domid, vgpu, kind, addr }: TraceRecord): string {
    if (kind !== KIND_MMIO && kind !== KIND_PIO) return "";
    for (const { start, isPorts, registers } of this.places.get(`${domid}/${vgpu}`) ?? []) {
      if (isPorts !== (kind === KIND_PIO)) continue;
      const at = addr - start;
      const known = registers.find((one) => BigInt(one.offset) <= at && at < BigInt(one.offset + one.size));
      if (known !== undefined) return ` (${known.name})`;
    }
    return "";
  }
}
