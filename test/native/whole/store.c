/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <stdio.h>
#include <string.h>

#include "fake/fake.h"

#define NODES 128u
#define PATH_BYTES 96u
#define VALUE_BYTES 1024u
#define WATCHES 4u

static struct node {
    char path[PATH_BYTES]; /* "" = free */
    char value[VALUE_BYTES];
} nodes[NODES];
static struct watch {
    char path[PATH_BYTES], token[16];
} watches[WATCHES];

/* Messages to the domain that have not been put into its ring yet. */
static char queue[262144];
static uint32_t queued, put;

static void queue_message(uint32_t type, uint32_t req_id, const char *payload, uint32_t len) {
    struct xsd_sockmsg header = {.type = type, .req_id = req_id, .len = len};
    if (put == queued)
        put = queued = 0;
    if (queued + sizeof(header) + len > sizeof(queue))
        fake_fail("the fake xenstored's queue is full", queued, len);
    memcpy(queue + queued, &header, sizeof(header));
    memcpy(queue + queued + sizeof(header), payload, len);
    queued += sizeof(header) + len;
}

static bool is_below(const char *path, const char *top) {
    size_t len = strlen(top);
    return strncmp(path, top, len) == 0 && (path[len] == 0 || path[len] == '/');
}

static void fire(const char *path, const struct watch *watch) {
    char payload[PATH_BYTES + 16];
    int len = snprintf(payload, sizeof(payload), "%s%c%s", path, 0, watch->token);
    queue_message(XS_WATCH_EVENT, 0, payload, (uint32_t)len + 1);
}

static void fire_all(const char *path) {
    for (uint32_t i = 0; i < WATCHES; i++)
        if (watches[i].path[0] && is_below(path, watches[i].path))
            fire(path, &watches[i]);
}

static struct node *node_of(const char *path) {
    for (uint32_t i = 0; i < NODES; i++)
        if (strcmp(nodes[i].path, path) == 0)
            return &nodes[i];
    return NULL;
}

const char *store_value(const char *path) {
    const struct node *node = node_of(path);
    return node ? node->value : NULL;
}

static void set(const char *path, const char *value, size_t len) {
    struct node *node = node_of(path);
    if (!node)
        node = node_of("");
    if (!node || strlen(path) >= PATH_BYTES || len >= VALUE_BYTES)
        fake_fail("the fake xenstored is full", strlen(path), len);
    strcpy(node->path, path);
    memcpy(node->value, value, len);
    node->value[len] = 0;
    fire_all(path);
}

void store_write(const char *path, const char *value) {
    set(path, value, strlen(value));
}

void store_remove(const char *path) {
    for (uint32_t i = 0; i < NODES; i++)
        if (nodes[i].path[0] && is_below(nodes[i].path, path))
            nodes[i].path[0] = 0;
    fire_all(path);
}

static void error(const struct xsd_sockmsg *message, const char *name) {
    queue_message(XS_ERROR, message->req_id, name, (uint32_t)strlen(name) + 1);
}

static void ok(const struct xsd_sockmsg *message) {
    queue_message(message->type, message->req_id, "OK", 3);
}

/* The names right below a node, each once. */
static void directory(const struct xsd_sockmsg *message, const char *path) {
    char list[2048];
    uint32_t len = 0;
    size_t prefix = strlen(path) + 1;
    for (uint32_t i = 0; i < NODES; i++) {
        const char *name = nodes[i].path + prefix;
        bool known = false;
        if (!nodes[i].path[0] || !is_below(nodes[i].path, path) || strlen(nodes[i].path) < prefix)
            continue;
        size_t name_len = strcspn(name, "/");
        for (uint32_t at = 0; at < len; at += (uint32_t)strlen(list + at) + 1)
            known |= strlen(list + at) == name_len && strncmp(list + at, name, name_len) == 0;
        if (!known)
            len += (uint32_t)snprintf(list + len, sizeof(list) - len, "%.*s", (int)name_len, name) + 1;
    }
    queue_message(XS_DIRECTORY, message->req_id, list, len);
}

static void watch(const struct xsd_sockmsg *message, const char *path) {
    for (uint32_t i = 0; i < WATCHES; i++) {
        if (watches[i].path[0])
            continue;
        snprintf(watches[i].path, PATH_BYTES, "%s", path);
        snprintf(watches[i].token, sizeof(watches[i].token), "%s", path + strlen(path) + 1);
        ok(message);
        return fire(path, &watches[i]);
    }
    error(message, "E2BIG");
}

static void answer(const struct xsd_sockmsg *message) {
    const char *path = (const char *)(message + 1);
    const char *value = store_value(path);
    if (message->len == 0 || !memchr(path, 0, message->len))
        fake_fail("the domain sends a path without an end", message->type, message->len);
    switch (message->type) {
    case XS_READ:
        return value ? queue_message(XS_READ, message->req_id, value, (uint32_t)strlen(value))
                     : error(message, "ENOENT");
    case XS_WRITE:
        set(path, path + strlen(path) + 1, message->len - strlen(path) - 1);
        return ok(message);
    case XS_MKDIR:
        if (!value)
            set(path, "", 0);
        return ok(message);
    case XS_RM:
        if (!value)
            return error(message, "ENOENT");
        store_remove(path);
        return ok(message);
    case XS_DIRECTORY:
        return directory(message, path);
    case XS_WATCH:
        return watch(message, path);
    }
    fake_fail("the domain sends what the fake xenstored does not know", message->type, 0);
}

bool store_step(void) {
    const struct xsd_sockmsg *message = fake_store_take(~0u);
    if (message)
        answer(message);
    uint32_t moved = put < queued ? fake_store_put(queue + put, queued - put) : 0;
    put += moved;
    return message || moved;
}
