// SPDX-License-Identifier: MIT
/*
 * Driver domains: a domain is one when its data/glovebox/version exists. Any domain could write that node into its
 * own directory; all it gains is to be listed, for attach and create act only on domains that the operator named
 * or that this tool started itself.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gbctl.h"

/* Beside the image. */
#define MODULES_DEFAULT "modules.img"
#define DATA "/local/domain/%u/data/glovebox"

int name_check(struct gb *gb, const char *what, const char *name) {
    size_t length = strlen(name);
    bool digits = true;

    if (!length || length > DOMAIN_NAME_MAX)
        return gb_fail(gb, GB_USAGE, "%s \"%s\": a name has 1 to %d characters", what, name, DOMAIN_NAME_MAX);
    for (const char *at = name; *at; at++) {
        if (!isalnum((unsigned char)*at) && !strchr("._+-", *at))
            return gb_fail(gb, GB_USAGE, "%s \"%s\": only letters, digits and . _ + - may be in a name", what, name);
        digits = digits && isdigit((unsigned char)*at);
    }
    if (digits)
        return gb_fail(gb, GB_USAGE, "%s \"%s\": only digits would be taken for a domain number", what, name);
    return GB_OK;
}

void driver_name_for(char out[DOMAIN_NAME_MAX + 1], const char *guest_name) {
    snprintf(out, DOMAIN_NAME_MAX + 1, "glovebox-%s", guest_name);
}

/* The name stays as it was when the domain has none any more: errors still need it. */
static bool driver_read(struct gb *gb, uint32_t domid, struct driver *out) {
    char name[sizeof(out->name)];

    out->domid = domid;
    if (store_read(gb, name, sizeof(name), "/local/domain/%u/name", domid))
        memcpy(out->name, name, sizeof(name));
    if (!store_read(gb, out->version, sizeof(out->version), DATA "/version", domid))
        return false;
    store_read(gb, out->state, sizeof(out->state), DATA "/state", domid);
    return true;
}

uint32_t driver_list(struct gb *gb, struct driver *out, uint32_t max) {
    uint32_t count, found = 0;
    char **ids = store_list(gb, &count, "/local/domain");

    for (uint32_t i = 0; i < count && found < max; i++) {
        uint64_t domid;

        memset(&out[found], 0, sizeof(out[found]));
        if (parse_u64(ids[i], UINT16_MAX, &domid) && driver_read(gb, (uint32_t)domid, &out[found]))
            found++;
    }
    free(ids);
    return found;
}

int driver_find(struct gb *gb, const char *text, struct driver *out) {
    struct domain domain;
    int error = domain_find(gb, text, &domain);

    memset(out, 0, sizeof(*out));
    if (error)
        return gb_because(gb, error, "driver domain");
    if (!driver_read(gb, domain.domid, out))
        return gb_fail(gb, GB_NOT_FOUND, "domain %u (%s) is no Glovebox driver domain: it has no data/glovebox/version",
                       domain.domid, domain.name);
    return GB_OK;
}

int driver_of_guest(struct gb *gb, uint32_t guest, const char *guest_name, struct driver *out) {
    struct driver *drivers = calloc(DRIVER_MAX, sizeof(*drivers));
    uint32_t count = drivers ? driver_list(gb, drivers, DRIVER_MAX) : 0;
    char own[DOMAIN_NAME_MAX + 1] = "";
    bool found = false;

    if (guest_name)
        driver_name_for(own, guest_name);
    for (uint32_t i = 0; i < count && !found; i++) {
        found = store_exists(gb, DATA "/vgpu/%u", drivers[i].domid, guest);
        if (found)
            *out = drivers[i];
    }
    for (uint32_t i = 0; i < count && !found; i++) {
        found = own[0] && !strcmp(drivers[i].name, own);
        if (found)
            *out = drivers[i];
    }
    free(drivers);
    if (!found)
        return gb_fail(gb, GB_NOT_FOUND, "no driver domain serves guest %u (%s)", guest, guest_name ? guest_name : "?");
    return GB_OK;
}

