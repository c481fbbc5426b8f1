// SPDX-License-Identifier: MIT
/* attach, detach: wiring of guests that run already. */
#include <stdlib.h>
#include <string.h>

#include "gbctl.h"

static int driver_named_or_own(struct gb *gb, const struct domain *guest, struct driver *driver) {
    int error;

    if (gb->opt.driver_domain)
        return driver_find(gb, gb->opt.driver_domain, driver);
    error = driver_of_guest(gb, guest->domid, guest->name, driver);
    if (error == GB_NOT_FOUND)
        return gb_because(gb, error, "name one with --driver-domain (\"gbctl start\" starts one)");
    return error;
}

static void print_attached(const struct gb *gb, const struct domain *guest, const struct vgpu *v) {
    struct json j = {.to = stdout};

    if (gb->opt.json) {
        vgpu_json(&j, v);
        json_end(&j);
        return;
    }
    printf("guest %u (%s) vgpu %u: ", guest->domid, guest->name, v->number);
    text_print(stdout, v->module);
    fputs(" at ", stdout);
    text_print(stdout, v->bdf);
    putchar('\n');
}

int attach_run(struct gb *gb) {
    struct domain guest;
    struct driver driver;
    int error;

    if (!gb->opt.module_count)
        return gb_fail(gb, GB_USAGE, "name at least one --module");
    drivers_forget_dead(gb);
    error = domain_find(gb, gb->opt.operand[0], &guest);
    if (!error)
        error = driver_named_or_own(gb, &guest, &driver);
    if (!error)
        error = driver_wait_ready(gb, &driver);
    if (!error)
        error = modules_check(gb, &driver);
    if (!error)
        error = domain_set_target(gb, driver.domid, guest.domid);
    for (uint32_t i = 0; i < gb->opt.module_count && !error; i++) {
        struct vgpu v;

        error = vgpu_attach(gb, &driver, &guest, &gb->opt.module[i], &v);
        if (!error)
            print_attached(gb, &guest, &v);
    }
    return error;
}

static int detach_all(struct gb *gb, const struct driver *driver, const struct domain *guest) {
    struct vgpu v[VGPU_MAX];
    uint32_t count = vgpu_list(gb, driver, guest->domid, v, VGPU_MAX);
    int error = GB_OK;

    for (uint32_t i = 0; i < count && !error; i++)
        error = vgpu_detach(gb, driver, guest, v[i].number);
    if (!error)
        store_remove(gb, "/local/domain/%u/data/glovebox/vgpu/%u", driver->domid, guest->domid);
    return error;
}

int detach_run(struct gb *gb) {
    struct domain guest = {0};
    struct driver driver;
    uint32_t number;
    int error = vgpu_number(gb, gb->opt.operand[1], &number);

    if (!error)
        error = domain_find(gb, gb->opt.operand[0], &guest);
    if (!error)
        error = driver_of_guest(gb, guest.domid, NULL, &driver);
    if (error)
        return error;
    if (!gb->opt.operand[1])
        return detach_all(gb, &driver, &guest);
    return vgpu_detach(gb, &driver, &guest, number);
}
