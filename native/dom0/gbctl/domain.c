// SPDX-License-Identifier: MIT
/*
 * Domains as Xen and xenstore see them. Names and types come from nodes that only Dom0 can write
 * (/local/domain/N/name, /libxl/N/type), so they are trusted; what a domain writes itself is not read here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>

#include "gbctl.h"

/* xen/xen.h: DOMID_FIRST_RESERVED; higher numbers are no domains. */
#define DOMID_MAX 0x7fef

const char *guest_type_name(enum guest_type type) {
    switch (type) {
    case GUEST_PV:
        return "pv";
    case GUEST_PVH:
        return "pvh";
    case GUEST_HVM:
        return "hvm";
    case GUEST_UNKNOWN:
        break;
    }
    return "unknown";
}

int domain_life(struct gb *gb, uint32_t domid, struct domain_life *out) {
    xc_dominfo_t info;
    int found = xc_domain_getinfo(gb->xc, domid, 1, &info);

    memset(out, 0, sizeof(*out));
    /* Xen answers with the next domain at or above the number, and with ESRCH when there is none. */
    if (found < 0 && errno == ESRCH)
        return GB_OK;
    if (found < 0)
        return gb_fail(gb, errno == EPERM || errno == EACCES ? GB_NO_RIGHTS : GB_FAILED,
                       "Xen does not say what domain %u is: %s", domid, strerror(errno));
    if (found == 0 || info.domid != domid)
        return GB_OK;
    out->exists = true;
    out->dying = info.dying;
    out->shutdown = info.shutdown || info.crashed;
    out->reason = info.crashed ? SHUTDOWN_crash : info.shutdown_reason;
    return GB_OK;
}

/* libxl writes the type for every domain; without the node a device model in Dom0 tells HVM from PVH. */
static enum guest_type find_type(struct gb *gb, uint32_t domid) {
    char text[8];
    xc_dominfo_t info;

    if (store_read(gb, text, sizeof(text), "/libxl/%u/type", domid)) {
        for (enum guest_type type = GUEST_PV; type <= GUEST_HVM; type++) {
            if (!strcmp(text, guest_type_name(type)))
                return type;
        }
    }
    if (!gb->xc || xc_domain_getinfo(gb->xc, domid, 1, &info) != 1 || info.domid != domid)
        return GUEST_UNKNOWN;
    if (!info.hvm)
        return GUEST_PV;
    return store_exists(gb, "/local/domain/%u/device-model/%u/state", gb->self, domid) ? GUEST_HVM : GUEST_PVH;
}

void domain_describe(struct gb *gb, uint32_t domid, struct domain *out) {
    memset(out, 0, sizeof(*out));
    out->domid = domid;
    out->type = find_type(gb, domid);
    store_read(gb, out->name, sizeof(out->name), "/local/domain/%u/name", domid);
}

bool domain_by_name(struct gb *gb, const char *name, struct domain *out) {
    uint32_t count;
    char **ids = store_list(gb, &count, "/local/domain");
    bool found = false;

    for (uint32_t i = 0; i < count && !found; i++) {
        char text[DOMAIN_NAME_MAX + 2];
        uint64_t domid;

        found = parse_u64(ids[i], DOMID_MAX, &domid) &&
                store_read(gb, text, sizeof(text), "/local/domain/%s/name", ids[i]) && !strcmp(text, name);
        if (found)
            domain_describe(gb, (uint32_t)domid, out);
    }
    free(ids);
    return found;
}

int domain_find(struct gb *gb, const char *text, struct domain *out) {
    uint64_t domid;

    if (domain_by_name(gb, text, out))
        return GB_OK;
    if (parse_u64(text, DOMID_MAX, &domid) && store_exists(gb, "/local/domain/%u/name", (unsigned)domid)) {
        domain_describe(gb, (uint32_t)domid, out);
        return GB_OK;
    }
    return gb_fail(gb, GB_NOT_FOUND, "there is no domain with the name or number \"%s\"", text);
}

static int change_max(struct gb *gb, uint32_t domid, uint64_t bytes, bool grow) {
    uint64_t kib = (bytes + 1023) / 1024;
    xc_dominfo_t info;
    uint64_t max;

    if (xc_domain_getinfo(gb->xc, domid, 1, &info) != 1 || info.domid != domid)
        return gb_fail(gb, GB_FAILED, "domain %u is gone", domid);
    if (!grow && kib > info.max_memkb)
        return gb_fail(gb, GB_FAILED, "domain %u: its allowance is %lu KiB only", domid, info.max_memkb);
    max = grow ? info.max_memkb + kib : info.max_memkb - kib;
    if (xc_domain_setmaxmem(gb->xc, domid, max))
        return gb_fail(gb, GB_FAILED, "domain %u: cannot set its memory allowance to %llu KiB: %s", domid,
                       (unsigned long long)max, strerror(errno));
    return GB_OK;
}

int domain_grow_max(struct gb *gb, uint32_t domid, uint64_t bytes) {
    return bytes ? change_max(gb, domid, bytes, true) : GB_OK;
}

/* The mirror image, at detach. A guest that is gone has no allowance to give back: nothing to report. */
void domain_shrink_max(struct gb *gb, uint32_t domid, uint64_t bytes) {
    if (bytes && change_max(gb, domid, bytes, false))
        gb->error[0] = '\0';
}

/* Xen counts pauses: one that somebody else asked for stays. */
int domain_pause(struct gb *gb, uint32_t domid) {
    if (!xc_domain_pause(gb->xc, domid))
        return GB_OK;
    return gb_fail(gb, errno == EPERM || errno == EACCES ? GB_NO_RIGHTS : GB_FAILED, "cannot pause domain %u: %s",
                   domid, strerror(errno));
}

void domain_unpause(struct gb *gb, uint32_t domid) {
    if (xc_domain_unpause(gb->xc, domid) && errno != ESRCH)
        fprintf(stderr, "gbctl: warning: domain %u stays paused: %s\n", domid, strerror(errno));
}

/* Xen does not tell a domain's target; libxl's node for it (libxl_dm.c, stub domains) is where it can be looked up. */
static bool is_target(struct gb *gb, uint32_t driver, uint32_t guest) {
    char text[16];
    uint64_t target;

    return store_read(gb, text, sizeof(text), "/local/domain/%u/target", driver) &&
           parse_u64(text, UINT32_MAX, &target) && target == guest;
}

/* Under FLASK the policy decides; a target would bind the driver domain to one guest for no gain. */
int domain_set_target(struct gb *gb, uint32_t driver, uint32_t guest) {
    char text[16];

    if (flask_active(gb))
        return flask_check_domains(gb, driver, guest);
    if (is_target(gb, driver, guest))
        return GB_OK;
    if (!xc_domain_set_target(gb->xc, driver, guest)) {
        snprintf(text, sizeof(text), "%u", guest);
        return store_write(gb, text, "/local/domain/%u/target", driver);
    }
    if (errno == EINVAL)
        return gb_fail(gb, GB_FAILED,
                       "driver domain %u cannot get guest %u as its target: it has one already (without FLASK it "
                       "serves one guest for all its life), or the guest is a PV domain",
                       driver, guest);
    return gb_fail(gb, errno == EPERM || errno == EACCES ? GB_NO_RIGHTS : GB_FAILED,
                   "cannot make guest %u the target of driver domain %u: %s", guest, driver, strerror(errno));
}
