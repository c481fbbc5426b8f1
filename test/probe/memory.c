/* SPDX-License-Identifier: MIT */
/* Memory of other domains by number: giving, taking, moving, counting. Mapping it is mapping.c's. */
#include "probe.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

/* A guest's page that is RAM in every guest, and one that is RAM in none (below the local APIC). */
#define RAM_GFN 0x400
#define HOLE_GFN 0xf4000
#define ORDER_2_MIB 9

static const char *memory_op(uint32_t cmd, void *argument) {
    return errno_word(hypercall_memory_op(cmd, argument));
}

static const char *reservation(uint32_t cmd, domid_t domid, xen_pfn_t frame, uint32_t order) {
    struct xen_memory_reservation r = {.nr_extents = 1, .extent_order = order, .domid = domid};
    set_xen_guest_handle(r.extent_start, &frame);
    return extents_word(hypercall_memory_op(cmd, &r));
}

static const char *populate(domid_t domid) {
    return reservation(XENMEM_populate_physmap, domid, HOLE_GFN, 0);
}

/* What populate() gave to the target; of the other guest, RAM that it uses. */
static const char *decrease(domid_t domid) {
    return reservation(XENMEM_decrease_reservation, domid, domid == world.target ? HOLE_GFN : RAM_GFN, 0);
}

/* The toolstack leaves a domain 1 MiB of slack above its memory, so ask for more than that at once. */
static const char *increase(domid_t domid) {
    return reservation(XENMEM_increase_reservation, domid, 0, ORDER_2_MIB);
}

static const char *exchange(domid_t domid) {
    xen_pfn_t in = RAM_GFN, out = RAM_GFN;
    struct xen_memory_exchange x = {.in = {.nr_extents = 1, .domid = domid}, .out = {.nr_extents = 1, .domid = domid}};
    set_xen_guest_handle(x.in.extent_start, &in);
    set_xen_guest_handle(x.out.extent_start, &out);
    return memory_op(XENMEM_exchange, &x);
}

static const char *add_to_physmap(domid_t domid) {
    struct xen_add_to_physmap add = {.domid = domid, .space = XENMAPSPACE_gmfn, .idx = RAM_GFN, .gpfn = HOLE_GFN};
    return memory_op(XENMEM_add_to_physmap, &add);
}

static const char *remove_from_physmap(domid_t domid) {
    struct xen_remove_from_physmap remove = {.domid = domid, .gpfn = RAM_GFN};
    return memory_op(XENMEM_remove_from_physmap, &remove);
}

static const char *count_pages(domid_t domid) {
    struct xen_memory_domain domain = {.domid = domid};
    return memory_op(XENMEM_maximum_gpfn, &domain);
}

static const char *set_memory_map(domid_t domid) {
    struct xen_foreign_memory_map map = {.domid = domid};
    return memory_op(XENMEM_set_memory_map, &map);
}

static const char *machine_map(domid_t domid) {
    static uint8_t entries[PAGE_BYTES];
    struct xen_memory_map map = {.nr_entries = 64};
    (void)domid;
    set_xen_guest_handle(map.buffer, (void *)entries);
    return memory_op(XENMEM_machine_memory_map, &map);
}

static const char *machphys(domid_t domid) {
    struct xen_machphys_mapping mapping;
    (void)domid;
    return memory_op(XENMEM_machphys_mapping, &mapping);
}

static const char *set_pod_target(domid_t domid) {
    struct xen_pod_target target = {.domid = domid};
    return memory_op(XENMEM_set_pod_target, &target);
}

static const char *claim(domid_t domid) {
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = domid};
    return memory_op(XENMEM_claim_pages, &r);
}

static const char *acquire(domid_t domid, uint16_t type, uint32_t id, uint64_t first) {
    xen_pfn_t frame = 0;
    struct xen_mem_acquire_resource resource = {.domid = domid, .type = type, .id = id, .nr_frames = 1, .frame = first};
    set_xen_guest_handle(resource.frame_list, &frame);
    return memory_op(XENMEM_acquire_resource, &resource);
}

