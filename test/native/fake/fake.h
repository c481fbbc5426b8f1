/* SPDX-License-Identifier: MIT */
/*
 * A hypervisor of a few hundred lines: machine frames, guests with a p2m, event channels, a grant table, ioreq servers,
 * a xenstore ring, and a clock that moves by one nanosecond a look. It is strict where Xen is strict: a translation
 * stays stale until it is flushed, a slot's state may only move forward, a frame in use does not go away.
 *
 * Every hypercall is counted and the nth can be made to fail. The ledger says what the shim holds at the moment.
 */
#ifndef GLOVEBOX_FAKE_H
#define GLOVEBOX_FAKE_H

#include "abi.h"

#define FAKE_GUEST 5u       /* the domid of the guest that every scenario uses */
#define FAKE_OTHER_GUEST 6u
#define FAKE_GUEST_PAGES 64u /* gfns 0 to 63 have RAM */
#define FAKE_VCPUS 3u

struct ledger {
    uint32_t windows;   /* pages of ours that show foreign frames */
    uint32_t aperture;  /* pages of the aperture that show something */
    uint32_t grants;    /* entries that are not GTF_invalid */
    uint32_t ports;     /* event channels bound by us */
    uint32_t servers;   /* ioreq servers on all guests */
    uint32_t ranges;    /* claimed on them */
    uint32_t extra_ram; /* pages of guests above FAKE_GUEST_PAGES */
};

