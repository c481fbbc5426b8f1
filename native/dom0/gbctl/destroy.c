// SPDX-License-Identifier: MIT
/*
 * destroy, start, stop. The guest goes before its mediator: the other way round a vCPU that waits for an answer
 * would hang. A guest that is gone already may have left its driver domain (which holds it as a zombie).
 */
#include <string.h>

#include "gbctl.h"

static int destroy_guest(struct gb *gb, const struct domain *guest) {
    char domid[12];
    const char *const argv[] = {"xl", "destroy", domid, NULL};

    snprintf(domid, sizeof(domid), "%u", guest->domid);
    return xl_run(gb, argv);
}

static bool find_own_driver(struct gb *gb, const char *guest_name, struct driver *driver) {
    char name[DOMAIN_NAME_MAX + 1];
    struct domain domain;

    driver_name_for(name, guest_name);
    return domain_by_name(gb, name, &domain) && !driver_find(gb, name, driver);
}

static int print_done(const struct gb *gb, const struct domain *guest, const struct driver *driver) {
    struct json j = {.to = stdout};

    if (!gb->opt.json)
        return GB_OK;
    json_open(&j, NULL, '{');
    json_open(&j, "destroyed", '[');
    if (guest)
        json_string(&j, NULL, guest->name);
    if (driver)
        json_string(&j, NULL, driver->name);
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
    return GB_OK;
}

int destroy_run(struct gb *gb) {
    struct domain guest;
    struct driver driver;
    const char *name = gb->opt.operand[0];
    int missing = domain_find(gb, name, &guest);
    bool own = find_own_driver(gb, missing ? name : guest.name, &driver);
    bool served;
    int error = GB_OK;

    drivers_forget_dead(gb);
    if (missing && !own)
        return domain_find(gb, name, &guest);
    if (!missing && store_exists(gb, "/local/domain/%u/data/glovebox/version", guest.domid))
        return gb_fail(gb, GB_USAGE, "%s is a driver domain: \"gbctl stop %s\" ends it", name, name);
    served = own || (!missing && !driver_of_guest(gb, guest.domid, NULL, &driver));
    if (!served)
        return gb_fail(gb, GB_NOT_FOUND, "guest %u (%s) has no vGPU: \"xl destroy %s\" ends it", guest.domid,
                       guest.name, guest.name);
    if (!missing)
        error = destroy_guest(gb, &guest);
    if (!error && !missing)
        store_remove(gb, "/local/domain/%u/data/glovebox/vgpu/%u", driver.domid, guest.domid);
    if (!error && own)
        error = driver_destroy(gb, &driver);
    return error ? error : print_done(gb, missing ? NULL : &guest, own ? &driver : NULL);
}

int start_run(struct gb *gb) {
    const char *name = gb->opt.operand_count ? gb->opt.operand[0] : "glovebox";
    struct driver driver = {0};
    struct json j = {.to = stdout};
    int error = driver_start(gb, name, &driver);

    if (error) {
        struct creation c = {.driver = driver, .driver_made = driver.domid != 0};

        create_undo(gb, &c);
        return error;
    }
    if (!gb->opt.json) {
        printf("driver domain %u (%s), version ", driver.domid, driver.name);
        text_print(stdout, driver.version);
        putchar('\n');
        return GB_OK;
    }
    json_open(&j, NULL, '{');
    json_number(&j, "domid", driver.domid);
    json_string(&j, "name", driver.name);
    json_string(&j, "version", driver.version);
    json_close(&j, '}');
    json_end(&j);
    return GB_OK;
}

int stop_run(struct gb *gb) {
    struct driver driver;
    uint32_t guests;
    int error = driver_find(gb, gb->opt.operand[0], &driver);

    if (error)
        return error;
    guests = driver_guests(gb, &driver);
    if (guests && !gb->opt.force)
        return gb_fail(gb, GB_FAILED,
                       "driver domain %u (%s) serves %u guest%s, which may hang without it: detach or destroy first, "
                       "or say --force",
                       driver.domid, driver.name, guests, guests == 1 ? "" : "s");
    error = driver_destroy(gb, &driver);
    return error ? error : print_done(gb, NULL, &driver);
}