/* Without a name there must be one. */
int driver_only(struct gb *gb, struct driver *driver) {
    struct driver two[2];
    uint32_t count;

    if (gb->opt.driver_domain)
        return driver_find(gb, gb->opt.driver_domain, driver);
    count = driver_list(gb, two, 2);
    if (count == 0)
        return gb_fail(gb, GB_NOT_FOUND, "no driver domain runs");
    if (count > 1)
        return gb_fail(gb, GB_USAGE, "there are several driver domains: name one with --driver-domain, or a guest");
    *driver = two[0];
    return GB_OK;
}

struct ready_wait {
    struct driver *driver;
};

static int check_ready(struct gb *gb, void *arg) {
    struct driver *driver = ((struct ready_wait *)arg)->driver;
    struct domain_life life;
    char reason[256];
    int error = domain_life(gb, driver->domid, &life);

    if (error)
        return error;
    if (!life.exists || life.dying || life.shutdown)
        return gb_fail(gb, GB_FAILED, "driver domain %u (%s) %s before it was ready; its console says why",
                       driver->domid, driver->name, life.shutdown ? "stopped" : "vanished");
    driver_read(gb, driver->domid, driver);
    if (!strcmp(driver->state, "ready"))
        return GB_OK;
    if (strcmp(driver->state, "failed"))
        return STORE_WAIT;
    if (!store_read(gb, reason, sizeof(reason), DATA "/error", driver->domid))
        snprintf(reason, sizeof(reason), "it gives no reason");
    return gb_fail(gb, GB_FAILED, "driver domain %u (%s) failed: %s", driver->domid, driver->name, reason);
}

int driver_wait_ready(struct gb *gb, struct driver *driver) {
    struct ready_wait wait = {.driver = driver};
    char path[STORE_PATH_MAX];
    int error;

    snprintf(path, sizeof(path), DATA, driver->domid);
    error = store_wait(gb, path, check_ready, &wait);
    if (error == GB_TIMED_OUT)
        return gb_fail(gb, error, "driver domain %u (%s) is not ready within %u s; its state is \"%s\"", driver->domid,
                       driver->name, gb->opt.timeout_s, driver->state[0] ? driver->state : "none");
    return error;
}

static const char *driver_label(const struct gb *gb) {
    return gb->opt.seclabel ? gb->opt.seclabel : FLASK_DRIVER_LABEL;
}

static int write_config(struct gb *gb, const char *name, int fd, const char *path) {
    FILE *file = fdopen(fd, "w");
    bool good;

    if (!file) {
        close(fd);
        return gb_fail(gb, GB_FAILED, "%s: %s", path, strerror(errno));
    }
    /* tsc_mode: an emulated TSC would make each look at the clock a trap of the mediator's own.
     * on_crash: a crashed mediator is of no use to its guest, its last words are in its console's log. */
    if (flask_active(gb))
        fprintf(file, "seclabel=\"%s\"\n", driver_label(gb));
    fprintf(file,
            "name=\"%s\"\ntype=\"pv\"\nkernel=\"%s\"\nmemory=%u\nmaxmem=%u\nvcpus=1\ntsc_mode=\"native\"\n"
            "extra=\"%s%s\"\n"
            "on_poweroff=\"destroy\"\non_reboot=\"destroy\"\non_crash=\"destroy\"\n",
            name, gb->opt.kernel, gb->opt.memory_mib, gb->opt.memory_mib, gb->opt.wait,
            gb->opt.thresholds);
    if (gb->modules[0])
        fprintf(file, "ramdisk=\"%s\"\n", gb->modules);
    good = !ferror(file);
    good = !fclose(file) && good;
    return good ? GB_OK : gb_fail(gb, GB_FAILED, "cannot write %s: %s", path, strerror(errno));
}

