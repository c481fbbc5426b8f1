// SPDX-License-Identifier: MIT
//
// What nobody sent: stands wherever the contract promises nothing, in a slot that waits to be answered (XSA-239) and
// where a copy from a guest failed. Whoever shows it or hands it to a module uses what was not defined.

export const LEFTOVER = 0xb5a1_de0f;

export const LEFTOVER_U64 = (BigInt(LEFTOVER) << 32n) | BigInt(LEFTOVER);

export function fillLeftover(bytes: Uint8Array): void {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(LEFTOVER);
  for (let at = 0; at < bytes.length; at++) bytes[at] = word[at & 3] as number;
}
