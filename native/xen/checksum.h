/* SPDX-License-Identifier: MIT */
#ifndef GLOVEBOX_CHECKSUM_H
#define GLOVEBOX_CHECKSUM_H

/* The window shows our own pages again, whatever it showed. */
void checksum_window_take_back(void);

#endif
