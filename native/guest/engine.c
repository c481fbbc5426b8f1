// SPDX-License-Identifier: MIT
/*
 * Work for a virtio GPU's engine, by the driver's own interface (linux/virtgpu_drm.h). In 2D mode the driver queues
 * DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST as a TRANSFER_TO_HOST_2D and waits for nothing but room in the ring, so a loop of
 * it keeps the engine busy. It gives such a transfer no fence. But it fences a RESOURCE_CREATE_2D, and the device
 * answers the commands of a queue in their order: a small resource that exists tells that all before it is done.
 *
 * Needs a device whose buffers are copied (blob=0): with blobs there is nothing to transfer, and the driver refuses.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include <drm.h>
#include <virtgpu_drm.h>

#include "engine.h"

#define PIXEL_BYTES 4
#define TEXTURE_2D 2         /* the only target that the driver takes in 2D mode (pipe_texture_target) */
#define FORMAT_B8G8R8X8 2    /* virtio 1.2, 5.7.6.8 */
#define PACE_MAX 20000
#define BATCH 8
#define WAITS_MAX 8

static bool call(int card, unsigned long number, void *argument, const char *what) {
    while (ioctl(card, number, argument)) {
        if (errno == EINTR || errno == EAGAIN)
            continue;
        printf("KMS failed: %s: %s\n", what, strerror(errno));
        return false;
    }
    return true;
}

uint64_t clock_us(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool transfer(const struct picture *picture, uint32_t rows) {
    struct drm_virtgpu_3d_transfer_to_host order = {
        .bo_handle = picture->handle,
        .box = {.w = picture->width, .h = rows, .d = 1},
    };

    return call(picture->card, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &order, "a transfer");
}

/* A fence: the handle of a small resource, which exists when all that was asked for before has been done. */
static bool mark(int card, uint32_t *handle) {
    struct drm_virtgpu_resource_create create = {
        .target = TEXTURE_2D, .format = FORMAT_B8G8R8X8, .width = 1, .height = 1, .depth = 1, .array_size = 1,
        .size = PIXEL_BYTES,
    };

    if (!call(card, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create, "a resource"))
        return false;
    *handle = create.bo_handle;
    return true;
}

/* The driver gives up after 15 s, which a machine that is emulated may need. */
static bool reach(int card, uint32_t handle) {
    struct drm_virtgpu_3d_wait wait = {.handle = handle};
    struct drm_gem_close forget = {.handle = handle};
    uint32_t left = WAITS_MAX;

    while (ioctl(card, DRM_IOCTL_VIRTGPU_WAIT, &wait)) {
        if (errno == EINTR || (errno == EBUSY && --left))
            continue;
        printf("KMS failed: the engine does not come to an end: %s\n", strerror(errno));
        return false;
    }
    return call(card, DRM_IOCTL_GEM_CLOSE, &forget, "closing a resource");
}

bool engine_settle(int card) {
    uint32_t handle;

    return mark(card, &handle) && reach(card, handle);
}

/*
 * For that time, or until it is stopped. Between BATCH and twice as many transfers are under way: never none, and never
 * so many that the end is far.
 */
bool engine_flood(const struct picture *picture, uint64_t us, bool (*stopped)(void), struct flood *flood) {
    uint64_t start = clock_us();
    uint32_t before = 0, now;

    for (flood->times = 0; clock_us() - start < us && !stopped(); flood->times += BATCH) {
        for (uint32_t i = 0; i < BATCH; i++) {
            if (!transfer(picture, picture->height))
                return false;
        }
        if (!mark(picture->card, &now) || (before && !reach(picture->card, before)))
            return false;
        before = now;
    }
    if (before && !reach(picture->card, before))
        return false;
    flood->took_us = clock_us() - start;
    return true;
}

static void sleep_until(uint64_t us) {
    struct timespec when = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        ;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* One transfer of `rows` rows each period; the next period begins at once when one is over it. */
bool engine_pace(const struct picture *picture, uint32_t times, uint32_t period_us, uint32_t rows, struct pace *pace) {
    static uint64_t took[PACE_MAX];
    uint64_t next = clock_us();

    *pace = (struct pace){.count = times < PACE_MAX ? times : PACE_MAX};
    for (uint32_t i = 0; i < pace->count; i++) {
        uint64_t start = clock_us();

        if (!transfer(picture, rows) || !engine_settle(picture->card))
            return false;
        took[i] = clock_us() - start;
        pace->late += took[i] > period_us;
        next += period_us;
        if (next > clock_us())
            sleep_until(next);
        else
            next = clock_us();
    }
    if (!pace->count)
        return true;
    qsort(took, pace->count, sizeof(took[0]), ascending);
    pace->p50_us = took[pace->count / 2];
    pace->p99_us = took[(pace->count * 99ull + 99) / 100 - 1];
    pace->max_us = took[pace->count - 1];
    return true;
}
