/* SPDX-License-Identifier: MIT */
/*
 * What a Glovebox driver domain may do under FLASK, and what for: the only list. glovebox.if grants these rows and no
 * other (test/flask compares), gbctl looks for them on a given Xen, and test/xen/flask-policy shows on a real one that
 * none is too many: each is taken away in turn, and something is refused.
 *
 * ROW(source, target, class, permission, operation, what for). Sources and targets by their role:
 *
 *   DRIVER       the driver domain            DRIVER_SELF  the same domain when it acts on itself
 *   DRIVER_PORT  an event channel in it       DOM0         the control domain
 *   GUEST        a guest that it serves       GUEST_PORT   an event channel in it
 */
#define FLASK_PERMISSIONS(ROW)                                                                                         \
    ROW(DRIVER, DRIVER_SELF, mmu, map_read, "mmu_update", "map its own pages")                                         \
    ROW(DRIVER, DRIVER_SELF, mmu, map_write, "mmu_update, update_va_mapping", "write to them")                         \
    ROW(DRIVER, DRIVER_SELF, mmu, mmuext_op, "MMUEXT_INVLPG_LOCAL, MMUEXT_TLB_FLUSH_LOCAL", "forget old mappings")     \
    ROW(DRIVER, DRIVER_SELF, grant, setup, "GNTTABOP_setup_table", "grant pictures and traces to Dom0")                \
    ROW(DOM0, DRIVER, grant, copy, "GNTTABOP_copy", "copy a module out of pages that Dom0 granted it")                 \
    ROW(DRIVER_PORT, DOM0, event, bind, "EVTCHNOP_bind_interdomain by Dom0", "have a console and xenstore")            \
    ROW(DRIVER, DRIVER_PORT, event, create, "EVTCHNOP_bind_interdomain", "bind the ports that Xen makes in a guest")   \
    ROW(DRIVER, DRIVER_PORT, event, send, "EVTCHNOP_send", "tell Xen of an answer, Dom0 of text")                     \
    ROW(DRIVER_PORT, GUEST, event, bind, "EVTCHNOP_bind_interdomain", "the same: its own end, to that guest")          \
    ROW(DRIVER, GUEST_PORT, event, create, "XEN_DMOP_create_ioreq_server", "have Xen make one port a vCPU in a guest") \
    ROW(GUEST_PORT, DRIVER, event, bind, "XEN_DMOP_create_ioreq_server", "the same: the guest's end, to this domain")  \
    ROW(DRIVER, GUEST, hvm, dm, "dm_op", "be its device model: ioreq server, interrupts, place of a ram BAR")          \
    ROW(DRIVER, GUEST, domain2, resource_map, "XENMEM_acquire_resource", "find the page with its requests")            \
    ROW(DRIVER, GUEST, mmu, map_read, "mmu_update of a foreign page", "read what the guest draws and sends")           \
    ROW(DRIVER, GUEST, mmu, map_write, "mmu_update of a foreign page", "answer requests, and reads into its memory")   \
    ROW(DRIVER, GUEST, mmu, adjust, "XENMEM_populate_physmap, XENMEM_decrease_reservation", "the pages of a ram BAR")
