// SPDX-License-Identifier: MIT
/* See fake_world.h. Errors in a scenario stop the test at once: exit code 99 is none of gbctl's. */
#define _GNU_SOURCE
#include "fake_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <zlib.h>

struct fake_world world;

enum when { ON_WRITE, ON_XL, ON_REQUEST };
struct rule {
    enum when when;
    bool once, spent;
    char path[300], prefix[300], action[TEXT_MAX];
};
static struct rule rules[RULES_MAX];
static uint32_t rule_count;

static char failing[16][40];
static int failing_errno[16];
static uint32_t failing_count;

#define EVENTS_MAX 1024
static char events[EVENTS_MAX][300];
static uint32_t events_in, events_out;
static char watched[8][300];

static char later[TEXT_MAX];
static int event_fd = -1, timer_fd = -1, epoll_fd = -1;

static void act(const char *action, const char *number);

static void bad(const char *line) {
    fprintf(stderr, "fake_world: cannot read: %s\n", line);
    exit(99);
}

/* --- nodes ------------------------------------------------------------------------------------------------------- */

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
        bad("too many nodes");
    node = &world.node[world.nodes++];
    snprintf(node->path, sizeof(node->path), "%s", path);
    node->text[0] = '\0';
    return node;
}

static void quiet_write(const char *path, const char *text) {
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

/* --- watches and time -------------------------------------------------------------------------------------------- */

static void open_fds(void) {
    struct epoll_event wanted = {.events = EPOLLIN};

    event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &wanted);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &wanted);
}

int fake_fd(void) {
    return epoll_fd;
}

void fake_watch(const char *path, bool on) {
    for (uint32_t i = 0; i < 8; i++) {
        if (on ? !watched[i][0] : !strcmp(watched[i], path)) {
            snprintf(watched[i], sizeof(watched[i]), "%s", on ? path : "");
            world.watches += on ? 1 : (uint32_t)-1;
            if (on)
                fake_changed(path);
            return;
        }
    }
}

void fake_changed(const char *path) {
    for (uint32_t i = 0; i < 8; i++) {
        size_t length = strlen(watched[i]);

        if (!length || strncmp(path, watched[i], length) || events_in - events_out == EVENTS_MAX)
            continue;
        snprintf(events[events_in++ % EVENTS_MAX], 300, "%s", path);
        eventfd_write(event_fd, 1);
        return;
    }
}

bool fake_next_event(char *path, uint32_t size) {
    uint64_t fired;
    eventfd_t count;

    if (read(timer_fd, &fired, sizeof(fired)) == sizeof(fired)) {
        char action[TEXT_MAX];

        memcpy(action, later, sizeof(action));
        act(action, "");
    }
    if (events_in == events_out) {
        eventfd_read(event_fd, &count);
        return false;
    }
    snprintf(path, size, "%s", events[events_out++ % EVENTS_MAX]);
    return true;
}

/* --- domains ----------------------------------------------------------------------------------------------------- */

struct fake_domain *fake_domain(uint32_t id) {
    for (uint32_t i = 0; i < world.domains; i++) {
        if (world.domain[i].id == id)
            return &world.domain[i];
    }
    return NULL;
}

static void add_domain(const char *words) {
    struct fake_domain *domain = &world.domain[world.domains];
    unsigned id;
    unsigned long long max;
    char type[8], path[100];

    if (world.domains == DOMAINS_MAX || sscanf(words, "%u %99s %7s %llu", &id, domain->name, type, &max) != 4)
        bad(words);
    domain->id = id;
    domain->max_kib = max;
    domain->hvm = strcmp(type, "pv") != 0;
    domain->shutdown = false;
    domain->target = 0;
    world.domains++;
    snprintf(path, sizeof(path), "/local/domain/%u/name", id);
    quiet_write(path, domain->name);
    snprintf(path, sizeof(path), "/libxl/%u/type", id);
    quiet_write(path, type);
}

