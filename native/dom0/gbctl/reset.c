// SPDX-License-Identifier: MIT
/*
 * reset: a fresh instance of a vGPU's module, e.g. after it was lost; the guest keeps running. quarantine and release:
 * no resets and attaches for a guest, and again.
 */
#include "gbctl.h"

int reset_run(struct gb *gb) {
    static struct words words;
    struct domain guest = {0};
    struct driver driver;
    struct vgpu v;
    uint32_t number;
    int error = vgpu_number(gb, gb->opt.operand[1], &number);

    if (!error)
        error = domain_find(gb, gb->opt.operand[0], &guest);
    if (!error)
        error = driver_of_guest(gb, guest.domid, NULL, &driver);
    if (!error)
        error = vgpu_read(gb, &driver, guest.domid, number, &v);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = request(gb, &driver, &words, "reset %u %u", guest.domid, number);
    request_end(gb);
    return error;
}

static int of_guest(struct gb *gb, const char *verb) {
    static struct words words;
    struct domain guest = {0};
    struct driver driver;
    int error = domain_find(gb, gb->opt.operand[0], &guest);

    if (!error)
        error = driver_of_guest(gb, guest.domid, guest.name, &driver);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = request(gb, &driver, &words, "%s %u", verb, guest.domid);
    request_end(gb);
    return error;
}

int quarantine_run(struct gb *gb) {
    return of_guest(gb, "quarantine");
}

/* The request "release" is another one: it ends the grant of a picture. */
int release_run(struct gb *gb) {
    return of_guest(gb, "lift");
}
