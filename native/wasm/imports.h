/* SPDX-License-Identifier: MIT */
/* What a .gbx file may import: the only names, and what stands behind them. */
#ifndef GLOVEBOX_IMPORTS_H
#define GLOVEBOX_IMPORTS_H

/* NULL: there is no such import. */
const void *import_find(const char *name);

#endif
