// SPDX-License-Identifier: MIT
//
// What decisions cost, in turns of loops: a number that repeats, unlike a time. The tests hold it against the logarithm
// of the number of guests.

let steps: u64 = 0;

@inline
export function step(): void {
  steps++;
}

export function stepsSoFar(): u64 {
  return steps;
}
