// SPDX-License-Identifier: MIT
/*
 * One question, one answer, over the nodes `request` and `reply` (docs/CONTROL.md). Numbers only grow: the next one
 * is above whatever the two nodes still hold, so a late answer to somebody who gave up is never taken for ours.
 */
#include <stdarg.h>
#include <string.h>

#include "gbctl.h"

#define DATA "/local/domain/%u/data/glovebox"
/* Above this, start again: the domain reads the number as a decimal of its own width. */
#define SEQ_MAX 999999999u

int request_begin(struct gb *gb) {
    return lock_take(gb);
}

void request_end(struct gb *gb) {
    lock_give(gb);
}

/* The number at the head of a node's text; 0 when there is none. */
static uint64_t head_number(const char *text) {
    char head[16];
    uint64_t number = 0;

    snprintf(head, sizeof(head), "%.*s", (int)strcspn(text, " "), text);
    return parse_u64(head, SEQ_MAX, &number) ? number : 0;
}

static uint64_t next_number(struct gb *gb, const struct driver *driver) {
    char text[64];
    uint64_t asked = 0, answered = 0;

    if (store_read(gb, text, sizeof(text), DATA "/request", driver->domid))
        asked = head_number(text);
    if (store_read(gb, text, sizeof(text), DATA "/reply", driver->domid))
        answered = head_number(text);
    asked = asked > answered ? asked : answered;
    return asked >= SEQ_MAX ? 1 : asked + 1;
}

struct reply_wait {
    const struct driver *driver;
    uint64_t number;
    char text[STORE_VALUE_MAX + 1];
};

static int check_reply(struct gb *gb, void *arg) {
    struct reply_wait *wait = arg;
    struct domain_life life;

    if (store_read(gb, wait->text, sizeof(wait->text), DATA "/reply", wait->driver->domid) &&
        head_number(wait->text) == wait->number)
        return GB_OK;
    if (gb->xc && !domain_life(gb, wait->driver->domid, &life) && (!life.exists || life.dying || life.shutdown))
        return gb_fail(gb, GB_FAILED, "driver domain %u (%s) has gone", wait->driver->domid, wait->driver->name);
    return STORE_WAIT;
}

static int read_answer(struct gb *gb, const struct driver *driver, const char *question, const char *text,
                       struct words *reply) {
    const char *at = strchr(text, ' ');

    at = at ? at + 1 : "";
    if (!strncmp(at, "ok", 2) && (!at[2] || at[2] == ' ')) {
        words_parse(reply, at + 2);
        return GB_OK;
    }
    if (strncmp(at, "error", 5))
        return gb_fail(gb, GB_FAILED, "driver domain %u (%s) answers \"%s\" with nonsense: %.200s", driver->domid,
                       driver->name, question, text);
    at += 5;
    at += *at == ' ';
    /* The domain's own words; "no such ..." is how CONTROL.md names what is not there. */
    return gb_fail(gb, !strncmp(at, "no such", 7) ? GB_NOT_FOUND : GB_FAILED, "driver domain %u (%s): %s: %.400s",
                   driver->domid, driver->name, question, at);
}

int request(struct gb *gb, const struct driver *driver, struct words *reply, const char *format, ...) {
    static struct reply_wait wait;
    char question[REQUEST_BYTES_MAX], line[REQUEST_BYTES_MAX + 16], path[STORE_PATH_MAX];
    va_list args;
    int error;

    va_start(args, format);
    vsnprintf(question, sizeof(question), format, args);
    va_end(args);
    wait.driver = driver;
    wait.number = next_number(gb, driver);
    snprintf(line, sizeof(line), "%llu %s", (unsigned long long)wait.number, question);
    error = store_write(gb, line, DATA "/request", driver->domid);
    if (error)
        return error;
    snprintf(path, sizeof(path), DATA "/reply", driver->domid);
    error = store_wait(gb, path, check_reply, &wait);
    if (error)
        return gb_because(gb, error, "driver domain %u (%s): \"%s\"", driver->domid, driver->name, question);
    return read_answer(gb, driver, question, wait.text, reply);
}
