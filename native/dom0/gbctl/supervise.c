// SPDX-License-Identifier: MIT
/*
 * Staying beside a guest. libxl gives a rebooted guest a new domid and knows nothing of our wiring, so the guest was
 * created with on_reboot="preserve": it stays as it is after its reboot until we have seen it, and is then made anew.
 * On stock Xen its driver domain goes too: a target is for ever, and holds the dead guest (facts: XSA-217's rule).
 *
 *   running --reboot--> destroy both, create both --> running
 *   running --poweroff, crash, gone--> end            signal --> end, and everything goes on running
 */
#include <inttypes.h>
#include <string.h>

#include <xen/sched.h>

#include "gbctl.h"

/* A guest that reboots faster than this, so often in a row, is broken: stop instead of spinning. */
#define SHORT_LIFE_NS 10000000000ull
#define SHORT_LIVES_MAX 5

static int check_life(struct gb *gb, void *arg) {
    const struct creation *c = arg;
    struct domain_life guest, driver;

    if (domain_life(gb, c->guest.domid, &guest) || domain_life(gb, c->driver.domid, &driver))
        return GB_FAILED;
    if (!guest.exists || guest.dying || guest.shutdown)
        return GB_OK;
    if (!driver.exists || driver.dying || driver.shutdown)
        return gb_fail(gb, GB_FAILED,
                       "driver domain %u (%s) has gone; guest %u (%s) is left without its vGPU and may hang: \"gbctl "
                       "destroy %s\" ends it",
                       c->driver.domid, c->driver.name, c->guest.domid, c->guest.name, c->guest.name);
    return STORE_WAIT;
}

static void say(const struct gb *gb, const struct creation *c, const char *what) {
    struct json j = {.to = stdout};

    if (!gb->opt.json) {
        printf("guest %u (%s) %s\n", c->guest.domid, c->guest.name, what);
        fflush(stdout);
        return;
    }
    json_open(&j, NULL, '{');
    json_string(&j, "event", what);
    json_string(&j, "name", c->guest.name);
    json_number(&j, "domid", c->guest.domid);
    json_close(&j, '}');
    json_end(&j);
}

static int end(struct gb *gb, struct creation *c, bool crashed, const char *what) {
    char name[DOMAIN_NAME_MAX + 1];

    say(gb, c, what);
    memcpy(name, c->guest.name, sizeof(name));
    create_undo(gb, c);
    return crashed ? gb_fail(gb, GB_FAILED, "guest %s crashed", name) : GB_OK;
}

/* xl destroy of a guest that its own daemon is destroying is harmless, but says so; look first. */
static void forget_dead_guest(struct gb *gb, struct creation *c) {
    struct domain found;

    c->guest_made = domain_by_name(gb, c->guest.name, &found) && found.domid == c->guest.domid;
}

int supervise(struct gb *gb, struct creation *c) {
    uint32_t short_lives = 0;

    for (;;) {
        uint64_t born = clock_ns();
        struct domain_life life;
        int error;

        gb->deadline_ns = UINT64_MAX;
        error = store_wait(gb, "@releaseDomain", check_life, c);
        if (error && signals_seen()) {
            fprintf(stderr, "gbctl: no longer supervising; guest %s goes on, but will not come back from a reboot\n",
                    c->guest.name);
            return GB_OK;
        }
        if (error || (error = domain_life(gb, c->guest.domid, &life)))
            return error;
        forget_dead_guest(gb, c);
        if (!life.shutdown || life.reason != SHUTDOWN_reboot)
            return end(gb, c, life.shutdown && life.reason == SHUTDOWN_crash,
                       !life.shutdown                        ? "is gone"
                       : life.reason == SHUTDOWN_crash       ? "crashed"
                       : life.reason == SHUTDOWN_poweroff    ? "powered off"
                                                             : "stopped");
        say(gb, c, "reboots");
        short_lives = clock_ns() - born < SHORT_LIFE_NS ? short_lives + 1 : 0;
        create_undo(gb, c);
        if (short_lives >= SHORT_LIVES_MAX)
            return gb_fail(gb, GB_FAILED, "guest %s rebooted %d times within %llu s each: given up", c->guest.name,
                           SHORT_LIVES_MAX, SHORT_LIFE_NS / 1000000000);
        error = create_once(gb, c);
        if (error)
            return error;
        creation_print(gb, c);
    }
}