static void destroy_domain(uint32_t id) {
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

static void shut_down(const char *words) {
    unsigned id, reason;
    struct fake_domain *domain;

    if (sscanf(words, "%u %u", &id, &reason) != 2 || !(domain = fake_domain(id)))
        bad(words);
    domain->shutdown = true;
    domain->reason = reason;
    fake_changed("@releaseDomain");
}

/* --- the picture of a driver domain that answers `crc` and `read` itself ----------------------------------------- */

static void set_picture(struct fake_picture *p, const char *words) {
    p->moves = 0;
    if (sscanf(words, "%u %u %u %u %u", &p->width, &p->height, &p->format, &p->part_bytes, &p->moves) < 4)
        bad(words);
    p->pixel_bytes = p->format == 0x34325258 || p->format == 0x34325241 ? 4 : p->format == 0x34324752 ? 3 : 2;
    p->bytes = (uint64_t)p->width * p->height * p->pixel_bytes;
    p->data = malloc(p->bytes);
    for (uint64_t i = 0; p->data && i < p->bytes; i++)
        p->data[i] = (uint8_t)(i * 7 + i / 251);
}

/* WIDTH HEIGHT X Y, over the picture: the same bytes. */
static void set_cursor(const char *words) {
    struct fake_picture *p = &world.cursor;
    char line[80];

    if (sscanf(words, "%u %u %d %d", &p->width, &p->height, &p->x, &p->y) != 4)
        bad(words);
    snprintf(line, sizeof(line), "%u %u %u 4096", p->width, p->height, 0x34325241);
    set_picture(p, line);
}

static void reply(const char *number, const char *text) {
    char line[TEXT_MAX];

    snprintf(line, sizeof(line), "%s %s", number, text);
    quiet_write("/local/domain/1/data/glovebox/reply", line);
}

static const char *format_name(const struct fake_picture *p) {
    return p->pixel_bytes == 3 ? "RG24" : p->pixel_bytes == 2 ? "RG16" : p == &world.cursor ? "AR24" : "XR24";
}

static void picture_crc(const char *number, struct fake_picture *p) {
    uint32_t crc = (uint32_t)crc32(0, p->data, (uInt)p->bytes) ^ (p->moves ? 1 : 0);
    char line[300];

    p->moves -= p->moves ? 1 : 0;
    snprintf(line, sizeof(line), "ok crc32=%08x width=%u height=%u stride=0 format=%s x=%d y=%d", crc, p->width,
             p->height, format_name(p), p->x, p->y);
    reply(number, line);
}

static bool picture_read(const char *number, struct fake_picture *p, uint64_t offset) {
    uint64_t part = p->bytes - offset < p->part_bytes ? p->bytes - offset : p->part_bytes;
    char line[300];

    if (offset >= p->bytes)
        return false;
    p->granted_at = offset;
    world.granted = p;
    snprintf(line, sizeof(line), "ok gref=8 pages=%llu bytes=%llu total=%llu width=%u height=%u format=%s",
             (unsigned long long)(part + 4095) / 4096, (unsigned long long)part, (unsigned long long)p->bytes, p->width,
             p->height, format_name(p));
    reply(number, line);
    return true;
}

static bool picture_request(const char *number, const char *text) {
    bool of_cursor = strstr(text, " cursor") != NULL;
    struct fake_picture *p = of_cursor ? &world.cursor : &world.picture;
    unsigned guest, vgpu, scanout;
    unsigned long long offset;

    if (!world.picture.data)
        return false;
    if (!p->data) {
        reply(number, "error cursor off: 0");
        return true;
    }
    if (sscanf(text, "crc %u %u %u", &guest, &vgpu, &scanout) == 3) {
        picture_crc(number, p);
        return true;
    }
    return sscanf(text, "read %u %u %u %llu", &guest, &vgpu, &scanout, &offset) == 4 && picture_read(number, p, offset);
}

/* --- rules ------------------------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *prefix) {
    return !strcmp(prefix, "*") || !strncmp(text, prefix, strlen(prefix));
}

/* Of the `once` rules only the first that is left: the second one is for the second time. */
static void fire(enum when when, const char *path, const char *text, const char *number) {
    bool once = false;

    for (uint32_t i = 0; i < rule_count; i++) {
        struct rule *rule = &rules[i];

        if (rule->when != when || rule->spent || (when == ON_WRITE && strcmp(rule->path, path)) ||
            !begins(text, rule->prefix) || (rule->once && once))
            continue;
        rule->spent = rule->once;
        once = once || rule->once;
        act(rule->action, number);
    }
}

static void act_later(const char *words) {
    struct itimerspec when = {{0, 0}, {0, 0}};
    unsigned ms;
    int used;

    if (sscanf(words, "%u %n", &ms, &used) != 1)
        bad(words);
    snprintf(later, sizeof(later), "%s", words + used);
    when.it_value.tv_sec = ms / 1000;
    when.it_value.tv_nsec = (long)(ms % 1000) * 1000000 + 1;
    timerfd_settime(timer_fd, 0, &when, NULL);
}

static void set_node(const char *words) {
    char path[300];
    int used = 0;

    if (sscanf(words, "%299s %n", path, &used) != 1)
        bad(words);
    quiet_write(path, words + used);
}

static void act(const char *action, const char *number) {
    char word[32];
    int used = 0;
    const char *rest;

    if (sscanf(action, "%31s %n", word, &used) != 1)
        bad(action);
    rest = action + used;
    if (!strcmp(word, "set"))
        set_node(rest);
    else if (!strcmp(word, "rm"))
        fake_remove(rest);
    else if (!strcmp(word, "domain"))
        add_domain(rest);
    else if (!strcmp(word, "shutdown"))
        shut_down(rest);
    else if (!strcmp(word, "destroy"))
        destroy_domain((uint32_t)strtoul(rest, NULL, 10));
    else if (!strcmp(word, "reply"))
        reply(number, rest);
    else if (!strcmp(word, "error"))
        snprintf(world.xl_error, sizeof(world.xl_error), "%s", rest);
    else if (!strcmp(word, "after"))
        act_later(rest);
    else
        bad(action);
}

void fake_write(const char *path, const char *text) {
    const char *slash = strrchr(path, '/');
    char number[24];

    quiet_write(path, text);
    fire(ON_WRITE, path, text, "");
    if (!slash || strcmp(slash, "/request"))
        return;
    snprintf(number, sizeof(number), "%.*s", (int)strcspn(text, " "), text);
    text += strcspn(text, " ");
    text += *text == ' ';
    if (!picture_request(number, text))
        fire(ON_REQUEST, path, text, number);
}

void fake_run_xl(const char *words) {
    world.xl_error[0] = '\0';
    if (begins(words, "destroy "))
        destroy_domain((uint32_t)strtoul(words + 8, NULL, 10));
    fire(ON_XL, "", words, "");
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

/* --- scenario in, state out -------------------------------------------------------------------------------------- */

static void add_rule(const char *line, bool once) {
    struct rule *rule = &rules[rule_count];
    const char *end = strstr(line, " :: ");
    char head[700], kind[16];
    int used, more = 0;

    if (!end || rule_count == RULES_MAX || sscanf(line, "%*s %15s %n", kind, &used) != 1)
        bad(line);
    snprintf(head, sizeof(head), "%.*s", (int)(end - line - used), line + used);
    rule->once = once;
    rule->when = !strcmp(kind, "write") ? ON_WRITE : !strcmp(kind, "xl") ? ON_XL : ON_REQUEST;
    if (rule->when == ON_WRITE && sscanf(head, "%299s %n", rule->path, &more) != 1)
        bad(line);
    snprintf(rule->prefix, sizeof(rule->prefix), "%.299s", head + more);
    snprintf(rule->action, sizeof(rule->action), "%s", end + 4);
    rule_count++;
}

static void take_line(const char *line) {
    if (begins(line, "on "))
        add_rule(line, false);
    else if (begins(line, "once "))
        add_rule(line, true);
    else if (begins(line, "node "))
        set_node(line + 5);
    else if (begins(line, "domain "))
        add_domain(line + 7);
    else if (begins(line, "picture "))
        set_picture(&world.picture, line + 8);
    else if (begins(line, "cursor "))
        set_cursor(line + 7);
    else if (begins(line, "flask") && fake_flask_line(line))
        return;
    else if (sscanf(line, "fail %39s %d", failing[failing_count], &failing_errno[failing_count]) == 2)
        failing_count++;
    else
        bad(line);
}

void fake_load(const char *path) {
    static char line[TEXT_MAX];
    FILE *file = path ? fopen(path, "r") : NULL;

    if (!file)
        bad(path ? path : "no GBCTL_FAKE");
    open_fds();
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
        bad(path);
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
