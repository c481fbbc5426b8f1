// SPDX-License-Identifier: MIT
//
// The one trace format: recordings of driver domains, inputs of the fuzzer, crashes. docs/TRACE.md draws it.

export * from "./file.js";
export * from "./record.js";
export * from "./ring.js";
