// SPDX-License-Identifier: MIT
//
// The C that parses what somebody else wrote, target by target (native/fuzz/parser): sources, seeds, how much of it the
// tests run, and faults that are planted in the tests to see that the target finds them.

import { type Change, shimPaths, shimSources } from "./clang.js";
import { answerSeeds, moduleSeeds, ramdiskSeeds, ringSeeds } from "./seeds.js";

export interface Parser {
  name: string;
  /** What is parsed, and who may have written it. */
  about: string;
  sources: readonly string[];
  included?: readonly string[];
  iquote: readonly string[];
  seeds: () => Promise<Uint8Array[]>;
  dictionary?: readonly string[];
  lengthMax: number;
  /** Inputs in each run of the tests; each planted fault is found within them. */
  testRuns: number;
  planted: readonly (Change & { what: string })[];
}

const HERE = "native/fuzz/parser";
const GBCTL = "native/dom0/gbctl";
/** Real modules have 18 to 43 KiB. */
const MODULE_BYTES = 65536;

export const parsers = (): readonly Parser[] => [
  {
    name: "elf",
    about: "a .gbx file, checked and placed (native/wasm/elf.c)",
    sources: [`${HERE}/elf.c`, `${HERE}/numbers.c`, "native/wasm/elf.c", "native/wasm/words.c"],
    iquote: [HERE, ...shimPaths()],
    seeds: moduleSeeds,
    lengthMax: MODULE_BYTES,
    testRuns: 30_000,
    planted: [
      {
        what: "a relocation anywhere",
        file: "native/wasm/elf.c",
        from: "if (at % 8 || !elf_holds(elf, at, 8, ELF_RELOCATED))",
        to: "if (at % 8)",
      },
      {
        what: "a sum that overflows",
        file: "native/wasm/elf.c",
        from: "return start <= end && bytes <= end - start;",
        to: "return start + bytes <= end;",
      },
    ],
  },
  {
    name: "loader",
    about: "a .gbx file on its whole way into the domain (native/wasm/loader.c)",
    sources: [`${HERE}/loader.c`, `${HERE}/numbers.c`, "test/native/double/core.c", ...shimSources()],
    iquote: [HERE, ...shimPaths()],
    seeds: moduleSeeds,
    lengthMax: MODULE_BYTES,
    testRuns: 12_000,
    planted: [
      {
        what: "a segment that goes on behind the file's end",
        file: "native/wasm/elf.c",
        from: "one.file_bytes > bytes || !within(one.offset, one.file_bytes, elf->file_bytes)",
        to: "one.file_bytes > bytes",
      },
      {
        what: "pages that are not given back",
        file: "native/wasm/loader.c",
        from: "        code_give_back((uint32_t)first, elf.pages);\n",
        to: "",
      },
    ],
  },
  {
    name: "ramdisk",
    about: "a ramdisk and its B2SUMS (native/wasm/ramdisk.c)",
    sources: [`${HERE}/ramdisk.c`, "native/wasm/ramdisk.c", "native/wasm/words.c"],
    iquote: [HERE, ...shimPaths()],
    seeds: ramdiskSeeds,
    dictionary: ["070701", "TRAILER!!!", "B2SUMS", "00000000", "00000001", "ffffffff", "\n", "  "],
    lengthMax: 4096,
    testRuns: 20_000,
    planted: [
      {
        what: "a file that goes on behind the end",
        file: "native/wasm/ramdisk.c",
        from: "data > ramdisk->len || file_bytes > ramdisk->len - data",
        to: "data > ramdisk->len",
      },
      {
        what: "a name that goes on behind the end",
        file: "native/wasm/ramdisk.c",
        from: " || name_bytes > left - HEADER_BYTES",
        to: "",
      },
    ],
  },
  {
    name: "xenstore",
    about: "the xenstore ring and its messages (native/xen/xenstore.c)",
    sources: [`${HERE}/ring.c`],
    included: ["native/xen/xenstore.c"],
    iquote: [HERE, ...shimPaths()],
    seeds: ringSeeds,
    lengthMax: 4096,
    testRuns: 4_000,
    planted: [
      {
        what: "a length that nobody looks at",
        file: "native/xen/xenstore.c",
        from: "incoming.header.len > XENSTORE_PAYLOAD_MAX || ",
        to: "",
      },
      {
        what: "a copy across the ring's end",
        file: "native/xen/xenstore.c",
        from: "return smaller(bytes, XENSTORE_RING_SIZE - MASK_XENSTORE_IDX(at));",
        to: "(void)at; return bytes;",
      },
    ],
  },
  {
    name: "gbctl",
    about: "replies and nodes of a driver domain, read and printed (native/dom0/gbctl)",
    sources: [`${HERE}/reply.c`, ...["words", "json", "text"].map((name) => `${GBCTL}/${name}.c`)],
    included: [`${GBCTL}/request.c`],
    iquote: [HERE, GBCTL],
    seeds: answerSeeds,
    dictionary: [
      "ok ",
      "error ",
      "no such ",
      '=\\"',
      '\\"',
      "=",
      "\\x1b[2J",
      "18446744073709551615",
      "9007199254740993",
    ],
    lengthMax: 4200,
    testRuns: 12_000,
    planted: [
      {
        what: "a word too many",
        file: `${GBCTL}/words.c`,
        from: "while (w->count < WORDS_MAX) {",
        to: "while (w->count <= WORDS_MAX) {",
      },
      {
        what: "escape sequences that reach a terminal",
        file: `${GBCTL}/text.c`,
        from: "if (*at >= 0x20 && *at < 0x7f)",
        to: "if (*at < 0x7f)",
      },
    ],
  },
];
