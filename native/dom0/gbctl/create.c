// SPDX-License-Identifier: MIT
/*
 * A guest with vGPUs from nothing, in the order of docs/CONTROL.md, or not at all: whatever step fails, or Ctrl-C,
 * takes back the steps before it, last first.
 *
 *   driver domain ready -> guest created, paused -> target -> specifications ready, maxmem raised -> guest unpaused
 */
#include <string.h>

#include "config.h"

/* Undoing has a time of its own: the reason to undo may be that the other ran out. */
#define UNDO_NS 30000000000ull
/* Another's destroying takes this long at most, else we say that something is left. */
#define GONE_NS 5000000000ull

static int take_driver(struct gb *gb, struct creation *c, const char *guest_name) {
    char name[DOMAIN_NAME_MAX + 1];
    int error;

    if (!c->own_driver) {
        error = driver_find(gb, gb->opt.driver_domain, &c->driver);
        return error ? error : driver_wait_ready(gb, &c->driver);
    }
    if (strlen(guest_name) + strlen("glovebox-") > DOMAIN_NAME_MAX)
        return gb_fail(gb, GB_USAGE, "guest \"%s\": with glovebox- before it, longer than %d characters", guest_name,
                       DOMAIN_NAME_MAX);
    driver_name_for(name, guest_name);
    progress("starting driver domain %s", name);
    c->driver.domid = 0;
    error = driver_start(gb, name, &c->driver);
    c->driver_made = c->driver.domid != 0;
    return error;
}

static int make_guest(struct gb *gb, struct creation *c, const char *path, const char *name) {
    /* The supervisor must see "reboot" before the toolstack clears it away; without one, the guest would come back
     * without its vGPU, which nobody asked for. */
    const char *reboot = gb->opt.supervise ? "on_reboot=\"preserve\"" : "on_reboot=\"destroy\"";
    const char *const argv[] = {"xl", "create", "-q", "-p", path, reboot, NULL};
    int error;

    if (domain_by_name(gb, name, &c->guest))
        return gb_fail(gb, GB_FAILED, "guest %s runs already, as domain %u", name, c->guest.domid);
    progress("creating guest %s", name);
    error = xl_run(gb, argv);
    c->guest_made = domain_by_name(gb, name, &c->guest);
    if (!error && !c->guest_made)
        return gb_fail(gb, GB_FAILED, "xl made guest %s, but it is gone already", name);
    return error;
}

static int attach_all(struct gb *gb, struct creation *c) {
    for (uint32_t i = 0; i < gb->opt.module_count; i++) {
        int error;

        progress("attaching %s to guest %s", gb->opt.module[i].name, c->guest.name);
        error = vgpu_attach(gb, &c->driver, &c->guest, &gb->opt.module[i], &c->vgpu[i]);
        if (error)
            return error;
        c->vgpu_count++;
    }
    return GB_OK;
}

static int unpause(struct gb *gb, const struct creation *c) {
    char domid[12];
    const char *const argv[] = {"xl", "unpause", domid, NULL};

    snprintf(domid, sizeof(domid), "%u", c->guest.domid);
    return xl_run(gb, argv);
}

/* Before the guest is made: afterwards Xen would refuse the first of many operations, in fewer words. */
static int check_labels(struct gb *gb, const struct creation *c, const char *guest_label) {
    char label[LABEL_MAX + 1];

    if (!flask_active(gb) || !flask_label(gb, c->driver.domid, label))
        return GB_OK;
    return flask_check_pair(gb, label, guest_label);
}

static int steps(struct gb *gb, struct creation *c, const char *path, const struct config *config, const char **step) {
    int error;

    *step = "starting the driver domain";
    error = take_driver(gb, c, config->name);
    if (error)
        return error;
    *step = "checking the labels";
    error = check_labels(gb, c, config->label);
    if (error)
        return error;
    *step = "choosing the modules";
    error = modules_check(gb, &c->driver);
    if (error)
        return error;
    *step = "creating the guest";
    error = make_guest(gb, c, path, config->name);
    if (error)
        return error;
    *step = "making the guest the driver domain's target";
    error = domain_set_target(gb, c->driver.domid, c->guest.domid);
    if (error)
        return error;
    *step = "attaching";
    error = attach_all(gb, c);
    if (error)
        return error;
    *step = "unpausing the guest";
    return signals_seen() ? gb_fail(gb, GB_FAILED, "interrupted") : unpause(gb, c);
}

