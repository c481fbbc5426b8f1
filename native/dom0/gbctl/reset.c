// SPDX-License-Identifier: MIT
/*
 * reset: a fresh instance of a vGPU's module, e.g. after it was lost; the guest keeps running. quarantine and release:
 * no resets and attaches for a guest, and again. output: what is plugged into a vGPU.
 */
#include <string.h>

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

#define OUTPUT_MAX 15

/* WIDTHxHEIGHT or "off". */
static int read_size(struct gb *gb, const char *text, uint64_t *width, uint64_t *height) {
    *width = *height = 0;
    if (!strcmp(text, "off") || parse_mode(text, strlen(text), width, height))
        return GB_OK;
    return gb_fail(gb, GB_USAGE, "mode \"%s\": must be WIDTHxHEIGHT, 1 to %d each, or off", text, PICTURE_SIDE_MAX);
}

int output_run(struct gb *gb) {
    static struct words words;
    struct domain guest = {0};
    struct driver driver;
    uint64_t output = 0, width = 0, height = 0;
    uint32_t number;
    int error = vgpu_number(gb, gb->opt.operand[1], &number);

    if (!error && !parse_u64(gb->opt.operand[2], OUTPUT_MAX, &output))
        error = gb_fail(gb, GB_USAGE, "output \"%s\": must be 0 to %d", gb->opt.operand[2], OUTPUT_MAX);
    if (!error)
        error = read_size(gb, gb->opt.operand[3], &width, &height);
    if (!error)
        error = domain_find(gb, gb->opt.operand[0], &guest);
    if (!error)
        error = driver_of_guest(gb, guest.domid, NULL, &driver);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = request(gb, &driver, &words, "output %u %u %u %u %u", guest.domid, number, (uint32_t)output,
                        (uint32_t)width, (uint32_t)height);
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
