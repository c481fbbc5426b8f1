// SPDX-License-Identifier: MIT
/* The played domains: their lives, and the nodes that libxl keeps of them. */
#include "parts.h"

#include <stdio.h>
#include <string.h>

struct fake_domain *fake_domain(uint32_t id) {
    for (uint32_t i = 0; i < world.domains; i++) {
        if (world.domain[i].id == id)
            return &world.domain[i];
    }
    return NULL;
}

void fake_add_domain(const char *words) {
    struct fake_domain *domain = &world.domain[world.domains];
    unsigned id;
    unsigned long long max;
    char type[8], path[100];

    if (world.domains == DOMAINS_MAX || sscanf(words, "%u %99s %7s %llu", &id, domain->name, type, &max) != 4)
        fake_bad(words);
    domain->id = id;
    domain->max_kib = max;
    domain->hvm = strcmp(type, "pv") != 0;
    domain->shutdown = false;
    domain->target = 0;
    world.domains++;
    snprintf(path, sizeof(path), "/local/domain/%u/name", id);
    fake_set(path, domain->name);
    snprintf(path, sizeof(path), "/libxl/%u/type", id);
    fake_set(path, type);
}

void fake_destroy(uint32_t id) {
    struct fake_domain *domain = fake_domain(id);
    char path[100];

    if (!domain)
        return;
    *domain = world.domain[--world.domains];
    snprintf(path, sizeof(path), "/local/domain/%u", id);
    fake_remove(path);
    snprintf(path, sizeof(path), "/libxl/%u", id);
    fake_remove(path);
    fake_changed("@releaseDomain");
}

void fake_shut_down(const char *words) {
    unsigned id, reason;
    struct fake_domain *domain;

    if (sscanf(words, "%u %u", &id, &reason) != 2 || !(domain = fake_domain(id)))
        fake_bad(words);
    domain->shutdown = true;
    domain->reason = reason;
    fake_changed("@releaseDomain");
}
