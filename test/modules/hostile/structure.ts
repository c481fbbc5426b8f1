// SPDX-License-Identifier: MIT
//
// Files whose structure lies: numbers that are too long, sections twice or out of order, counts that do not fit,
// custom sections that pretend, files that end early.

import { attachManifest } from "../../../host/pipeline/section.js";
import type { Bytes } from "../../../host/pipeline/store.js";
import {
  bytesRow, fromSections, HEADER, type Hostile, manifestWith, plainSections, section, withSection,
} from "./builder.js";

const plain = (): [number, number[]][] => [...plainSections()];

/** The plain file, its bytes changed, the manifest behind it. */
function spoilt(change: (bytes: number[]) => number[]): Bytes {
  const bytes = [...HEADER, ...plain().flatMap(([id, body]) => section(id, body))];
  return attachManifest(Uint8Array.from(change(bytes)), manifestWith());
}

const custom = (name: string, body = "{}"): number[] => section(0, [name.length, ...Buffer.from(name + body)]);

export const STRUCTURE: Hostile[] = [
  bytesRow("no WebAssembly", "malformed", () => spoilt((bytes) => [0x7f, ...bytes.slice(1)])),
  bytesRow("WebAssembly 2", "malformed", () => spoilt((bytes) => [...bytes.slice(0, 4), 2, ...bytes.slice(5)])),
  bytesRow("a component", "malformed", () =>
    spoilt((bytes) => [...bytes.slice(0, 4), 0x0d, 0, 1, 0, ...bytes.slice(8)]),
  ),
  bytesRow("a size of six bytes", "malformed", () => spoilt((bytes) => [...bytes, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0])),
  bytesRow("a size above 32 bits", "malformed", () => spoilt((bytes) => [...bytes, 0, 0xff, 0xff, 0xff, 0xff, 0x7f])),
  bytesRow("a constant of six bytes", "malformed", () =>
    withSection(10, [
      4, 9, 0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x0b, 2, 0, 0x0b, 4, 0, 0x42, 0, 0x0b, 2, 0, 0x0b,
    ]),
  ),
  bytesRow("a constant with wrong spare bits", "invalid", () =>
    withSection(10, [4, 8, 0, 0x41, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x0b, 2, 0, 0x0b, 4, 0, 0x42, 0, 0x0b, 2, 0, 0x0b]),
  ),
  bytesRow("two memory sections", "section-twice", () => fromSections([...plain(), [5, [1, 1, 1, 1]]])),
  bytesRow("two code sections", "section-twice", () => fromSections([...plain(), [10, [0]]])),
  bytesRow("sections out of order", "section-order", () => fromSections(plain().reverse())),
  bytesRow("an unknown section", "section-unknown", () => fromSections([...plain(), [14, [0]]])),
  bytesRow("fewer bodies than functions", "malformed", () => withSection(3, [5, 0, 1, 2, 3, 1])),
  bytesRow("more bodies than functions", "malformed", () => withSection(3, [3, 0, 1, 2])),
  bytesRow("no code section", "malformed", () => fromSections(plain().filter(([id]) => id !== 10))),
  bytesRow("2^32 - 1 types", "malformed", () => withSection(1, [0xff, 0xff, 0xff, 0xff, 0x0f])),
  bytesRow("a section that goes on behind its contents", "malformed", () => withSection(5, [1, 1, 1, 1, 0])),
  bytesRow("a body that goes on behind its end", "malformed", () =>
    withSection(10, [4, 4, 0, 0x41, 0, 0x0b, 3, 0, 0x0b, 0x0b, 4, 0, 0x42, 0, 0x0b, 2, 0, 0x0b]),
  ),
  bytesRow("a body without end", "malformed", () =>
    withSection(10, [4, 4, 0, 0x41, 0, 0x0b, 2, 0, 0x01, 4, 0, 0x42, 0, 0x0b, 2, 0, 0x0b]),
  ),
  bytesRow("two manifests", "manifest", () => spoilt((bytes) => [...bytes, ...custom("glovebox.manifest")])),
  bytesRow("a custom section whose name does not end", "malformed", () => spoilt((bytes) => [...bytes, 0, 2, 9, 65])),
  bytesRow("a custom section beyond the end", "malformed", () => spoilt((bytes) => [...bytes, 0, 0xff, 0xff, 0x7f])),
  bytesRow("a manifest that is not UTF-8", "manifest", () =>
    Uint8Array.from([...HEADER, ...plain().flatMap(([id, body]) => section(id, body)), ...notText()]),
  ),
];

function notText(): number[] {
  const name = "glovebox.manifest";
  return section(0, [name.length, ...Buffer.from(name), 0xff, 0xfe]);
}
