// SPDX-License-Identifier: MIT
/*
 * What a flush costs, seen from the guest. The driver does not wait for a flush, and tells nobody when it is done. But
 * the device does one command after the other, and a resource's creation is fenced: who creates one and waits for its
 * fence knows that all before is done. So there are these things to time:
 *
 *   clock    reading the clock, which is contained in all others
 *   flush    DRM_IOCTL_MODE_DIRTYFB, until the driver comes back
 *   fence    a resource of one pixel, until its creation is done
 *   both     the flush, then the fence: less `fence` it is what a flush costs from the call until it is done
 *
 * Before each one there is a pause, so that nothing is under way any more. It is not timed, nor is the end of the
 * resource.
 */
#include "kms_time.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include <drm.h>
#include <drm_mode.h>
#include <virtgpu_drm.h>

#define WARM_UP 8u
#define TIMES_MAX 100000u
#define TEXTURE_2D 2 /* PIPE_TEXTURE_2D: the only one without 3D */
#define FORMAT_B8G8R8X8 2

struct subject {
    int card;
    uint32_t framebuffer;
    uint32_t handle; /* of the resource that was waited for; 0: none */
};

typedef bool (*step_fn)(struct subject *s);

static bool call(const struct subject *s, unsigned long number, void *argument, const char *what) {
    while (ioctl(s->card, number, argument)) {
        if (errno == EINTR || errno == EAGAIN)
            continue;
        printf("KMS failed: %s: %s\n", what, strerror(errno));
        return false;
    }
    return true;
}

static bool clock_only(struct subject *s) {
    (void)s;
    return true;
}

static bool flush(struct subject *s) {
    struct drm_mode_fb_dirty_cmd dirty = {.fb_id = s->framebuffer};

    return call(s, DRM_IOCTL_MODE_DIRTYFB, &dirty, "a flush");
}

static bool fence(struct subject *s) {
    struct drm_virtgpu_resource_create create = {
        .target = TEXTURE_2D, .format = FORMAT_B8G8R8X8, .width = 1, .height = 1, .depth = 1, .array_size = 1,
        .size = 4096,
    };
    struct drm_virtgpu_3d_wait wait = {0};

    if (!call(s, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create, "a resource of one pixel"))
        return false;
    s->handle = wait.handle = create.bo_handle;
    return call(s, DRM_IOCTL_VIRTGPU_WAIT, &wait, "its fence");
}

static bool both(struct subject *s) {
    return flush(s) && fence(s);
}

static bool drop(struct subject *s) {
    struct drm_gem_close close = {.handle = s->handle};

    s->handle = 0;
    return !close.handle || call(s, DRM_IOCTL_GEM_CLOSE, &close, "the end of a resource");
}

static const struct {
    const char *name;
    step_fn step;
} STEPS[] = {{"clock", clock_only}, {"flush", flush}, {"fence", fence}, {"both", both}};

static step_fn find(const char *what) {
    for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
        if (!strcmp(STEPS[i].name, what))
            return STEPS[i].step;
    }
    return NULL;
}

static uint64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void rest(uint32_t us) {
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

    if (us)
        nanosleep(&time, NULL);
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* False: a step failed, and said so. */
static bool take(struct subject *s, step_fn step, uint64_t *sample, uint32_t times, uint32_t pause_us) {
    for (uint32_t i = 0; i < WARM_UP + times; i++) {
        rest(pause_us);
        uint64_t start = now_ns();
        bool done = step(s);
        uint64_t end = now_ns();
        if (!drop(s) || !done)
            return false;
        if (i >= WARM_UP)
            sample[i - WARM_UP] = end - start;
    }
    return true;
}

static void print(const char *what, uint32_t pause_us, uint64_t *sample, uint32_t times) {
    uint64_t sum = 0;

    for (uint32_t i = 0; i < times; i++)
        sum += sample[i];
    qsort(sample, times, sizeof(*sample), by_size);
    printf("KMS timed %s all=%u pause_us=%u min=%llu median=%llu mean=%llu\n", what, WARM_UP + times, pause_us,
           (unsigned long long)sample[0], (unsigned long long)sample[times / 2], (unsigned long long)(sum / times));
}

void kms_time(int card, uint32_t framebuffer, const char *what, uint32_t times, uint32_t pause_us) {
    struct subject subject = {.card = card, .framebuffer = framebuffer};
    step_fn step = find(what);

    if (!step || !framebuffer || times < 1 || times > TIMES_MAX) {
        printf("KMS failed: time: clock, flush, fence or both, of an output with a picture, 1 to %u times\n",
               TIMES_MAX);
        return;
    }
    uint64_t *sample = calloc(times, sizeof(*sample));
    if (!sample) {
        printf("KMS failed: no memory for %u samples\n", times);
        return;
    }
    if (take(&subject, step, sample, times, pause_us))
        print(what, pause_us, sample, times);
    free(sample);
}
