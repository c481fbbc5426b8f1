// SPDX-License-Identifier: MIT
/* list: every driver domain, its guests, their vGPUs. Read from nodes alone, so it works while a domain hangs. */
#include <stdlib.h>
#include <string.h>

#include "gbctl.h"

static void print_vgpu(const struct driver *driver, const struct domain *guest, const struct vgpu *v) {
    printf("%-24s %5u  %-10s  %-16s %5u %4u  ", driver->name, driver->domid, driver->state, guest->name, guest->domid,
           v->number);
    text_print(stdout, v->module);
    fputs("  ", stdout);
    text_print(stdout, v->state[0] ? v->state : "-");
    fputs("  ", stdout);
    text_print(stdout, v->bdf[0] ? v->bdf : "-");
    if (v->error[0]) {
        fputs("  ", stdout);
        text_print(stdout, v->error);
    }
    putchar('\n');
}

/* What thresholds led to: `what` is a word, or stands in the text itself. */
static void print_followed(const struct driver *driver, const struct domain *guest, const char *what,
                           const char *why) {
    if (!why[0])
        return;
    printf("%-24s %5u  %-10s  %-16s %5u    -  %s", driver->name, driver->domid, driver->state, guest->name,
           guest->domid, what);
    text_print(stdout, why);
    putchar('\n');
}

static void list_guest(struct gb *gb, struct json *j, const struct driver *driver, uint32_t domid) {
    struct vgpu v[VGPU_MAX];
    struct domain guest;
    uint32_t count = vgpu_list(gb, driver, domid, v, VGPU_MAX);

    char quarantine[512] = "", breach[512] = "";

    domain_describe(gb, domid, &guest);
    store_read(gb, quarantine, sizeof(quarantine), "/local/domain/%u/data/glovebox/quarantine/%u", driver->domid,
               domid);
    store_read(gb, breach, sizeof(breach), "/local/domain/%u/data/glovebox/breach/%u", driver->domid, domid);
    if (!gb->opt.json) {
        for (uint32_t i = 0; i < count; i++)
            print_vgpu(driver, &guest, &v[i]);
        print_followed(driver, &guest, "quarantine  ", quarantine);
        print_followed(driver, &guest, "", breach);
        return;
    }
    json_open(j, NULL, '{');
    json_number(j, "domid", domid);
    json_string(j, "name", guest.name);
    json_bool(j, "alive", guest.name[0] != '\0');
    if (quarantine[0])
        json_string(j, "quarantine", quarantine);
    if (breach[0])
        json_string(j, "breach", breach);
    json_open(j, "vgpus", '[');
    for (uint32_t i = 0; i < count; i++)
        vgpu_json(j, &v[i]);
    json_close(j, ']');
    json_close(j, '}');
}

static void list_guests(struct gb *gb, struct json *j, const struct driver *driver) {
    uint32_t count;
    char **ids = store_list(gb, &count, "/local/domain/%u/data/glovebox/vgpu", driver->domid);

    for (uint32_t i = 0; i < count; i++) {
        uint64_t domid;

        if (parse_u64(ids[i], UINT16_MAX, &domid))
            list_guest(gb, j, driver, (uint32_t)domid);
    }
    if (!count && !gb->opt.json)
        printf("%-24s %5u  %-10s  -\n", driver->name, driver->domid, driver->state);
    free(ids);
}

static void list_driver(struct gb *gb, struct json *j, const struct driver *driver) {
    char error[512];

    if (!gb->opt.json) {
        list_guests(gb, j, driver);
        if (store_read(gb, error, sizeof(error), "/local/domain/%u/data/glovebox/error", driver->domid) && error[0]) {
            fputs("  ", stdout);
            text_print(stdout, error);
            putchar('\n');
        }
        return;
    }
    json_open(j, NULL, '{');
    json_number(j, "domid", driver->domid);
    json_string(j, "name", driver->name);
    json_string(j, "version", driver->version);
    json_string(j, "state", driver->state);
    if (store_read(gb, error, sizeof(error), "/local/domain/%u/data/glovebox/error", driver->domid) && error[0])
        json_string(j, "error", error);
    json_open(j, "guests", '[');
    list_guests(gb, j, driver);
    json_close(j, ']');
    json_close(j, '}');
}

int list_run(struct gb *gb) {
    struct driver *drivers = calloc(DRIVER_MAX, sizeof(*drivers));
    struct json j = {.to = stdout};
    uint32_t count;

    if (!drivers)
        return gb_fail(gb, GB_FAILED, "out of memory");
    count = driver_list(gb, drivers, DRIVER_MAX);
    if (gb->opt.json)
        json_open(&j, NULL, '[');
    else
        printf("%-24s %5s  %-10s  %-16s %5s vgpu  module  state  address\n", "driver domain", "id", "state", "guest",
               "id");
    for (uint32_t i = 0; i < count; i++)
        list_driver(gb, &j, &drivers[i]);
    if (gb->opt.json) {
        json_close(&j, ']');
        json_end(&j);
    }
    free(drivers);
    return GB_OK;
}