static int run_create(struct gb *gb, const char *name) {
    char path[] = "/tmp/glovebox-XXXXXX";
    const char *const argv[] = {"xl", "create", "-q", path, NULL};
    int fd = mkstemp(path);
    int error;

    if (fd < 0)
        return gb_fail(gb, GB_FAILED, "%s: %s", path, strerror(errno));
    error = write_config(gb, name, fd, path);
    if (!error)
        error = xl_run(gb, argv);
    unlink(path);
    return error;
}

/* In the driver domain's configuration the path stands in quotes, and xl knows no escapes there. */
static int check_path(struct gb *gb, const char *option, const char *what, const char *path) {
    if (strpbrk(path, "\"\n\\"))
        return gb_fail(gb, GB_USAGE, "%s %s: quotes, backslashes and line ends cannot be in a path", option, path);
    if (access(path, R_OK))
        return gb_fail(gb, GB_NOT_FOUND, "%s %s: %s (%s names another)", what, path, strerror(errno), option);
    return GB_OK;
}

/* Without --modules it is the modules.img beside the image; when there is none, a domain without modules. */
static int choose_modules(struct gb *gb) {
    const char *slash = strrchr(gb->opt.kernel, '/');
    int folder = slash ? (int)(slash + 1 - gb->opt.kernel) : 0;

    snprintf(gb->modules, sizeof(gb->modules), "%s", gb->opt.modules ? gb->opt.modules : "");
    if (gb->opt.modules)
        return check_path(gb, "--modules", "ramdisk with modules", gb->modules);
    snprintf(gb->modules, sizeof(gb->modules), "%.*s" MODULES_DEFAULT, folder, gb->opt.kernel);
    if (!access(gb->modules, R_OK))
        return GB_OK;
    progress("%s: %s: the driver domain starts without modules", gb->modules, strerror(errno));
    gb->modules[0] = '\0';
    return GB_OK;
}

static int check_label_known(struct gb *gb) {
    if (!flask_active(gb) || flask_label_known(gb, driver_label(gb)))
        return GB_OK;
    return gb_fail(gb, GB_FAILED,
                   "Xen's policy knows no label %s for the driver domain: load one with our module, or name another "
                   "with --seclabel (\"gbctl policy-check\" says more)",
                   driver_label(gb));
}

int driver_start(struct gb *gb, const char *name, struct driver *out) {
    struct domain domain;
    int error = name_check(gb, "driver domain", name);

    if (!error)
        error = check_path(gb, "--kernel", "driver domain image", gb->opt.kernel);
    if (!error)
        error = choose_modules(gb);
    if (!error)
        error = check_label_known(gb);
    if (error)
        return error;
    if (domain_by_name(gb, name, &domain))
        return gb_fail(gb, GB_FAILED, "driver domain %s runs already, as domain %u (\"gbctl stop %s\" ends it)", name,
                       domain.domid, name);
    memset(out, 0, sizeof(*out));
    error = run_create(gb, name);
    /* Even a failed or late xl may have left the domain behind. */
    if (!domain_by_name(gb, name, &domain))
        return error ? error : gb_fail(gb, GB_FAILED, "xl made driver domain %s, but it is gone already", name);
    out->domid = domain.domid;
    snprintf(out->name, sizeof(out->name), "%s", name);
    if (!error)
        error = driver_wait_ready(gb, out);
    return error;
}

int driver_destroy(struct gb *gb, const struct driver *driver) {
    char domid[12];
    const char *const argv[] = {"xl", "destroy", domid, NULL};

    snprintf(domid, sizeof(domid), "%u", driver->domid);
    return xl_run(gb, argv);
}

uint32_t driver_guests(struct gb *gb, const struct driver *driver) {
    uint32_t count;
    char **names = store_list(gb, &count, DATA "/vgpu", driver->domid);

    free(names);
    return count;
}
