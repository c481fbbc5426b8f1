// SPDX-License-Identifier: MIT
/* stat: the figures of a driver domain, or of one vGPU, as the domain counts them; state: what its instance is. */
#include <string.h>

#include "gbctl.h"

/* A hash is text, also when its digits happen to be decimal. */
static void print_value(struct json *j, const struct word *word) {
    if (!strcmp(word->key, "hash"))
        json_string(j, word->key, word->value);
    else
        json_value(j, word->key, word->value);
}

void words_print(const struct gb *gb, const struct words *words) {
    struct json j = {.to = stdout};

    if (gb->opt.json) {
        json_open(&j, NULL, '{');
        for (uint32_t i = 0; i < words->count; i++)
            print_value(&j, &words->word[i]);
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
        words_print(gb, &words);
    return error;
}

int state_run(struct gb *gb) {
    static struct words words;
    struct domain guest = {0};
    struct driver driver;
    uint32_t number;
    int error = vgpu_number(gb, gb->opt.operand[1], &number);

    if (!error)
        error = domain_find(gb, gb->opt.operand[0], &guest);
    if (!error)
        error = driver_of_guest(gb, guest.domid, guest.name, &driver);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = request(gb, &driver, &words, "state %u %u", guest.domid, number);
    request_end(gb);
    if (!error)
        words_print(gb, &words);
    return error;
}
