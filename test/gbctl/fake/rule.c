// SPDX-License-Identifier: MIT
/* What the scenario wants to happen when gbctl writes, runs xl or asks a driver domain. */
#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum when { ON_WRITE, ON_XL, ON_REQUEST };
struct rule {
    enum when when;
    bool once, spent;
    char path[PATH_BYTES], prefix[PATH_BYTES], action[TEXT_MAX];
};
static struct rule rules[RULES_MAX];
static uint32_t rule_count;

bool fake_begins(const char *text, const char *prefix) {
    return !strcmp(prefix, "*") || !strncmp(text, prefix, strlen(prefix));
}

/* Of the `once` rules only the first that is left: the second one is for the second time. */
static void fire(enum when when, const char *path, const char *text, const char *number) {
    bool once = false;

    for (uint32_t i = 0; i < rule_count; i++) {
        struct rule *rule = &rules[i];

        if (rule->when != when || rule->spent || (when == ON_WRITE && strcmp(rule->path, path)) ||
            !fake_begins(text, rule->prefix) || (rule->once && once))
            continue;
        rule->spent = rule->once;
        once = once || rule->once;
        fake_act(rule->action, number);
    }
}

void fake_act(const char *action, const char *number) {
    char word[32];
    int used = 0;
    const char *rest;

    if (sscanf(action, "%31s %n", word, &used) != 1)
        fake_bad(action);
    rest = action + used;
    if (!strcmp(word, "set"))
        fake_set_node(rest);
    else if (!strcmp(word, "rm"))
        fake_remove(rest);
    else if (!strcmp(word, "domain"))
        fake_add_domain(rest);
    else if (!strcmp(word, "shutdown"))
        fake_shut_down(rest);
    else if (!strcmp(word, "destroy"))
        fake_destroy((uint32_t)strtoul(rest, NULL, 10));
    else if (!strcmp(word, "reply"))
        fake_reply(number, rest);
    else if (!strcmp(word, "error"))
        snprintf(world.xl_error, sizeof(world.xl_error), "%s", rest);
    else if (!strcmp(word, "after"))
        fake_act_later(rest);
    else
        fake_bad(action);
}

void fake_write(const char *path, const char *text) {
    const char *slash = strrchr(path, '/');
    char number[24];

    fake_set(path, text);
    fire(ON_WRITE, path, text, "");
    if (!slash || strcmp(slash, "/request"))
        return;
    snprintf(number, sizeof(number), "%.*s", (int)strcspn(text, " "), text);
    text += strcspn(text, " ");
    text += *text == ' ';
    if (!fake_picture_request(number, text))
        fire(ON_REQUEST, path, text, number);
}

void fake_run_xl(const char *words) {
    world.xl_error[0] = '\0';
    if (fake_begins(words, "destroy "))
        fake_destroy((uint32_t)strtoul(words + 8, NULL, 10));
    fire(ON_XL, "", words, "");
}

void fake_add_rule(const char *line, bool once) {
    struct rule *rule = &rules[rule_count];
    const char *end = strstr(line, " :: ");
    char head[700], kind[16];
    int used, more = 0;

    if (!end || rule_count == RULES_MAX || sscanf(line, "%*s %15s %n", kind, &used) != 1)
        fake_bad(line);
    snprintf(head, sizeof(head), "%.*s", (int)(end - line - used), line + used);
    rule->once = once;
    rule->when = !strcmp(kind, "write") ? ON_WRITE : !strcmp(kind, "xl") ? ON_XL : ON_REQUEST;
    if (rule->when == ON_WRITE && sscanf(head, "%299s %n", rule->path, &more) != 1)
        fake_bad(line);
    snprintf(rule->prefix, sizeof(rule->prefix), "%.299s", head + more);
    snprintf(rule->action, sizeof(rule->action), "%s", end + 4);
    rule_count++;
}