/* A dying domain counts as gone: it may stay a zombie until its driver domain goes. */
static int check_gone(struct gb *gb, void *arg) {
    struct domain_life life;
    int error = domain_life(gb, *(const uint32_t *)arg, &life);

    return !error && life.exists && !life.dying ? STORE_WAIT : error;
}

static void destroy_domain(struct gb *gb, uint32_t id) {
    char domid[12];
    const char *const argv[] = {"xl", "destroy", domid, NULL};

    snprintf(domid, sizeof(domid), "%u", id);
    gb->deadline_ns = clock_ns() + UNDO_NS;
    if (!xl_run(gb, argv))
        return;
    /* xl leaves a daemon beside each domain, which may be destroying it right now; then ours fails. */
    gb->deadline_ns = clock_ns() + GONE_NS;
    if (store_wait(gb, "@releaseDomain", check_gone, &id))
        fprintf(stderr, "gbctl: warning: domain %u is left behind: \"xl destroy %u\" ends it\n", id, id);
}

void create_undo(struct gb *gb, struct creation *c) {
    char error[sizeof(gb->error)];

    memcpy(error, gb->error, sizeof(error));
    signals_forget();
    if (c->guest_made) {
        store_remove(gb, "/local/domain/%u/data/glovebox/vgpu/%u", c->driver.domid, c->guest.domid);
        destroy_domain(gb, c->guest.domid);
    }
    if (c->driver_made)
        destroy_domain(gb, c->driver.domid);
    c->guest_made = c->driver_made = false;
    c->vgpu_count = 0;
    memcpy(gb->error, error, sizeof(error));
}

int create_once(struct gb *gb, struct creation *c) {
    struct config config;
    const char *path = gb->opt.operand[0];
    const char *step = "reading the configuration";
    int error;

    memset(c, 0, sizeof(*c));
    c->own_driver = !gb->opt.driver_domain;
    drivers_forget_dead(gb);
    gb->deadline_ns = clock_ns() + gb->opt.timeout_s * 1000000000ull;
    error = config_read(gb, path, &config);
    if (!error)
        error = steps(gb, c, path, &config, &step);
    if (!error)
        return GB_OK;
    create_undo(gb, c);
    return gb_because(gb, error, "%s", step);
}

static void print_json(const struct creation *c) {
    struct json j = {.to = stdout};

    json_open(&j, NULL, '{');
    json_open(&j, "guest", '{');
    json_string(&j, "name", c->guest.name);
    json_number(&j, "domid", c->guest.domid);
    json_string(&j, "type", guest_type_name(c->guest.type));
    json_close(&j, '}');
    json_open(&j, "driver_domain", '{');
    json_string(&j, "name", c->driver.name);
    json_number(&j, "domid", c->driver.domid);
    json_string(&j, "version", c->driver.version);
    json_bool(&j, "own", c->own_driver);
    json_close(&j, '}');
    json_open(&j, "vgpus", '[');
    for (uint32_t i = 0; i < c->vgpu_count; i++)
        vgpu_json(&j, &c->vgpu[i]);
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

void creation_print(struct gb *gb, const struct creation *c) {
    if (gb->opt.json) {
        print_json(c);
        return;
    }
    printf("guest %u (%s), driver domain %u (%s)\n", c->guest.domid, c->guest.name, c->driver.domid, c->driver.name);
    for (uint32_t i = 0; i < c->vgpu_count; i++) {
        printf("  vgpu %u: ", c->vgpu[i].number);
        text_print(stdout, c->vgpu[i].module);
        fputs(" at ", stdout);
        text_print(stdout, c->vgpu[i].bdf);
        putchar('\n');
    }
    fflush(stdout);
}

int create_run(struct gb *gb) {
    struct creation c;
    int error;

    if (gb->opt.supervise && gb->opt.driver_domain && !flask_active(gb))
        return gb_fail(gb, GB_USAGE,
                       "--supervise with --driver-domain needs FLASK: on this Xen a driver domain serves one guest's "
                       "life only, and the next life needs a new one");
    if (!gb->opt.module_count)
        return gb_fail(gb, GB_USAGE, "name at least one --module");
    error = create_once(gb, &c);
    if (error)
        return error;
    creation_print(gb, &c);
    return gb->opt.supervise ? supervise(gb, &c) : GB_OK;
}
