/* SPDX-License-Identifier: MIT */
/*
 * set, policy: the scheduler's parameters and its policy, while guests run. The domain checks the words and says what
 * is wrong with them; here only that each is a word, and that there is such a policy: `policy` may set words of a
 * vGPU on the way, and does both or none.
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

/* GUEST [N] WORD=VALUE ..., from the operand `first` on. */
struct setting {
    struct driver driver;
    struct domain guest;
    uint32_t number;
    char words[SET_WORDS_BYTES];
};

static int read_setting(struct gb *gb, uint32_t first, struct setting *s) {
    const char *second = gb->opt.operand_count > first + 1 ? gb->opt.operand[first + 1] : NULL;
    bool numbered = second && !strchr(second, '=');
    uint32_t words = first + (numbered ? 2 : 1);
    struct vgpu v;
    int error = vgpu_number(gb, numbered ? second : NULL, &s->number);

    if (!error && gb->opt.operand_count <= words)
        error = gb_fail(gb, GB_USAGE, "too few words: gbctl %s %s", gb->opt.verb->name, gb->opt.verb->operands);
    if (!error)
        error = join_words(gb, words, s->words, sizeof(s->words));
    if (!error)
        error = domain_find(gb, gb->opt.operand[first], &s->guest);
    if (!error)
        error = driver_of_guest(gb, s->guest.domid, NULL, &s->driver);
    return error ? error : vgpu_read(gb, &s->driver, s->guest.domid, s->number, &v);
}

static int ask_set(struct gb *gb, const struct setting *s, struct words *reply) {
    return request(gb, &s->driver, reply, "set %u %u%s", s->guest.domid, s->number, s->words);
}

int set_run(struct gb *gb) {
    static struct words words;
    struct setting s;
    int error = read_setting(gb, 0, &s);

    if (!error)
        error = request_begin(gb);
    if (!error)
        error = ask_set(gb, &s, &words);
    request_end(gb);
    if (!error)
        words_print(gb, &words);
    return error;
}

/* --- policy ------------------------------------------------------------------------------------------------------ */

/* unikernel/core/sched/policy.ts */
static const char *const POLICIES[] = {"best-effort", "equal-share", "fixed-share", "weighted", "deadline"};

static int check_policy(struct gb *gb, const char *name) {
    char known[80] = "";

    for (size_t i = 0; i < sizeof(POLICIES) / sizeof(POLICIES[0]); i++) {
        size_t used = strlen(known);

        if (!strcmp(name, POLICIES[i]))
            return GB_OK;
        snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", POLICIES[i]);
    }
    return gb_fail(gb, GB_USAGE, "no such policy: \"%s\", there are %s", name, known);
}

/* A deadline policy without deadlines is the weighted one. */
static void note_deadlines(const struct words *words) {
    const char *policy = words_get(words, "policy");
    uint64_t deadlines;

    if (policy && !strcmp(policy, "deadline") && words_u64(words, "deadlines", UINT64_MAX, &deadlines) && !deadlines)
        fputs("gbctl: no vGPU has a deadline yet, all share by weight: \"gbctl set GUEST period-us=N runtime-us=N\" "
              "gives one\n",
              stderr);
}

int policy_run(struct gb *gb) {
    static struct words words;
    const char *name = gb->opt.operand[0];
    bool sets = gb->opt.operand_count > 1;
    struct setting s;
    int error = name ? check_policy(gb, name) : GB_OK;

    if (!error)
        error = sets ? read_setting(gb, 1, &s) : driver_only(gb, &s.driver);
    if (!error)
        error = request_begin(gb);
    if (!error && sets)
        error = ask_set(gb, &s, &words);
    if (!error)
        error = request(gb, &s.driver, &words, "policy%s%s", name ? " " : "", name ? name : "");
    request_end(gb);
    if (error)
        return error;
    words_print(gb, &words);
    if (name)
        note_deadlines(&words);
    return GB_OK;
}
