// SPDX-License-Identifier: MIT
/*
 * FLASK, where Xen has it: labels of domains, and what the loaded policy allows between two of them. Xen is asked for
 * its decision (FLASK_ACCESS), so it does not matter which rules and macros led to it.
 *
 * Numbers of classes and permissions come from xen/xsm/flask/policy; those used here are the same in Xen 4.17 to 4.23
 * (later versions add behind them).
 */
#include "flask.h"

#include <errno.h>
#include <string.h>

#include <xenctrl.h>

/* security_classes: in order, from 1. */
enum { CLASS_domain2 = 4, CLASS_hvm = 5, CLASS_mmu = 6, CLASS_event = 9, CLASS_grant = 10 };

/* access_vectors: in order, from bit 0. */
enum { BIT_domain2_resource_map = 21 };
enum { BIT_hvm_dm = 11 };
enum {
    BIT_mmu_map_read = 0,
    BIT_mmu_map_write = 1,
    BIT_mmu_adjust = 3,
    BIT_mmu_mmuext_op = 10,
};
enum { BIT_event_bind = 0, BIT_event_send = 1, BIT_event_status = 2, BIT_event_create = 3 };
enum { BIT_grant_map_read = 0, BIT_grant_map_write = 1, BIT_grant_setup = 4, BIT_grant_copy = 5 };

