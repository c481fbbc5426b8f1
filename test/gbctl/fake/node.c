// SPDX-License-Identifier: MIT
/* The nodes of the played xenstore. */
#include "parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct fake_node *fake_find(const char *path) {
    for (uint32_t i = 0; i < world.nodes; i++) {
        if (!strcmp(world.node[i].path, path))
            return &world.node[i];
    }
    return NULL;
}

static struct fake_node *make(const char *path) {
    struct fake_node *node = fake_find(path);
    char parent[300];
    char *slash;

    if (node)
        return node;
    snprintf(parent, sizeof(parent), "%s", path);
    slash = strrchr(parent, '/');
    if (slash && slash != parent) {
        *slash = '\0';
        make(parent);
    }
    if (world.nodes == NODES_MAX)
        fake_bad("too many nodes");
    node = &world.node[world.nodes++];
    snprintf(node->path, sizeof(node->path), "%s", path);
    node->text[0] = '\0';
    return node;
}

void fake_set(const char *path, const char *text) {
    snprintf(make(path)->text, TEXT_MAX, "%s", text);
    fake_changed(path);
}

bool fake_remove(const char *path) {
    size_t length = strlen(path);
    uint32_t kept = 0;
    bool found = false;

    for (uint32_t i = 0; i < world.nodes; i++) {
        const char *at = world.node[i].path;
        bool gone = !strncmp(at, path, length) && (!at[length] || at[length] == '/');

        found = found || gone;
        if (!gone && kept++ != i)
            world.node[kept - 1] = world.node[i];
    }
    world.nodes = kept;
    if (found)
        fake_changed(path);
    else
        errno = ENOENT;
    return found;
}

void fake_set_node(const char *words) {
    char path[300];
    int used = 0;

    if (sscanf(words, "%299s %n", path, &used) != 1)
        fake_bad(words);
    fake_set(path, words + used);
}
