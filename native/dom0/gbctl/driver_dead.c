// SPDX-License-Identifier: MIT
/*
 * Guests that ended without gbctl (xl destroy, a crash without a supervisor): their specifications still stand, and so
 * the driver domain holds what it holds of them.
 */
#include <stdlib.h>

#include "gbctl.h"

#define DATA "/local/domain/%u/data/glovebox"

/* Xen keeps a dead guest's last pages until its driver domain lets go of them. */
static void forget_dead(struct gb *gb, const struct driver *driver) {
    uint32_t count;
    char **ids = store_list(gb, &count, DATA "/vgpu", driver->domid);

    for (uint32_t i = 0; i < count; i++) {
        struct domain_life life;
        uint64_t domid;

        if (!parse_u64(ids[i], UINT16_MAX, &domid) || domain_life(gb, (uint32_t)domid, &life))
            continue;
        if (!life.exists || life.dying)
            store_remove(gb, DATA "/vgpu/%u", driver->domid, (unsigned)domid);
    }
    free(ids);
}

void drivers_forget_dead(struct gb *gb) {
    struct driver *drivers = calloc(DRIVER_MAX, sizeof(*drivers));
    uint32_t count = drivers ? driver_list(gb, drivers, DRIVER_MAX) : 0;

    for (uint32_t i = 0; i < count; i++)
        forget_dead(gb, &drivers[i]);
    free(drivers);
}
