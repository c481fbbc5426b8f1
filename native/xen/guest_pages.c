/* SPDX-License-Identifier: MIT */
#include "guest_pages.h"

#include "foreign.h"
#include "machine.h"
#include "panic.h"
#include "shim_limits.h"

#define WAYS 4u
#define SETS (GUEST_PAGES_MAX / WAYS)
#define GFN_BITS 40
#define GENERATION_BITS 8
#define DOMID_SHIFT (GFN_BITS + GENERATION_BITS)
#define GENERATION_MASK (((1ul << GENERATION_BITS) - 1) << GFN_BITS)
#define SWEEP_PAGES 128u /* looked at in one go; COPY_WINDOW_PAGES of them at most are given up */
/* Neighbours in a guest are in sets side by side; guests begin at different ones. */
#define SETS_BETWEEN_GUESTS 509u

/* A call enters two runs of pages at most, each of which has at most one page in a set. The newest two of a set are
 * never what makes room for a third one. */
_Static_assert(WAYS > 2 && COPY_WINDOW_PAGES <= SETS, "a page makes room for another of the same call");
_Static_assert(FRAME_NUMBER_MAX >> GFN_BITS == 0, "a guest frame number is as long as that");

static struct aperture_page {
    uint64_t name; /* of what it shows: name_of(); 0 is nobody's: it shows nothing */
    uint64_t used; /* by the clock, when last asked for */
} aperture[GUEST_PAGES_MAX];

static uint64_t clock;
static uint16_t mapped[DOMID_FIRST_RESERVED];    /* pages of that guest, of whatever generation */
static uint8_t generation[DOMID_FIRST_RESERVED]; /* of the pages that count: how often the guest gave some back */
static uint32_t sweep_next, sweep_left;          /* where the sweep is, and how many pages it has not looked at */
static uint8_t kept[(DOMID_FIRST_RESERVED + 7) / 8];
_Static_assert(GUEST_PAGES_MAX <= UINT16_MAX, "all of them may be one guest's");

static uint64_t name_of(domid_t domid, uint64_t gfn) {
    return (domid + 1ul) << DOMID_SHIFT | (uint64_t)generation[domid] << GFN_BITS | gfn;
}

static bool is_of(const struct aperture_page *page, domid_t domid) {
    return page->name >> DOMID_SHIFT == domid + 1ul;
}

/* The same page in any generation. */
static bool is_place(const struct aperture_page *page, domid_t domid, uint64_t gfn) {
    return (page->name & ~GENERATION_MASK) == (name_of(domid, gfn) & ~GENERATION_MASK);
}

static bool is_outdated(const struct aperture_page *page) {
    return page->name && (uint8_t)(page->name >> GFN_BITS) != generation[(page->name >> DOMID_SHIFT) - 1];
}

static void rename_page(struct aperture_page *page, uint64_t name) {
    if (page->name)
        mapped[(page->name >> DOMID_SHIFT) - 1]--;
    if (name)
        mapped[(name >> DOMID_SHIFT) - 1]++;
    page->name = name;
}

static uint8_t *address_of(uint32_t index) {
    return machine_aperture() + (uint64_t)index * PAGE_BYTES;
}

static struct aperture_page *set_of(domid_t domid, uint64_t gfn) {
    return &aperture[(gfn + (uint64_t)domid * SETS_BETWEEN_GUESTS) % SETS * WAYS];
}

static struct aperture_page *find(domid_t domid, uint64_t gfn) {
    struct aperture_page *set = set_of(domid, gfn);
    for (uint32_t i = 0; i < WAYS; i++)
        if (set[i].name == name_of(domid, gfn))
            return &set[i];
    return NULL;
}

static struct aperture_page *longest_unused(domid_t domid, uint64_t gfn) {
    struct aperture_page *set = set_of(domid, gfn), *found = set;
    for (uint32_t i = 1; i < WAYS; i++)
        if (set[i].used < found->used)
            found = &set[i];
    return found;
}

/* --- giving up ---------------------------------------------------------------------------------------------------- */

struct leaving {
    void *pages[COPY_WINDOW_PAGES];
    uint32_t count;
    bool any;
};

static void leave_now(struct leaving *leaving) {
    foreign_clear(leaving->pages, leaving->count);
    leaving->count = 0;
}

static void leave(struct leaving *leaving, uint32_t index) {
    leaving->any = true;
    leaving->pages[leaving->count++] = address_of(index);
    if (leaving->count == COPY_WINDOW_PAGES)
        leave_now(leaving);
}

static void give_up(struct leaving *leaving, struct aperture_page *page) {
    rename_page(page, 0);
    page->used = 0;
    leave(leaving, (uint32_t)(page - aperture));
}

static void leave_all(struct leaving *leaving) {
    leave_now(leaving);
    if (leaving->any)
        foreign_flush();
}

