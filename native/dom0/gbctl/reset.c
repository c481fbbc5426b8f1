// SPDX-License-Identifier: MIT
/* reset: a fresh instance of a vGPU's module, e.g. after it was lost; the guest keeps running. */
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