#define ROW(source, target, class, permission, operation, reason)                                                      \
    {FLASK_##source, FLASK_##target, CLASS_##class, BIT_##class##_##permission, #class, #permission, operation, reason},
const struct flask_row flask_rows[] = {FLASK_PERMISSIONS(ROW)};
#undef ROW
const uint32_t flask_row_count = sizeof(flask_rows) / sizeof(flask_rows[0]);

bool flask_active(struct gb *gb) {
    return xc_flask_getenforce(gb->xc) >= 0;
}

int label_check(struct gb *gb, const char *what, const char *label) {
    uint32_t colons = 0;

    for (const char *at = label; *at; at++)
        colons += *at == ':';
    if (strlen(label) > LABEL_MAX || colons < 2 || strpbrk(label, "\"'\\ \t\n"))
        return gb_fail(gb, GB_USAGE, "%s \"%s\": a label is user:role:type, of at most %d characters, without blanks",
                       what, label, LABEL_MAX);
    return GB_OK;
}

bool flask_label(struct gb *gb, uint32_t domid, char out[LABEL_MAX + 1]) {
    xc_dominfo_t info;

    memset(out, 0, LABEL_MAX + 1);
    return xc_domain_getinfo(gb->xc, domid, 1, &info) == 1 && info.domid == domid &&
           !xc_flask_sid_to_context(gb->xc, (int)info.ssidref, out, LABEL_MAX);
}

bool flask_label_known(struct gb *gb, const char *label) {
    char text[LABEL_MAX + 1];
    uint32_t sid;

    snprintf(text, sizeof(text), "%s", label);
    return !xc_flask_context_to_sid(gb->xc, text, (uint32_t)strlen(text), &sid);
}

int flask_pair_init(struct gb *gb, struct flask_pair *pair, const char *driver, const char *guest) {
    snprintf(pair->driver, sizeof(pair->driver), "%s", driver);
    snprintf(pair->guest, sizeof(pair->guest), "%s", guest);
    if (!flask_label(gb, gb->self, pair->dom0))
        return gb_fail(gb, GB_FAILED, "Xen does not tell the label of this domain (%u): %s", gb->self, strerror(errno));
    return GB_OK;
}

/* user:role:type[:range] with another role, or the same (NULL), and a longer type. */
static void derive(char out[LABEL_MAX + 1], const char *label, const char *role, const char *suffix) {
    size_t user = strcspn(label, ":");
    size_t role_at = label[user] ? user + 1 : user;
    size_t role_end = role_at + strcspn(label + role_at, ":");
    size_t type_at = label[role_end] ? role_end + 1 : role_end;
    size_t type_end = type_at + strcspn(label + type_at, ":");

    if (!role)
        snprintf(out, LABEL_MAX + 1, "%.*s%s%s", (int)type_end, label, suffix, label + type_end);
    else
        snprintf(out, LABEL_MAX + 1, "%.*s:%s:%.*s%s%s", (int)user, label, role, (int)(type_end - type_at),
                 label + type_at, suffix, label + type_end);
}

/* _self and _channel are what declare_domain() of Xen's own policy makes for each domain type. */
static void label_of(const struct flask_pair *pair, enum flask_role role, char out[LABEL_MAX + 1]) {
    switch (role) {
    case FLASK_DRIVER:
        snprintf(out, LABEL_MAX + 1, "%s", pair->driver);
        break;
    case FLASK_DRIVER_SELF:
        derive(out, pair->driver, NULL, "_self");
        break;
    case FLASK_DRIVER_PORT:
        derive(out, pair->driver, "object_r", "_channel");
        break;
    case FLASK_GUEST:
        snprintf(out, LABEL_MAX + 1, "%s", pair->guest);
        break;
    case FLASK_GUEST_PORT:
        derive(out, pair->guest, "object_r", "_channel");
        break;
    case FLASK_DOM0:
        snprintf(out, LABEL_MAX + 1, "%s", pair->dom0);
        break;
    }
}

static bool access_vector(struct gb *gb, const char *source, const char *target, uint16_t class, uint32_t *allowed) {
    return !xc_flask_access(gb->xc, source, target, class, 0, allowed, NULL, NULL, NULL, NULL);
}

int flask_granted(struct gb *gb, const struct flask_pair *pair, const struct flask_row *row,
                  char source[LABEL_MAX + 1], char target[LABEL_MAX + 1]) {
    uint32_t allowed = 0;

    label_of(pair, row->source, source);
    label_of(pair, row->target, target);
    if (!access_vector(gb, source, target, row->class_number, &allowed))
        return -1;
    return (allowed >> row->bit) & 1;
}

bool flask_reach_each_other(struct gb *gb, const char *label) {
    const uint32_t reach = 1u << BIT_grant_map_read | 1u << BIT_grant_map_write | 1u << BIT_grant_copy;
    uint32_t allowed = 0;

    return access_vector(gb, label, label, CLASS_grant, &allowed) && (allowed & reach);
}

int flask_check_pair(struct gb *gb, const char *driver_label, const char *guest_label) {
    struct flask_pair pair;
    int error;

    if (xc_flask_getenforce(gb->xc) <= 0) /* none, or one that refuses nothing */
        return GB_OK;
    if (!flask_label_known(gb, guest_label))
        return gb_fail(gb, GB_FAILED, "Xen's policy knows no label %s (\"gbctl policy-check\" says more)", guest_label);
    error = flask_pair_init(gb, &pair, driver_label, guest_label);
    for (uint32_t i = 0; i < flask_row_count && !error; i++) {
        char source[LABEL_MAX + 1], target[LABEL_MAX + 1];

        if (flask_granted(gb, &pair, &flask_rows[i], source, target) != 1)
            return gb_fail(gb, GB_FAILED,
                           "Xen's policy does not let a driver domain %s serve a guest %s: %s to %s lacks %s { %s } "
                           "(\"gbctl policy-check\" says more)",
                           driver_label, guest_label, source, target, flask_rows[i].class_name,
                           flask_rows[i].permission);
    }
    return error;
}

int flask_check_domains(struct gb *gb, uint32_t driver, uint32_t guest) {
    char driver_label[LABEL_MAX + 1], guest_label[LABEL_MAX + 1];

    if (!flask_label(gb, driver, driver_label) || !flask_label(gb, guest, guest_label))
        return gb_fail(gb, GB_FAILED, "Xen does not tell the labels of domains %u and %u: %s", driver, guest,
                       strerror(errno));
    return flask_check_pair(gb, driver_label, guest_label);
}
