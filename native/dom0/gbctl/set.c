/* SPDX-License-Identifier: MIT */
/*
 * set, policy: the scheduler's parameters and its policy, while guests run. The domain checks the words and says what
 * is wrong with them; here only that each is a word.
 */
#include <string.h>

#include "gbctl.h"

/* Words of the scheduler behind the guest, maybe after the vGPU's number, as one line. */
static int join_words(struct gb *gb, uint32_t first, char *line, size_t size) {
    size_t used = 0;

    line[0] = '\0';
    for (uint32_t i = first; i < gb->opt.operand_count; i++) {
        const char *word = gb->opt.operand[i];

        if (!strchr(word, '=') || strpbrk(word, " \t\n"))
            return gb_fail(gb, GB_USAGE, "\"%s\": must be WORD=VALUE, like weight=4", word);
        used += (size_t)snprintf(line + used, size - used, " %s", word);
        if (used >= size)
            return gb_fail(gb, GB_USAGE, "too many words for one request, from \"%s\" on", word);
    }
    return GB_OK;
}

int set_run(struct gb *gb) {
    static struct words words;
    struct domain guest = {0};
    struct driver driver;
    struct vgpu v;
    char line[SET_WORDS_BYTES];
    const char *second = gb->opt.operand[1];
    bool numbered = second && !strchr(second, '=');
    uint32_t number;
    int error = vgpu_number(gb, numbered ? second : NULL, &number);

    if (!error && gb->opt.operand_count < (numbered ? 3u : 2u))
        error = gb_fail(gb, GB_USAGE, "too few words: gbctl set GUEST [N] WORD=VALUE ...");
    if (!error)
        error = join_words(gb, numbered ? 2 : 1, line, sizeof(line));
    if (!error)
        error = domain_find(gb, gb->opt.operand[0], &guest);
    if (!error)
        error = driver_of_guest(gb, guest.domid, NULL, &driver);
    if (!error)
        error = vgpu_read(gb, &driver, guest.domid, number, &v);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = request(gb, &driver, &words, "set %u %u%s", guest.domid, number, line);
    request_end(gb);
    if (!error)
        words_print(gb, &words);
    return error;
}

int policy_run(struct gb *gb) {
    static struct words words;
    const char *name = gb->opt.operand[0];
    struct driver driver;
    int error = driver_only(gb, &driver);

    if (!error && name && strpbrk(name, " \t\n"))
        error = gb_fail(gb, GB_USAGE, "\"%s\" is no policy", name);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = request(gb, &driver, &words, "policy%s%s", name ? " " : "", name ? name : "");
    request_end(gb);
    if (!error)
        words_print(gb, &words);
    return error;
}
