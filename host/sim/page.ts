// SPDX-License-Identifier: MIT

export const PAGE_BYTES = 4096;
