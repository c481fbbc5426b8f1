// SPDX-License-Identifier: MIT
/*
 * A guest with a vGPU must not be saved or migrated: neither Xen nor libxl knows the mediator's part of it, and the
 * restored guest would find its device gone. libxl 4.17 has no switch for that ("nomigrate" is not looked at by `xl
 * save`, and a guest without PV drivers is suspended without being asked), but it refuses guests with virtual NUMA,
 * before it touches them. One node that holds everything changes nothing else for a guest.
 */
#include <errno.h>
#include <string.h>

#include <xenctrl.h>

#include "gbctl.h"

#define VCPUS_MAX 128      /* of an HVM or PVH guest, xen/arch-x86/hvm */
#define LOCAL_DISTANCE 10  /* ACPI 6, SLIT: a node's distance to itself */

/* Configured by its owner: libxl refuses already. Without room for the answer Xen says ENOBUFS. */
static bool has_nodes(struct gb *gb, uint32_t domid) {
    uint32_t nodes = 0, ranges = 0, vcpus = 0;

    return xc_domain_getvnuma(gb->xc, domid, &nodes, &ranges, &vcpus, NULL, NULL, NULL) && errno == ENOBUFS;
}

static int set_one_node(struct gb *gb, uint32_t domid, uint32_t vcpus, uint64_t bytes) {
    xen_vmemrange_t all = {.end = bytes};
    unsigned int distance = LOCAL_DISTANCE, physical = 0;
    unsigned int nodes[VCPUS_MAX] = {0};

    return xc_domain_setvnuma(gb->xc, domid, 1, 1, vcpus, &all, &distance, nodes, &physical);
}

/* Stays, also after detach. What fails is told, but is no reason to have no vGPU. */
void domain_forbid_save(struct gb *gb, const struct domain *guest) {
    xc_dominfo_t info;

    if (xc_domain_getinfo(gb->xc, guest->domid, 1, &info) != 1 || info.domid != guest->domid)
        return;
    if (has_nodes(gb, guest->domid))
        return;
    if (info.max_vcpu_id < VCPUS_MAX &&
        !set_one_node(gb, guest->domid, info.max_vcpu_id + 1, (uint64_t)info.max_memkb * 1024))
        return;
    fprintf(stderr, "gbctl: warning: guest %u (%s) can be saved and migrated, but would lose its vGPU: %s\n",
            guest->domid, guest->name, strerror(errno));
}