void guest_pages_forget(domid_t domid, uint64_t gfn, uint64_t count) {
    struct leaving leaving = {.count = 0};
    if (count > GUEST_PAGES_MAX) {
        (void)guest_pages_forget_all(domid);
        return;
    }
    for (uint64_t i = 0; i < count && mapped[domid]; i++) {
        struct aperture_page *set = set_of(domid, gfn + i);
        for (uint32_t way = 0; way < WAYS; way++)
            if (is_place(&set[way], domid, gfn + i))
                give_up(&leaving, &set[way]);
    }
    leave_all(&leaving);
}

bool guest_pages_forget_all(domid_t domid) {
    struct leaving leaving = {.count = 0};
    for (uint32_t i = 0; i < GUEST_PAGES_MAX && mapped[domid]; i++)
        if (is_of(&aperture[i], domid))
            give_up(&leaving, &aperture[i]);
    leave_all(&leaving);
    return leaving.any;
}

/* Generation 0 is one that counts only before the first wrap: what is left of all the others is that from then on. */
static void wrap(domid_t domid) {
    for (uint32_t i = 0; i < GUEST_PAGES_MAX; i++)
        if (is_of(&aperture[i], domid))
            aperture[i].name &= ~GENERATION_MASK;
    generation[domid] = 1;
}

void guest_pages_outdate(domid_t domid) {
    if (!mapped[domid])
        return;
    sweep_left = GUEST_PAGES_MAX;
    if (++generation[domid] == 0)
        wrap(domid);
}

bool guest_pages_sweep(void) {
    if (!sweep_left)
        return false; /* as in each turn of the loop but a few: nothing is set up for it */
    struct leaving leaving = {.count = 0};
    uint32_t given_up = 0;
    for (uint32_t i = 0; i < SWEEP_PAGES && sweep_left && given_up < COPY_WINDOW_PAGES; i++, sweep_left--) {
        struct aperture_page *page = &aperture[sweep_next++ % GUEST_PAGES_MAX];
        if (!is_outdated(page))
            continue;
        give_up(&leaving, page);
        given_up++;
    }
    leave_all(&leaving);
    return sweep_left;
}

void guest_pages_keep(domid_t domid) {
    kept[domid / 8] |= (uint8_t)(1u << domid % 8);
}

void guest_pages_drop(domid_t domid) {
    kept[domid / 8] &= (uint8_t)~(1u << domid % 8);
    (void)guest_pages_forget_all(domid);
}

void guest_pages_leave(domid_t domid, uint64_t gfn, uint32_t count) {
    if (!(kept[domid / 8] >> domid % 8 & 1))
        guest_pages_forget(domid, gfn, count);
}

/* By what the page table says, not by what we know of it: a restart trusts no variable, and clears these afterwards.
 * Nor does it trust that what was cleared before was flushed, too. */
void guest_pages_take_back(void) {
    struct leaving leaving = {.any = true};
    for (uint32_t i = 0; i < GUEST_PAGES_MAX; i++)
        if (machine_is_mapped(address_of(i)))
            leave(&leaving, i);
    leave_all(&leaving);
}

/* --- asking for --------------------------------------------------------------------------------------------------- */

/* Pages that a call asks for and that were not to be seen. */
struct missing {
    struct foreign_page pages[COPY_WINDOW_PAGES];
    uint32_t count;
};

static struct aperture_page *make_room(struct missing *missing, domid_t domid, uint64_t gfn) {
    struct aperture_page *page = longest_unused(domid, gfn);
    struct foreign_page *foreign = &missing->pages[missing->count++];
    *foreign = (struct foreign_page){address_of((uint32_t)(page - aperture)), gfn, page->name != 0};
    rename_page(page, name_of(domid, gfn));
    return page;
}

static int show(const struct missing *missing, domid_t domid) {
    struct leaving leaving = {.count = 0};
    int rc = foreign_show(domid, missing->pages, missing->count);
    for (uint32_t i = 0; rc && i < missing->count; i++)
        give_up(&leaving, find(domid, missing->pages[i].gfn));
    leave_all(&leaving);
    return rc;
}

int guest_pages_enter(domid_t domid, uint64_t gfn, uint32_t count, uint8_t *pages[]) {
    struct missing missing;
    missing.count = 0;
    if (count > COPY_WINDOW_PAGES)
        panic("so many pages of a guest at once", count, COPY_WINDOW_PAGES);
    for (uint32_t i = 0; i < count; i++) {
        struct aperture_page *page = find(domid, gfn + i);
        if (!page)
            page = make_room(&missing, domid, gfn + i);
        page->used = ++clock;
        pages[i] = address_of((uint32_t)(page - aperture));
    }
    return missing.count ? show(&missing, domid) : 0;
}
