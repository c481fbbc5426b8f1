// SPDX-License-Identifier: MIT
/*
 * The scenario in, line by line, and what is left of the world out. A scenario that cannot be read stops the test at
 * once: exit code 99 is none of gbctl's.
 */
#include "parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILURES_MAX 16

struct fake_world world;

static char failing[FAILURES_MAX][40];
static int failing_errno[FAILURES_MAX];
static uint32_t failing_count;

void fake_bad(const char *line) {
    fprintf(stderr, "fake/scenario.c: cannot read: %s\n", line);
    exit(99);
}

bool fake_fails(const char *call) {
    for (uint32_t i = 0; i < failing_count; i++) {
        if (!strcmp(failing[i], call)) {
            errno = failing_errno[i];
            return true;
        }
    }
    return false;
}

static void take_line(const char *line) {
    if (fake_begins(line, "on "))
        fake_add_rule(line, false);
    else if (fake_begins(line, "once "))
        fake_add_rule(line, true);
    else if (fake_begins(line, "node "))
        fake_set_node(line + 5);
    else if (fake_begins(line, "domain "))
        fake_add_domain(line + 7);
    else if (fake_begins(line, "picture "))
        fake_set_picture(&world.picture, line + 8);
    else if (fake_begins(line, "cursor "))
        fake_set_cursor(line + 7);
    else if (fake_begins(line, "flask") && fake_flask_line(line))
        return;
    else if (sscanf(line, "fail %39s %d", failing[failing_count], &failing_errno[failing_count]) == 2)
        failing_count++;
    else
        fake_bad(line);
}

void fake_load(const char *path) {
    static char line[TEXT_MAX];
    FILE *file = path ? fopen(path, "r") : NULL;

    if (!file)
        fake_bad(path ? path : "no GBCTL_FAKE");
    fake_open_fds();
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] && line[0] != '#')
            take_line(line);
    }
    fclose(file);
}

void fake_dump(const char *path) {
    FILE *file = fopen(path, "w");

    if (!file)
        fake_bad(path);
    for (uint32_t i = 0; i < world.domains; i++)
        fprintf(file, "domain %u %s max=%llu target=%u\n", world.domain[i].id, world.domain[i].name,
                (unsigned long long)world.domain[i].max_kib, world.domain[i].target);
    for (uint32_t i = 0; i < world.domains; i++) {
        if (world.domain[i].pauses)
            fprintf(file, "paused %u\n", world.domain[i].id);
    }
    for (uint32_t i = 0; i < world.nodes; i++)
        fprintf(file, "node %s %s\n", world.node[i].path, world.node[i].text);
    fprintf(file, "maps %u\nwatches %u\n", world.maps, world.watches);
    fclose(file);
    free(world.picture.data);
    free(world.cursor.data);
}
