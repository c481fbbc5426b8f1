/* SPDX-License-Identifier: MIT */
#ifndef GBCTL_FLASK_H
#define GBCTL_FLASK_H

#include "../../flask/permissions.h"
#include "gbctl.h"

/* The roles of permissions.h. */
enum flask_role { FLASK_DRIVER, FLASK_DRIVER_SELF, FLASK_DRIVER_PORT, FLASK_GUEST, FLASK_GUEST_PORT, FLASK_DOM0 };

struct flask_row {
    enum flask_role source, target;
    uint16_t class_number;
    uint8_t bit;
    const char *class_name, *permission, *operation, *reason;
};
extern const struct flask_row flask_rows[];
extern const uint32_t flask_row_count;

/* A driver domain's label, and a guest's; labels of ports and of "itself" follow from them. */
struct flask_pair {
    char driver[LABEL_MAX + 1], guest[LABEL_MAX + 1], dom0[LABEL_MAX + 1];
};

int flask_pair_init(struct gb *gb, struct flask_pair *pair, const char *driver, const char *guest);
/* 1 granted, 0 not, -1 when one of the labels is none in this policy; both are written out for messages. */
int flask_granted(struct gb *gb, const struct flask_pair *pair, const struct flask_row *row,
                  char source[LABEL_MAX + 1], char target[LABEL_MAX + 1]);
/* True when one domain with this label may reach the memory of another one by grants. */
bool flask_reach_each_other(struct gb *gb, const char *label);

#endif
