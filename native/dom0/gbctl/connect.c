// SPDX-License-Identifier: MIT
/*
 * The ways into Xen, opened only as far as a verb needs them, with the reason in words when Dom0 refuses: no Xen
 * below us, not the control domain, not root, a kernel module that is not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xengnttab.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "gbctl.h"

/* The tests build with files of their own in these places. */
#ifndef GBCTL_CAPABILITIES
#define GBCTL_CAPABILITIES "/proc/xen/capabilities"
#endif
#ifndef GBCTL_LOCK
#define GBCTL_LOCK "/run/glovebox.lock"
#endif

/* How often the lock is tried: flock() itself knows no timeout. */
#define LOCK_RETRY_MS 50

/* Xenfs says "control_d" in the domain that may run a toolstack (Linux, drivers/xen/xenfs/super.c). */
static int check_control_domain(struct gb *gb) {
    char text[64];
    ssize_t got;
    int fd = open(GBCTL_CAPABILITIES, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return gb_fail(gb, GB_NO_RIGHTS,
                       "%s: %s: this is not Dom0 of a running Xen, or xenfs is not mounted on /proc/xen",
                       GBCTL_CAPABILITIES, strerror(errno));
    got = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    if (!strstr(text, "control_d"))
        return gb_fail(gb, GB_NO_RIGHTS, "%s lacks control_d: this domain is not Dom0", GBCTL_CAPABILITIES);
    return GB_OK;
}

static int refused(struct gb *gb, const char *what) {
    int error = errno;

    if (error == EACCES || error == EPERM || geteuid())
        return gb_fail(gb, GB_NO_RIGHTS, "%s: %s: gbctl needs root in Dom0", what, strerror(error));
    return gb_fail(gb, GB_NO_RIGHTS, "%s: %s", what, strerror(error));
}

static int connect_store(struct gb *gb) {
    char text[16];
    uint64_t self = 0;

    gb->xs = xs_open(0);
    if (!gb->xs)
        return refused(gb, "cannot talk to xenstored");
    if (store_read(gb, text, sizeof(text), "domid") && parse_u64(text, 0x7fef, &self))
        gb->self = (uint32_t)self;
    return GB_OK;
}

int connect_all(struct gb *gb, uint32_t needs) {
    int error;

    if (!needs)
        return GB_OK;
    error = check_control_domain(gb);
    if (!error && (needs & NEED_STORE))
        error = connect_store(gb);
    if (error)
        return error;
    /* The libraries' own words are for their developers; ours name the thing. */
    gb->log = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
    if ((needs & NEED_XC) && !(gb->xc = xc_interface_open(gb->log, gb->log, 0)))
        return refused(gb, "cannot open the hypervisor's control interface (/dev/xen/privcmd)");
    if ((needs & NEED_GNTTAB) && !(gb->gnttab = xengnttab_open(gb->log, 0)))
        return refused(gb, "cannot open the grant device (/dev/xen/gntdev; kernel module xen-gntdev)");
    return GB_OK;
}

void disconnect_all(struct gb *gb) {
    lock_give(gb);
    if (gb->gnttab)
        xengnttab_close(gb->gnttab);
    if (gb->xc)
        xc_interface_close(gb->xc);
    if (gb->xs)
        xs_close(gb->xs);
    if (gb->log)
        xtl_logger_destroy(gb->log);
    gb->gnttab = NULL;
    gb->xc = NULL;
    gb->xs = NULL;
    gb->log = NULL;
}

int lock_take(struct gb *gb) {
    int fd = open(GBCTL_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return gb_fail(gb, errno == EACCES ? GB_NO_RIGHTS : GB_FAILED, "lock file %s: %s", GBCTL_LOCK, strerror(errno));
    while (flock(fd, LOCK_EX | LOCK_NB)) {
        int error = errno;

        if (error == EWOULDBLOCK && clock_left_ms(gb->deadline_ns) && !signals_seen()) {
            poll(NULL, 0, LOCK_RETRY_MS);
            continue;
        }
        close(fd);
        if (error == EWOULDBLOCK && !signals_seen())
            return gb_fail(gb, GB_TIMED_OUT, "lock file %s: another gbctl holds it for longer than %u s", GBCTL_LOCK,
                           gb->opt.timeout_s);
        return gb_fail(gb, GB_FAILED, "lock file %s: %s", GBCTL_LOCK, signals_seen() ? "interrupted" : strerror(error));
    }
    gb->lock_fd = fd;
    return GB_OK;
}

void lock_give(struct gb *gb) {
    if (gb->lock_fd >= 0)
        close(gb->lock_fd);
    gb->lock_fd = -1;
}
