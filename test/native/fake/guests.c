/* SPDX-License-Identifier: MIT */
/* Guests: two of them, each with some RAM at the bottom and whatever it is given above. */
#include "fake.h"
#include "shim_limits.h"

#define GUESTS 2u
#define P2M_MAX 2048u

static struct guest {
    domid_t domid;
    bool dead, lingers;
    struct {
        uint64_t gfn, mfn; /* mfn 0 = no page */
    } p2m[P2M_MAX];
} guests[GUESTS];
static uint32_t free_pages = 512;
static uint32_t extra;

static struct guest *guest_of(domid_t domid) {
    for (uint32_t i = 0; i < GUESTS; i++)
        if (guests[i].domid == domid)
            return &guests[i];
    return NULL;
}

bool fake_guest_exists(domid_t domid) {
    return guest_of(domid) != NULL;
}

bool fake_guest_dead(domid_t domid) {
    const struct guest *guest = guest_of(domid);
    return !guest || guest->dead;
}

void fake_guest_die(domid_t domid) {
    guest_of(domid)->dead = true;
    fake_servers_of_guest_gone(domid);
}

void fake_guest_linger(domid_t domid) {
    guest_of(domid)->lingers = true;
}

static bool is_seen(const struct guest *guest) {
    for (uint32_t i = 0; i < P2M_MAX; i++)
        if (guest->p2m[i].mfn && fake_frame_mapped(guest->p2m[i].mfn))
            return true;
    return false;
}

static uint64_t *entry_of(struct guest *guest, uint64_t gfn) {
    for (uint32_t i = 0; i < P2M_MAX; i++)
        if (guest->p2m[i].mfn && guest->p2m[i].gfn == gfn)
            return &guest->p2m[i].mfn;
    return NULL;
}

static int add_page(struct guest *guest, uint64_t gfn, uint64_t mfn) {
    for (uint32_t i = 0; i < P2M_MAX; i++) {
        if (guest->p2m[i].mfn)
            continue;
        guest->p2m[i].gfn = gfn;
        guest->p2m[i].mfn = mfn;
        return 0;
    }
    return -XEN_ENOMEM;
}

void fake_guests_init(void) {
    for (uint32_t i = 0; i < GUESTS; i++) {
        guests[i].domid = (domid_t)(FAKE_GUEST + i);
        for (uint64_t gfn = 0; gfn < FAKE_GUEST_PAGES; gfn++)
            add_page(&guests[i], gfn, fake_frame_new(guests[i].domid));
    }
}

uint64_t fake_guest_mfn(domid_t domid, uint64_t gfn) {
    struct guest *guest = guest_of(domid);
    const uint64_t *mfn = guest ? entry_of(guest, gfn) : NULL;
    return mfn ? *mfn : 0;
}

uint8_t *fake_guest_byte(domid_t domid, uint64_t gpa) {
    return fake_frame(fake_guest_mfn(domid, gpa >> PAGE_SHIFT)) + gpa % PAGE_BYTES;
}

void fake_set_free_pages(uint32_t pages) {
    free_pages = pages;
}

uint32_t fake_extra_ram(void) {
    return extra;
}

void fake_guest_forget(domid_t domid, uint64_t gfn) {
    uint64_t *mfn = entry_of(guest_of(domid), gfn);
    fake_frame_free(*mfn);
    *mfn = 0;
}

void fake_guest_balloon(domid_t domid, uint64_t gfn) {
    fake_guest_forget(domid, gfn);
    add_page(guest_of(domid), gfn, fake_frame_new(domid));
}

int fake_guest_move(domid_t domid, uint64_t src_gfn, uint64_t dst_gfn) {
    struct guest *guest = guest_of(domid);
    uint64_t *src = entry_of(guest, src_gfn);
    if (!src)
        return -XEN_EINVAL;
    uint64_t mfn = *src;
    if (entry_of(guest, dst_gfn))
        fake_guest_forget(domid, dst_gfn);
    *src = 0;
    return add_page(guest, dst_gfn, mfn);
}

static bool populate_one(struct guest *guest, uint64_t gfn) {
    if (free_pages == 0 || entry_of(guest, gfn))
        return false;
    free_pages--;
    extra++;
    return add_page(guest, gfn, fake_frame_new(guest->domid)) == 0;
}

static bool decrease_one(struct guest *guest, uint64_t gfn) {
    if (!entry_of(guest, gfn))
        return false;
    fake_guest_forget(guest->domid, gfn);
    free_pages++;
    extra--;
    return true;
}

/* Like Xen: the number done; what stops it short is not told. */
long fake_reservation(uint64_t cmd, struct xen_memory_reservation *reservation) {
    struct guest *guest = guest_of(reservation->domid);
    if (!guest || (guest->dead && !(guest->lingers && is_seen(guest))))
        return -XEN_ESRCH;
    if (guest->dead)
        return 0;
    if (reservation->extent_order || reservation->mem_flags)
        fake_fail("unexpected reservation", reservation->extent_order, reservation->mem_flags);
    xen_ulong_t done = 0;
    while (done < reservation->nr_extents) {
        xen_pfn_t *gfn = &reservation->extent_start.p[done];
        if (!(cmd == XENMEM_populate_physmap ? populate_one(guest, *gfn) : decrease_one(guest, *gfn)))
            break;
        *gfn = 0xdead; /* an output, to be relied on by nobody */
        done++;
    }
    return (long)done;
}