/* --- the world --- */
const struct start_info *fake_start(void);
struct ledger fake_ledger(void);
/* Translations that were changed and not flushed; anything but 0 is a bug of the shim. */
uint32_t fake_stale_translations(void);
_Noreturn void fake_fail(const char *what, uint64_t a, uint64_t b);
#define CHECK(fact)                                                                                                    \
    do {                                                                                                               \
        if (!(fact))                                                                                                   \
            fake_fail(__FILE__ ": not so: " #fact, __LINE__, 0);                                                  \
    } while (0)
#define CHECK_EQUAL(a, b)                                                                                              \
    do {                                                                                                               \
        if ((uint64_t)(a) != (uint64_t)(b))                                                                            \
            fake_fail(__FILE__ ": differ: " #a " and " #b, (uint64_t)(a), (uint64_t)(b));                         \
    } while (0)
/* What became of the domain: exits the process with FAKE_PANIC_EXIT after printing the console. */
#define FAKE_PANIC_EXIT 7

/* --- fault injection: the nth hypercall from now (1 = the next) gives `answer`; 0 = none --- */
void fake_fail_nth(uint64_t nth, long answer);
/* Calls so far; between these two, when they were used: only there the nth call is counted and made to fail. */
uint64_t fake_hypercalls(void);
void fake_failures_begin(void);
void fake_failures_end(void);
void fake_failures_hold(void);
/* Number and sub-command of the hypercall that was made to fail; 0 sub-commands where there is none. */
const char *fake_failed_name(void);

/* --- restart.c --- */
/* Runs the step; true when it ended in a panic that wants to restart. What follows then is restart_prepare(). Outside
 * of it such a panic is the domain's end, as FAKE_PANIC_EXIT tells. */
bool fake_panics(void (*step)(void));
/* Called before the domain's end is told. */
extern void (*fake_at_end)(void);
void fake_advance_clock(uint64_t ns);
uint64_t fake_yields(void);
/* What others do while we give way. */
extern void (*fake_at_yield)(void);
/* From now on: others run for so long when we yield. */
void fake_yield_takes(uint64_t ns);
_Noreturn void fake_panicked(void);

/* --- frames.c --- */
uint64_t fake_frame_new(domid_t owner);
void fake_frame_free(uint64_t mfn);
bool fake_frame_mapped(uint64_t mfn);
domid_t fake_frame_owner(uint64_t mfn);
uint8_t *fake_frame(uint64_t mfn);
long fake_mmu_update(struct mmu_update *updates, uint64_t count, uint32_t *done, domid_t fd);
long fake_mmuext_op(struct mmuext_op *ops, uint64_t count);
long fake_update_va_mapping(uint64_t va, uint64_t pte, uint64_t flags);
uint32_t fake_windows(void);
uint32_t fake_aperture(void);

/* --- ramdisk.c --- */
/* The file that FAKE_RAMDISK names becomes the domain's ramdisk; none, when it names none. */
void fake_ramdisk_init(struct start_info *info);
/* The bytes of one of its files; NULL when there is none. */
const uint8_t *fake_ramdisk_file(const char *name, uint32_t *len);

/* --- guests.c --- */
void fake_guests_init(void);
bool fake_guest_exists(domid_t domid);
/* The frame at gfn, or 0. */
uint64_t fake_guest_mfn(domid_t domid, uint64_t gfn);
uint8_t *fake_guest_byte(domid_t domid, uint64_t gpa);
/* Page-wise; -XEN_Exxx. */
int fake_guest_move(domid_t domid, uint64_t src_gfn, uint64_t dst_gfn);
void fake_guest_forget(domid_t domid, uint64_t gfn);
/* The guest gives that page back and gets another one at the same place; what follows is IOREQ_TYPE_INVALIDATE. */
void fake_guest_balloon(domid_t domid, uint64_t gfn);
long fake_reservation(uint64_t cmd, struct xen_memory_reservation *reservation);
/* Pages that may still be given to guests: populate answers fewer extents when it runs out. */
void fake_set_free_pages(uint32_t pages);
uint32_t fake_extra_ram(void);
/* The guest is a zombie: its ioreq servers are gone, operations on it give -ESRCH. */
void fake_guest_die(domid_t domid);
bool fake_guest_dead(domid_t domid);
/* A dead one stays, with nothing to take from it, until no page of it is seen any more. */
void fake_guest_linger(domid_t domid);

/* --- events.c --- */
long fake_event_channel_op(uint64_t cmd, void *argument);
void fake_raise(evtchn_port_t port);
uint32_t fake_bound_ports(void);
evtchn_port_t fake_remote_port_new(domid_t domid);
void fake_remote_port_free(domid_t domid, evtchn_port_t remote);
/* Raise what is bound to the guest's port, as Xen does when a vCPU traps. */
void fake_raise_remote(domid_t domid, evtchn_port_t remote);
evtchn_port_t fake_console_port(void), fake_store_port(void);
void fake_events_init(struct shared_info *shared);
void fake_fire_timer(void);
uint64_t fake_timer_deadline(void);
/* Xen gives the processor to somebody else for so long. */
void fake_steal(uint64_t ns);
long fake_vcpu_op(uint64_t cmd, void *argument);

/* --- grants.c --- */
long fake_grant_table_op(uint64_t cmd, void *ops, uint32_t count);
/* The other way: domid 0 grants us a file in pages, with a directory page before them; answers the directory's
 * reference. `holes` pages of the file are not granted, from the first on. */
grant_ref_t fake_offer_file(const void *bytes, uint32_t len, uint32_t holes);
uint32_t fake_grants(void);
struct grant_entry_v1 *fake_grant(grant_ref_t ref);
/* The other side: maps and unmaps; NULL when the grant does not allow it. */
const uint8_t *fake_grant_map(grant_ref_t ref, domid_t by);
void fake_grant_unmap(grant_ref_t ref);

/* --- servers.c --- */
long fake_dm_op(domid_t domid, uint64_t nr_bufs, struct xen_dm_op_buf *bufs);
long fake_acquire_resource(struct xen_mem_acquire_resource *resource);
uint32_t fake_servers(void), fake_ranges(void);
void fake_servers_of_guest_gone(domid_t domid);
/* A vCPU traps: fills its slot and raises the event. */
void fake_trap(domid_t domid, uint32_t vcpu, const struct ioreq *request);
/* True when the vCPU got its answer (then the slot is NONE again and *data is what it got). */
bool fake_trap_answered(domid_t domid, uint32_t vcpu, uint64_t *data);
/* A hostile Xen: the slot takes that state whatever it was; and what its state is. */
void fake_trap_flip(domid_t domid, uint32_t vcpu, uint8_t state);
uint8_t fake_trap_state(domid_t domid, uint32_t vcpu);
/* A slot that is pending when its server goes hangs the vCPU; how many did. */
uint32_t fake_hung_vcpus(void);
uint32_t fake_msis(void);
uint64_t fake_last_msi(void);

/* --- rings.c --- */
void fake_rings_init(struct start_info *info);
const char *fake_console(void);
/* Lets xenconsoled run or stop. */
void fake_console_stalled(bool stalled);
/* xenstored: takes what is in the request ring (at most `bytes`); a whole message, or NULL. */
const struct xsd_sockmsg *fake_store_take(uint32_t bytes);
/* Puts raw bytes into the response ring as far as they fit; answers how many did. */
uint32_t fake_store_put(const void *bytes, uint32_t len);
void fake_store_corrupt(void);

#endif
