// SPDX-License-Identifier: MIT
/*
 * The FLASK part of the played Xen: labels are numbered in the order in which anybody names them, and everything is
 * allowed that the scenario does not refuse. A domain without a label has Xen's for its number: dom0_t or domU_t.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>

#include "world.h"

#define LABELS_MAX 64
#define RULES_MAX_FLASK 16
#define DOM0 "system_u:system_r:dom0_t"
#define DOMU "system_u:system_r:domU_t"

static int enforcing = -1;
static char labels[LABELS_MAX][256];
static uint32_t label_count;
static char unknown[RULES_MAX_FLASK][256];
static uint32_t unknown_count;
static struct {
    uint32_t domid;
    char label[256];
} domain[DOMAINS_MAX];
static uint32_t domain_count;
static struct {
    char source[256], target[256];
    unsigned class, bit;
} refused[RULES_MAX_FLASK];
static uint32_t refused_count;

bool fake_flask_line(const char *line) {
    char word[16] = "";

    if (!strcmp(line, "flask") || !strcmp(line, "flask permissive")) {
        enforcing = !line[5];
        return true;
    }
    sscanf(line, "flask %15s", word);
    if (!strcmp(word, "label"))
        return sscanf(line, "flask label %u %255s", &domain[domain_count].domid, domain[domain_count].label) == 2 &&
               ++domain_count <= DOMAINS_MAX;
    if (!strcmp(word, "unknown"))
        return sscanf(line, "flask unknown %255s", unknown[unknown_count]) == 1 && ++unknown_count < RULES_MAX_FLASK;
    return sscanf(line, "flask refuse %255s %255s %u %u", refused[refused_count].source, refused[refused_count].target,
                  &refused[refused_count].class, &refused[refused_count].bit) == 4 &&
           ++refused_count < RULES_MAX_FLASK;
}

static uint32_t number_of(const char *label) {
    for (uint32_t i = 0; i < label_count; i++) {
        if (!strcmp(labels[i], label))
            return i + 1;
    }
    if (label_count == LABELS_MAX)
        abort();
    snprintf(labels[label_count++], sizeof(labels[0]), "%s", label);
    return label_count;
}

uint32_t fake_flask_sid(uint32_t domid) {
    for (uint32_t i = 0; i < domain_count; i++) {
        if (domain[i].domid == domid)
            return number_of(domain[i].label);
    }
    return number_of(domid ? DOMU : DOM0);
}

int xc_flask_getenforce(xc_interface *xch) {
    (void)xch;
    if (enforcing < 0)
        errno = ENOSYS;
    return enforcing;
}

int xc_flask_context_to_sid(xc_interface *xch, char *text, uint32_t size, uint32_t *sid) {
    char label[256];

    (void)xch;
    snprintf(label, sizeof(label), "%.*s", (int)size, text);
    for (uint32_t i = 0; i < unknown_count; i++) {
        if (!strcmp(unknown[i], label)) {
            errno = EINVAL;
            return -1;
        }
    }
    *sid = number_of(label);
    return 0;
}

int xc_flask_sid_to_context(xc_interface *xch, int sid, char *out, uint32_t size) {
    (void)xch;
    if (enforcing < 0 || sid < 1 || (uint32_t)sid > label_count || strlen(labels[sid - 1]) >= size) {
        errno = EINVAL;
        return -1;
    }
    strcpy(out, labels[sid - 1]);
    return 0;
}

int xc_flask_access(xc_interface *xch, const char *source, const char *target, uint16_t class, uint32_t wanted,
                    uint32_t *allowed, uint32_t *decided, uint32_t *audit_allow, uint32_t *audit_deny, uint32_t *turn) {
    uint32_t sid;

    (void)decided, (void)audit_allow, (void)audit_deny, (void)turn;
    if (xc_flask_context_to_sid(xch, (char *)(uintptr_t)source, (uint32_t)strlen(source), &sid) ||
        xc_flask_context_to_sid(xch, (char *)(uintptr_t)target, (uint32_t)strlen(target), &sid))
        return -1;
    *allowed = UINT32_MAX;
    for (uint32_t i = 0; i < refused_count; i++) {
        if (!strcmp(refused[i].source, source) && !strcmp(refused[i].target, target) && refused[i].class == class)
            *allowed &= ~(1u << refused[i].bit);
    }
    return (*allowed & wanted) == wanted ? 0 : -EPERM;
}
