// SPDX-License-Identifier: MIT
/* Watches of the played xenstore, and time: what is to happen later does when somebody looks for events. */
#define _GNU_SOURCE
#include "parts.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS_MAX 1024
#define WATCHES_MAX 8

static char events[EVENTS_MAX][PATH_BYTES];
static uint32_t events_in, events_out;
static char watched[WATCHES_MAX][PATH_BYTES];

static char later[TEXT_MAX];
static int event_fd = -1, timer_fd = -1, epoll_fd = -1;

void fake_open_fds(void) {
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
    for (uint32_t i = 0; i < WATCHES_MAX; i++) {
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
    for (uint32_t i = 0; i < WATCHES_MAX; i++) {
        size_t length = strlen(watched[i]);

        if (!length || strncmp(path, watched[i], length) || events_in - events_out == EVENTS_MAX)
            continue;
        snprintf(events[events_in++ % EVENTS_MAX], PATH_BYTES, "%s", path);
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
        fake_act(action, "");
    }
    if (events_in == events_out) {
        eventfd_read(event_fd, &count);
        return false;
    }
    snprintf(path, size, "%s", events[events_out++ % EVENTS_MAX]);
    return true;
}

void fake_act_later(const char *words) {
    struct itimerspec when = {{0, 0}, {0, 0}};
    unsigned ms;
    int used;

    if (sscanf(words, "%u %n", &ms, &used) != 1)
        fake_bad(words);
    snprintf(later, sizeof(later), "%s", words + used);
    when.it_value.tv_sec = ms / 1000;
    when.it_value.tv_nsec = (long)(ms % 1000) * 1000000 + 1;
    timerfd_settime(timer_fd, 0, &when, NULL);
}
