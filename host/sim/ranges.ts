// SPDX-License-Identifier: MIT
//
// A set of ranges as Xen keeps it (xen/common/rangeset.c): sorted, touching ones are one, taking out a middle leaves
// two, and no more than a limit.

import { XEN_EEXIST, XEN_EINVAL, XEN_ENOENT, XEN_ENOMEM } from "../../unikernel/abi/xen/errno.js";

export interface Range {
  start: bigint;
  end: bigint; // inclusive
}

/** MAX_NR_IO_RANGES, xen/include/xen/ioreq.h: of each type in each server. */
export const RANGES_MAX = 256;

/** As hvm_map_io_range_to_ioreq_server: an overlap is -EEXIST, no room is rangeset_add_range's -ENOMEM. */
export function addRange(ranges: Range[] | undefined, start: bigint, end: bigint): number {
  if (ranges === undefined || start > end) return -XEN_EINVAL;
  if (ranges.some((one) => one.start <= end && start <= one.end)) return -XEN_EEXIST;
  const before = ranges.find((one) => one.end + 1n === start);
  const after = ranges.find((one) => one.start === end + 1n);
  if (before === undefined && after === undefined && ranges.length >= RANGES_MAX) return -XEN_ENOMEM;
  if (before !== undefined && after !== undefined) {
    before.end = after.end;
    ranges.splice(ranges.indexOf(after), 1);
  } else if (before !== undefined) before.end = end;
  else if (after !== undefined) after.start = start;
  else {
    ranges.push({ start, end });
    ranges.sort((a, b) => (a.start < b.start ? -1 : 1));
  }
  return 0;
}

/** As hvm_unmap_io_range_from_ioreq_server: all of it must be there. */
export function removeRange(ranges: Range[] | undefined, start: bigint, end: bigint): number {
  if (ranges === undefined || start > end) return -XEN_EINVAL;
  const i = ranges.findIndex((one) => one.start <= start && end <= one.end);
  const one = ranges[i];
  if (one === undefined) return -XEN_ENOENT;
  const rest = [
    { start: one.start, end: start - 1n },
    { start: end + 1n, end: one.end },
  ].filter((piece) => piece.start <= piece.end);
  if (rest.length === 2 && ranges.length >= RANGES_MAX) return -XEN_ENOMEM;
  ranges.splice(i, 1, ...rest);
  return 0;
}

export function covers(ranges: readonly Range[], start: bigint, end: bigint): boolean {
  return ranges.some((one) => one.start <= start && end <= one.end);
}