static const char *acquire_requests(domid_t domid) {
    return acquire(domid, XENMEM_resource_ioreq_server, world.server, XENMEM_resource_ioreq_server_frame_ioreq(0));
}

static const char *acquire_grants(domid_t domid) {
    return acquire(domid, XENMEM_resource_grant_table, XENMEM_resource_grant_table_id_shared, 0);
}

static const char *get_param(domid_t domid) {
    struct xen_hvm_param param = {.domid = domid, .index = HVM_PARAM_STORE_PFN};
    return errno_word(hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, (uint64_t)&param, 0, 0, 0));
}

static const char *set_param(domid_t domid) {
    struct xen_hvm_param param = {.domid = domid, .index = HVM_PARAM_STORE_PFN, .value = RAM_GFN};
    return errno_word(hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, (uint64_t)&param, 0, 0, 0));
}

static const char *get_mem_type(domid_t domid) {
    struct xen_hvm_get_mem_type type = {.domid = domid, .pfn = RAM_GFN};
    return errno_word(hypercall(__HYPERVISOR_hvm_op, HVMOP_get_mem_type, (uint64_t)&type, 0, 0, 0));
}

static const struct probe rows[] = {
    {"XENMEM_populate_physmap", OTHER, "put pages into any guest", populate},
    {"XENMEM_populate_physmap", TARGET, "back a ram BAR with the guest's own allowance", populate},
    {"XENMEM_decrease_reservation", OTHER, "take pages from any guest", decrease},
    {"XENMEM_decrease_reservation", TARGET, "take the pages of a ram BAR back", decrease},
    {"XENMEM_increase_reservation", SELF, "take memory that Dom0 did not give", increase},
    {"XENMEM_exchange", OTHER, "replace any guest's pages", exchange},
    {"XENMEM_add_to_physmap", OTHER, "move any guest's pages", add_to_physmap},
    {"XENMEM_remove_from_physmap", OTHER, "make holes in any guest's memory", remove_from_physmap},
    {"XENMEM_maximum_gpfn", OTHER, "learn how any guest's memory lies", count_pages},
    {"XENMEM_maximum_gpfn", DOM0, "learn how Dom0's memory lies", count_pages},
    {"XENMEM_maximum_gpfn", TARGET, "know its guest's memory", count_pages},
    {"XENMEM_set_memory_map", OTHER, "lie to any guest about its memory", set_memory_map},
    {"XENMEM_machine_memory_map", NOBODY, "learn how the machine's memory lies", machine_map},
    {"XENMEM_machphys_mapping", NOBODY, "find where the machine-to-physical table is", machphys},
    {"XENMEM_set_pod_target", OTHER, "starve any guest of memory", set_pod_target},
    {"XENMEM_claim_pages", OTHER, "reserve the machine's memory", claim},
    {"XENMEM_acquire_resource ioreq_server", OTHER, "answer any guest's requests", acquire_requests},
    {"XENMEM_acquire_resource ioreq_server of another emulator", TARGET, "answer in another emulator's place",
     acquire_requests},
    {"XENMEM_acquire_resource grant_table", OTHER, "forge any guest's grants", acquire_grants},
    {"XENMEM_acquire_resource grant_table", DOM0, "forge Dom0's grants", acquire_grants},
    {"XENMEM_acquire_resource grant_table", TARGET, "reach its guest's grants: a device model may", acquire_grants},
    {"HVMOP_get_param", OTHER, "find any guest's rings", get_param},
    {"HVMOP_get_param", TARGET, "find its guest's rings", get_param},
    {"HVMOP_set_param", OTHER, "put itself behind any guest's rings", set_param},
    {"HVMOP_get_mem_type", OTHER, "learn what any guest's pages are", get_mem_type},
};
const struct probe_table memory_probes = PROBE_TABLE(rows);
