/* SPDX-License-Identifier: MIT */
/*
 * xenstore, one request after the other beside the core's own: they share the ring and the connection, and answers are
 * told apart by their request id. In a payload '%' stands for the subject's domid and '|' for the zero byte that ends a
 * string.
 */
#include <string.h>

#include "core.h"
#include "probe.h"
#include "shim.h"

struct request {
    const char *name;
    enum subject subject;
    const char *reason;
    uint32_t type;
    const char *payload;
};

static const struct request rows[] = {
    {"XS_READ name", SELF, "know its own name", XS_READ, "/local/domain/%/name|"},
    {"XS_READ name", DOM0, "read Dom0's nodes", XS_READ, "/local/domain/%/name|"},
    {"XS_READ name", OTHER, "read any guest's nodes", XS_READ, "/local/domain/%/name|"},
    {"XS_READ name", TARGET, "read its guest's nodes", XS_READ, "/local/domain/%/name|"},
    {"XS_READ console/port", OTHER, "find any guest's console", XS_READ, "/local/domain/%/console/port|"},
    {"XS_DIRECTORY", OTHER, "look at any guest's nodes", XS_DIRECTORY, "/local/domain/%|"},
    {"XS_DIRECTORY /libxl", NOBODY, "look at the toolstack's own records", XS_DIRECTORY, "/libxl|"},
    {"XS_READ /libxl type", SELF, "look at the toolstack's own records", XS_READ, "/libxl/%/type|"},
    {"XS_WRITE data/probe", SELF, "write in its own directory", XS_WRITE, "/local/domain/%/data/probe|1"},
    {"XS_WRITE memory/target", SELF, "ask the balloon for memory in Dom0's name", XS_WRITE,
     "/local/domain/%/memory/target|65536"},
    {"XS_WRITE name", SELF, "take another domain's name", XS_WRITE, "/local/domain/%/name|Domain-0"},
    {"XS_WRITE data/probe", OTHER, "write to any guest", XS_WRITE, "/local/domain/%/data/probe|1"},
    {"XS_WRITE control/shutdown", OTHER, "shut any guest down", XS_WRITE, "/local/domain/%/control/shutdown|halt"},
    {"XS_WRITE control/shutdown", TARGET, "shut its guest down in Dom0's name", XS_WRITE,
     "/local/domain/%/control/shutdown|halt"},
    {"XS_WRITE backend", DOM0, "forge a backend in Dom0", XS_WRITE, "/local/domain/%/backend/probe|1"},
    {"XS_WRITE /tool", NOBODY, "write the toolstack's settings", XS_WRITE, "/tool/probe|1"},
    {"XS_MKDIR", DOM0, "write in Dom0's directory", XS_MKDIR, "/local/domain/%/probe|"},
    {"XS_RM", OTHER, "remove any guest's nodes", XS_RM, "/local/domain/%/data|"},
    {"XS_SET_PERMS", OTHER, "open any guest's nodes", XS_SET_PERMS, "/local/domain/%/data|b0|"},
    {"XS_INTRODUCE", OTHER, "connect xenstore to forged rings", XS_INTRODUCE, "%|1024|1|"},
    {"XS_RELEASE", OTHER, "cut any guest off xenstore", XS_RELEASE, "%|"},
    {"XS_RESUME", OTHER, "revive any guest's record", XS_RESUME, "%|"},
    {"XS_SET_TARGET", OTHER, "get its guest's rights on xenstore for others", XS_SET_TARGET, "%|1|"},
    {"XS_IS_DOMAIN_INTRODUCED", OTHER, "see which domains there are", XS_IS_DOMAIN_INTRODUCED, "%|"},
    {"XS_CONTROL", NOBODY, "steer xenstored", XS_CONTROL, "print|probe|"},
    {"XS_WATCH @releaseDomain", NOBODY, "ask for news: what comes of it is a row of its own", XS_WATCH,
     "@releaseDomain|probe|"},
};
#define ROWS (sizeof(rows) / sizeof(*rows))

/* Above all ids of the core's, which counts from 1. */
#define FIRST_ID 0x70000000u
#define WATCH_TOKEN "probe"

static uint32_t next;
static bool under_way;
static uint32_t watch_events;

static domid_t domid_of(enum subject subject) {
    const domid_t ids[] = {[SELF] = world.self, [TARGET] = world.target, [OTHER] = world.other};
    return subject == NOBODY || subject == DOM0 ? 0 : ids[subject];
}

static uint32_t put_number(uint8_t *at, uint32_t number) {
    uint32_t len = number >= 10 ? put_number(at, number / 10) : 0;
    at[len] = (uint8_t)('0' + number % 10);
    return len + 1;
}

static uint32_t put_payload(uint8_t *to, const char *text, domid_t domid) {
    uint32_t len = 0;
    for (; *text; text++) {
        if (*text == '%')
            len += put_number(to + len, domid);
        else
            to[len++] = *text == '|' ? 0 : (uint8_t)*text;
    }
    return len;
}

bool store_step(void) {
    if (under_way || next == ROWS)
        return next < ROWS || under_way;
    uint32_t buffer = core_xenstore_buffer();
    uint8_t *bytes = core_bytes(buffer, XENSTORE_PAYLOAD_MAX);
    uint32_t len = put_payload(bytes, rows[next].payload, domid_of(rows[next].subject));
    under_way = shim_xenstore_send(rows[next].type, FIRST_ID + next, buffer, len) == 0;
    return true;
}

/* xenstored names errors as errno.h does. */
static const char *error_word(uint8_t *text, uint32_t len) {
    static char word[16];
    uint32_t count = len < sizeof(word) - 1 ? len : sizeof(word) - 1;
    memcpy(word, text, count);
    return word;
}

static bool is_our_watch(const uint8_t *text, uint32_t len) {
    for (uint32_t i = 0; i + 1 + sizeof(WATCH_TOKEN) <= len; i++)
        if (text[i] == 0)
            return memcmp(text + i + 1, WATCH_TOKEN, sizeof(WATCH_TOKEN)) == 0;
    return false;
}

bool store_answer(uint32_t type, uint32_t req_id, uint32_t len) {
    uint8_t *text = core_bytes(core_xenstore_buffer(), len);
    if (type == XS_WATCH_EVENT && is_our_watch(text, len)) {
        watch_events++;
        return true;
    }
    if (type == XS_WATCH_EVENT || !under_way || req_id != FIRST_ID + next)
        return false;
    probe_line(rows[next].name, rows[next].subject, type == XS_ERROR ? error_word(text, len) : NULL);
    under_way = false;
    next++;
    return true;
}

uint32_t store_watch_events(void) {
    return watch_events;
}
