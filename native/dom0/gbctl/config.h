/* SPDX-License-Identifier: MIT */
#ifndef GBCTL_CONFIG_H
#define GBCTL_CONFIG_H

#include "gbctl.h"

/* The guest's name from its xl configuration file. */
int config_read(struct gb *gb, const char *path, char name[DOMAIN_NAME_MAX + 1]);

#endif
