/* SPDX-License-Identifier: MIT */
#ifndef GBCTL_CONFIG_H
#define GBCTL_CONFIG_H

#include "gbctl.h"

struct config {
    char name[DOMAIN_NAME_MAX + 1];
    char label[LABEL_MAX + 1]; /* seclabel, empty without one */
};
/* What is in a guest's xl configuration file. */
int config_read(struct gb *gb, const char *path, struct config *out);

#endif
