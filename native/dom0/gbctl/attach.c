// SPDX-License-Identifier: MIT
/* attach, detach, modules: wiring of guests that run already, and what there is to wire. */
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

static void print_module(struct json *j, const struct gb *gb, const struct driver *driver, const char *name,
                         const char *text) {
    static struct words words;

    if (!gb->opt.json) {
        printf("%s\t", driver->name);
        text_print(stdout, name);
        putchar('\t');
        text_print(stdout, text);
        putchar('\n');
        return;
    }
    words_parse(&words, text);
    json_open(j, NULL, '{');
    json_string(j, "driver_domain", driver->name);
    json_string(j, "name", name);
    for (uint32_t i = 0; i < words.count; i++)
        json_value(j, words.word[i].key, words.word[i].value);
    json_close(j, '}');
}

static void list_modules(struct gb *gb, struct json *j, const struct driver *driver) {
    uint32_t count;
    char **names = store_list(gb, &count, "/local/domain/%u/data/glovebox/module", driver->domid);

    for (uint32_t i = 0; i < count; i++) {
        char text[STORE_VALUE_MAX + 1];

        store_read(gb, text, sizeof(text), "/local/domain/%u/data/glovebox/module/%s", driver->domid, names[i]);
        print_module(j, gb, driver, names[i], text);
    }
    free(names);
}

int modules_run(struct gb *gb) {
    struct driver *drivers = calloc(DRIVER_MAX, sizeof(*drivers));
    struct json j = {.to = stdout};
    uint32_t count = 0;
    int error = drivers ? GB_OK : gb_fail(gb, GB_FAILED, "out of memory");

    if (!error && gb->opt.driver_domain)
        error = driver_find(gb, gb->opt.driver_domain, &drivers[count++]);
    else if (!error)
        count = driver_list(gb, drivers, DRIVER_MAX);
    if (!error && gb->opt.json)
        json_open(&j, NULL, '[');
    for (uint32_t i = 0; i < count && !error; i++)
        list_modules(gb, &j, &drivers[i]);
    if (!error && gb->opt.json) {
        json_close(&j, ']');
        json_end(&j);
    }
    free(drivers);
    return error;
}
