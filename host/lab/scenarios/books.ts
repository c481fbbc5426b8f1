// SPDX-License-Identifier: MIT
//
// What Xen, xenstore and the toolstack have on their books, read from Xen's debug keys e, g, q and u and a listing of
// xenstore: two of them must be equal when nothing was left behind in between.

import type { Said } from "./guest-kernel.js";

export interface Books {
  domains: number;
  freePages: number;
  /** Of all domains together. */
  domainPages: number;
  eventChannels: number;
  grants: number;
  maptrackFrames: number;
  ioreqServers: number;
  storeNodes: number;
}

/** Xen's own tables of a domain grow and stay; what belongs to guests does not. */
export const OF_GUESTS = ["domains", "domainPages", "eventChannels", "grants", "ioreqServers", "storeNodes"] as const;
/** Of the driver domain's own figures: what must be as before when no guest is left. */
export const STEADY = [
  "arena_pages",
  "guests",
  "vgpus",
  "memory_pages",
  "restarts",
  "console_dropped",
  "xenstore_dropped",
];

export function readBooks(said: Said, name: string): Books {
  const xen = said.text(`${name}.xen`);
  const sum = (pattern: RegExp): number => [...xen.matchAll(pattern)].reduce((all, one) => all + Number(one[1]), 0);
  const count = (pattern: RegExp): number => [...xen.matchAll(pattern)].length;
  const domains = count(/General information for domain \d+:/g);
  if (domains === 0 || !/free->\d+/.test(xen)) throw new Error(`${name}: Xen's books are not there:\n${xen}`);
  return {
    domains,
    freePages: sum(/NODE\d+ start->\d+ size->\d+ free->(\d+)/g),
    domainPages: sum(/nr_pages=(\d+)/g),
    eventChannels: count(/^\(XEN\) +\d+ \[\d+\/\d+\//gm),
    grants: count(/^\(XEN\) \[0x[0-9a-f]+\]/gm),
    maptrackFrames: sum(/(\d+) maptrack frames/g),
    ioreqServers: count(/ioreq_server \d+ pci/g),
    storeNodes: linesOf(said.text(`${name}.store`)).length,
  };
}

/** The nodes that were not there before. */
export function newNodes(said: Said, before: string, after: string): string[] {
  const known = new Set(linesOf(said.text(`${before}.store`)));
  return linesOf(said.text(`${after}.store`)).filter((node) => !known.has(node));
}

export const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");
