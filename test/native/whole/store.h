/* SPDX-License-Identifier: MIT */
/* xenstored, as much as the core talks to it: values, directories, watches. One connection, paths as they come. */
#ifndef GLOVEBOX_STORE_H
#define GLOVEBOX_STORE_H

#include <stdbool.h>

/* Answers what lies in the ring; true when there was something. */
bool store_step(void);
/* What gbctl does: the value of a node (NULL = no such node); write; remove with everything below. */
const char *store_value(const char *path);
void store_write(const char *path, const char *value);
void store_remove(const char *path);

#endif
