/* SPDX-License-Identifier: MIT */
/* Stands in for the C library's header in wasm2c's C, which includes it and does not use it. */
