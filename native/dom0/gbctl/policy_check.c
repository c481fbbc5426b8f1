// SPDX-License-Identifier: MIT
/*
 * policy-check: what is missing on this Xen for one driver domain to serve many guests, each finding with what to do
 * about it. It changes nothing.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>

#include "flask.h"

#define GUIDE "docs/FLASK.md"

struct check {
    struct gb *gb;
    struct json json;
    uint32_t missing;
};

static void found(struct check *c, const char *name, bool good, const char *advice, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* One finding; the advice counts only when it is no good. */
static void found(struct check *c, const char *name, bool good, const char *advice, const char *format, ...) {
    char text[768];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c->missing += !good;
    if (!c->gb->opt.json) {
        printf("%-7s  %-12s  ", good ? "ok" : "missing", name);
        text_print(stdout, text);
        printf(good ? "\n" : "\n%-23s%s\n", "", advice);
        return;
    }
    json_open(&c->json, NULL, '{');
    json_string(&c->json, "check", name);
    json_bool(&c->json, "ok", good);
    json_string(&c->json, "found", text);
    if (!good)
        json_string(&c->json, "advice", advice);
    json_close(&c->json, '}');
}

static bool check_known(struct check *c, const char *name, const char *label) {
    bool known = flask_label_known(c->gb, label);

    found(c, name, known, "the loaded policy lacks our module: " GUIDE " tells how to add it",
          "the policy %s the label %s", known ? "knows" : "does not know", label);
    return known;
}

static void check_pair(struct check *c, const char *name, const char *driver, const char *guest) {
    struct flask_pair pair;
    uint32_t refused = 0;

    if (flask_pair_init(c->gb, &pair, driver, guest))
        return;
    for (uint32_t i = 0; i < flask_row_count; i++) {
        const struct flask_row *row = &flask_rows[i];
        char source[LABEL_MAX + 1], target[LABEL_MAX + 1];

        if (flask_granted(c->gb, &pair, row, source, target) == 1)
            continue;
        refused++;
        found(c, name, false, "load a policy with our module, or give the domains its labels: " GUIDE,
              "%s to %s: %s { %s }, for %s: %s", source, target, row->class_name, row->permission, row->operation,
              row->reason);
    }
    if (!refused)
        found(c, name, true, "", "%s may serve %s: %u permissions, none missing", driver, guest, flask_row_count);
}

static void check_apart(struct check *c, const char *label) {
    bool reach = flask_reach_each_other(c->gb, label);

    found(c, "guests-apart", !reach, "give guests a label whose domains have no rule for each other, as ours have none",
          "guests with the label %s %s share memory with each other", label, reach ? "may" : "may not");
}

static void check_guest(struct check *c, const struct driver *driver, const char *driver_label, uint32_t domid) {
    char label[LABEL_MAX + 1];
    struct domain guest;

    domain_describe(c->gb, domid, &guest);
    if (!flask_label(c->gb, domid, label)) {
        found(c, "guest", false, "it may have ended just now", "guest %u (%s) of %s: Xen does not tell its label",
              domid, guest.name, driver->name);
        return;
    }
    check_pair(c, guest.name[0] ? guest.name : "guest", driver_label, label);
}

static void check_driver(struct check *c, const struct driver *driver) {
    char label[LABEL_MAX + 1];
    uint32_t count = 0;
    char **guests;

    if (!flask_label(c->gb, driver->domid, label)) {
        found(c, driver->name, false, "it may have ended just now", "driver domain %u: Xen does not tell its label",
              driver->domid);
        return;
    }
    guests = store_list(c->gb, &count, "/local/domain/%u/data/glovebox/vgpu", driver->domid);
    found(c, driver->name, true, "", "driver domain %u has the label %s and serves %u guest%s", driver->domid, label,
          count, count == 1 ? "" : "s");
    for (uint32_t i = 0; i < count; i++) {
        uint64_t domid;

        if (parse_u64(guests[i], UINT16_MAX, &domid))
            check_guest(c, driver, label, (uint32_t)domid);
    }
    free(guests);
}

static void check_drivers(struct check *c) {
    struct driver *drivers = calloc(DRIVER_MAX, sizeof(*drivers));
    uint32_t count = drivers ? driver_list(c->gb, drivers, DRIVER_MAX) : 0;

    for (uint32_t i = 0; i < count; i++)
        check_driver(c, &drivers[i]);
    free(drivers);
}

static void check_all(struct check *c) {
    const char *driver = c->gb->opt.seclabel ? c->gb->opt.seclabel : FLASK_DRIVER_LABEL;
    int enforcing = xc_flask_getenforce(c->gb->xc);
    bool known;

    found(c, "flask", enforcing >= 0,
          "Debian's Xen is built without XSM; a driver domain serves one guest then. " GUIDE " tells how to build one "
          "with FLASK. If yours has it, boot with xsm=flask",
          "this Xen %s FLASK", enforcing >= 0 ? "has" : "has no");
    if (enforcing < 0)
        return;
    found(c, "enforcing", enforcing > 0, "\"xl setenforce 1\", and flask=enforcing on Xen's command line",
          "FLASK %s", enforcing > 0 ? "enforces its policy" : "is permissive: it refuses nothing");
    known = check_known(c, "driver-label", driver);
    known = check_known(c, "guest-label", FLASK_GUEST_LABEL) && known;
    if (known) {
        check_pair(c, "permissions", driver, FLASK_GUEST_LABEL);
        check_apart(c, FLASK_GUEST_LABEL);
    }
    check_drivers(c);
}

int policy_check_run(struct gb *gb) {
    struct check c = {.gb = gb, .json = {.to = stdout}};

    if (gb->opt.json) {
        json_open(&c.json, NULL, '{');
        json_open(&c.json, "checks", '[');
    }
    check_all(&c);
    if (gb->opt.json) {
        json_close(&c.json, ']');
        json_bool(&c.json, "ok", !c.missing);
        json_close(&c.json, '}');
        json_end(&c.json);
    }
    if (!c.missing)
        return GB_OK;
    gb->reported = true;
    return gb_fail(gb, GB_FAILED, "%u of the checks failed", c.missing);
}
