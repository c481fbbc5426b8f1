// SPDX-License-Identifier: MIT
/* stat: the figures of a driver domain, or of one vGPU, as the domain counts them. */
#include <string.h>

#include "gbctl.h"

static void print_words(const struct gb *gb, const struct words *words) {
    struct json j = {.to = stdout};

    if (gb->opt.json) {
        json_open(&j, NULL, '{');
        for (uint32_t i = 0; i < words->count; i++)
            json_value(&j, words->word[i].key, words->word[i].value);
        json_close(&j, '}');
        json_end(&j);
        return;
    }
    for (uint32_t i = 0; i < words->count; i++) {
        text_print(stdout, words->word[i].key);
        fputs("\t", stdout);
        text_print(stdout, words->word[i].value);
        putchar('\n');
    }
}

/* Without a guest there must be one driver domain, or a name. */
static int driver_only(struct gb *gb, struct driver *driver) {
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

/* The operand may be a guest, or a driver domain itself. */
static int find(struct gb *gb, struct driver *driver, struct domain *guest, bool *of_guest) {
    int error;

    *of_guest = false;
    if (!gb->opt.operand_count)
        return driver_only(gb, driver);
    error = domain_find(gb, gb->opt.operand[0], guest);
    if (error)
        return error;
    *of_guest = !store_exists(gb, "/local/domain/%u/data/glovebox/version", guest->domid);
    if (*of_guest)
        return driver_of_guest(gb, guest->domid, guest->name, driver);
    return driver_find(gb, gb->opt.operand[0], driver);
}

int stat_run(struct gb *gb) {
    static struct words words;
    struct domain guest;
    struct driver driver;
    uint32_t number;
    bool of_guest;
    int error = vgpu_number(gb, gb->opt.operand[1], &number);

    if (!error)
        error = find(gb, &driver, &guest, &of_guest);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = of_guest ? request(gb, &driver, &words, "stat %u %u", guest.domid, number)
                         : request(gb, &driver, &words, "stat");
    request_end(gb);
    if (!error)
        print_words(gb, &words);
    return error;
}
