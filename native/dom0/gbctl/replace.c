// SPDX-License-Identifier: MIT
/* replace: another version of a vGPU's module takes over while the guest runs. */
#include "gbctl.h"

static void print(const struct gb *gb, const struct words *words) {
    struct json j = {.to = stdout};

    if (!gb->opt.json)
        return;
    json_open(&j, NULL, '{');
    for (uint32_t i = 0; i < words->count; i++)
        json_value(&j, words->word[i].key, words->word[i].value);
    json_close(&j, '}');
    json_end(&j);
}

int replace_run(struct gb *gb) {
    static struct words words;
    struct domain guest = {0};
    struct driver driver;
    struct vgpu v;
    uint32_t number;
    int error = vgpu_number(gb, gb->opt.operand[1], &number);

    if (!error && (gb->opt.module_count != 1 || !wish_is_bare(&gb->opt.module[0])))
        return gb_fail(gb, GB_USAGE, "name one --module to take over; everything else stays as it is");
    if (!error)
        error = domain_find(gb, gb->opt.operand[0], &guest);
    if (!error)
        error = driver_of_guest(gb, guest.domid, guest.name, &driver);
    if (!error)
        error = vgpu_read(gb, &driver, guest.domid, number, &v);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = request(gb, &driver, &words, "replace %u %u %s %u", guest.domid, number, gb->opt.module[0].name,
                        gb->opt.trial_ms);
    request_end(gb);
    if (!error)
        print(gb, &words);
    return error;
}
