// SPDX-License-Identifier: MIT
//
// A module's capabilities, with what checkers must hear of written into the journal: which interrupts and scanouts it
// asked for, and what it was answered. A refusal that ends the call is not told: it shows as the call's fault.

import { MANIFEST_INTERRUPTS_PER_SECOND, MANIFEST_SCANOUTS } from "../../../unikernel/abi/manifest.js";
import type { Capabilities } from "../module.js";
import type { World } from "../world.js";

interface Asker {
  tag: () => number;
  handle: number;
  /** Binary. */
  manifest: Uint8Array;
}

export function told(world: () => World, asker: Asker, capabilities: Capabilities): Capabilities {
  const { manifest, handle, tag } = asker;
  const numbers = new DataView(manifest.buffer, manifest.byteOffset, manifest.byteLength);
  const promised = manifest.length === 0 ? 0 : numbers.getUint32(MANIFEST_INTERRUPTS_PER_SECOND, true);
  const scanouts = manifest.length === 0 ? 0 : numbers.getUint32(MANIFEST_SCANOUTS, true);
  const showed = (scanout: number, answer: number): number => {
    world().journal?.entries.push({ kind: "showed", tag: tag(), scanout: scanout >>> 0, scanouts, answer });
    return answer;
  };
  return {
    ...capabilities,
    irqRaise(vector) {
      const answer = capabilities.irqRaise(vector);
      world().journal?.entries.push({ kind: "raised", handle, tag: tag(), answer, ns: world().timeNs, promised });
      return answer;
    },
    scanoutSet: (scanout, ...rest) => showed(scanout, capabilities.scanoutSet(scanout, ...rest)),
    scanoutSetBuffer: (scanout, ...rest) => showed(scanout, capabilities.scanoutSetBuffer(scanout, ...rest)),
    scanoutFlush: (scanout, ...rest) => showed(scanout, capabilities.scanoutFlush(scanout, ...rest)),
  };
}
