// SPDX-License-Identifier: MIT
/*
 * gb-draw WIDTH HEIGHT [VARIANT]: sets a mode on the first /dev/dri/cardN with the kernel's own interface (no library),
 * fills the screen with the test picture, and says the CRC-32 of what it wrote. It waits for a line before it draws
 * and before it ends, so that trap counters can be read around the drawing. The picture's rows are computed
 * beforehand: between "ready" and "done" there is nothing but copying into video memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <drm.h>
#include <drm_mode.h>

#include "crc32.h"
#include "pattern.h"

#define CARDS_MAX 8 /* a device that came back may have another number than it had */
#define IDS_MAX 16
#define MODES_MAX 256
#define SIDE_MAX 8192

struct screen {
    int card;
    uint32_t connector, crtc;
    struct drm_mode_modeinfo mode;
    struct drm_mode_create_dumb buffer;
    uint8_t *pixels;
};

static void die(const char *what) {
    printf("DRAW failed: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void call(int card, unsigned long number, void *argument, const char *what) {
    while (ioctl(card, number, argument)) {
        if (errno != EINTR && errno != EAGAIN)
            die(what);
    }
}

/* The mode in the connector's list; among equals the preferred one, else the first. */
static bool find_mode(const struct drm_mode_modeinfo *modes, uint32_t count, struct drm_mode_modeinfo *want) {
    bool found = false;

    for (uint32_t i = 0; i < count; i++) {
        if (modes[i].hdisplay != want->hdisplay || modes[i].vdisplay != want->vdisplay)
            continue;
        if (found && !(modes[i].type & DRM_MODE_TYPE_PREFERRED))
            continue;
        *want = modes[i];
        found = true;
    }
    return found;
}

/* Not in the list: timings in the manner of VESA CVT reduced blanking (160 pixels, sync 32), at 60 Hz. */
static void make_mode(struct drm_mode_modeinfo *mode) {
    mode->hsync_start = (uint16_t)(mode->hdisplay + 48);
    mode->hsync_end = (uint16_t)(mode->hsync_start + 32);
    mode->htotal = (uint16_t)(mode->hdisplay + 160);
    mode->vsync_start = (uint16_t)(mode->vdisplay + 3);
    mode->vsync_end = (uint16_t)(mode->vsync_start + 6);
    mode->vtotal = (uint16_t)(mode->vdisplay + 30);
    mode->vrefresh = 60;
    mode->clock = (uint32_t)mode->htotal * mode->vtotal * 60 / 1000;
    mode->flags = DRM_MODE_FLAG_PHSYNC | DRM_MODE_FLAG_NVSYNC;
    mode->type = DRM_MODE_TYPE_USERDEF;
    snprintf(mode->name, sizeof(mode->name), "%ux%u", mode->hdisplay, mode->vdisplay);
}

/* A virtual display has one connector and one crtc; the first of each is the pair. */
static void find_screen(struct screen *s) {
    static struct drm_mode_modeinfo modes[MODES_MAX];
    uint32_t connectors[IDS_MAX] = {0}, crtcs[IDS_MAX] = {0}, encoders[IDS_MAX] = {0};
    struct drm_mode_card_res resources = {
        .connector_id_ptr = (uintptr_t)connectors,
        .count_connectors = IDS_MAX,
        .crtc_id_ptr = (uintptr_t)crtcs,
        .count_crtcs = IDS_MAX,
    };
    struct drm_mode_get_connector connector = {0};

    call(s->card, DRM_IOCTL_MODE_GETRESOURCES, &resources, "the card's resources");
    if (!resources.count_connectors || !resources.count_crtcs) {
        errno = ENODEV;
        die("a connector and a crtc");
    }
    s->connector = connectors[0];
    s->crtc = crtcs[0];
    /* Asking for no modes makes the kernel probe; the second call fetches what it found. */
    connector.connector_id = s->connector;
    call(s->card, DRM_IOCTL_MODE_GETCONNECTOR, &connector, "the connector");
    if (connector.count_modes > MODES_MAX)
        connector.count_modes = MODES_MAX;
    connector.modes_ptr = (uintptr_t)modes;
    connector.encoders_ptr = (uintptr_t)encoders;
    connector.count_encoders = connector.count_encoders > IDS_MAX ? IDS_MAX : connector.count_encoders;
    connector.count_props = 0;
    call(s->card, DRM_IOCTL_MODE_GETCONNECTOR, &connector, "the connector's modes");
    if (!find_mode(modes, connector.count_modes > MODES_MAX ? MODES_MAX : connector.count_modes, &s->mode))
        make_mode(&s->mode);
}

static void show_buffer(struct screen *s) {
    struct drm_mode_fb_cmd framebuffer = {0};
    struct drm_mode_crtc crtc = {0};

    s->buffer.width = s->mode.hdisplay;
    s->buffer.height = s->mode.vdisplay;
    s->buffer.bpp = 32;
    call(s->card, DRM_IOCTL_MODE_CREATE_DUMB, &s->buffer, "a buffer in video memory");
    framebuffer.width = s->buffer.width;
    framebuffer.height = s->buffer.height;
    framebuffer.pitch = s->buffer.pitch;
    framebuffer.bpp = 32;
    framebuffer.depth = 24;
    framebuffer.handle = s->buffer.handle;
    call(s->card, DRM_IOCTL_MODE_ADDFB, &framebuffer, "a framebuffer");
    crtc.set_connectors_ptr = (uintptr_t)&s->connector;
    crtc.count_connectors = 1;
    crtc.crtc_id = s->crtc;
    crtc.fb_id = framebuffer.fb_id;
    crtc.mode_valid = 1;
    crtc.mode = s->mode;
    call(s->card, DRM_IOCTL_MODE_SETCRTC, &crtc, "the mode");
}

/* After the mode is set: only then does the kernel pin the buffer into video memory, where the mapping must lead. */
static void map_buffer(struct screen *s) {
    struct drm_mode_map_dumb map = {.handle = s->buffer.handle};

    call(s->card, DRM_IOCTL_MODE_MAP_DUMB, &map, "the buffer's offset");
    s->pixels = mmap(NULL, s->buffer.size, PROT_READ | PROT_WRITE, MAP_SHARED, s->card, (off_t)map.offset);
    if (s->pixels == MAP_FAILED)
        die("mapping the buffer");
}

static uint32_t *compute(const struct screen *s, uint32_t variant, uint32_t *crc) {
    int32_t width = s->mode.hdisplay, height = s->mode.vdisplay;
    uint32_t *picture = malloc((size_t)width * (size_t)height * 4);

    if (!picture)
        die("memory for the picture");
    for (int32_t y = 0; y < height; y++) {
        for (int32_t x = 0; x < width; x++)
            picture[(size_t)y * (size_t)width + (size_t)x] = pattern_variant(x, y, width, height, variant);
    }
    *crc = crc32_add(0, picture, (size_t)width * (size_t)height * 4);
    return picture;
}

static void copy_rows(const struct screen *s, const uint32_t *picture) {
    size_t row_bytes = (size_t)s->mode.hdisplay * 4;

    for (uint32_t y = 0; y < s->mode.vdisplay; y++)
        memcpy(s->pixels + (size_t)y * s->buffer.pitch, picture + (size_t)y * s->mode.hdisplay, row_bytes);
}

/* A closed input counts as a line: the program then runs through. */
static void wait_line(void) {
    char line[80];

    while (fgets(line, sizeof(line), stdin) && !strchr(line, '\n'))
        ;
}

static uint64_t now_us(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int open_card(void) {
    char path[32];
    int card = -1;

    for (int i = 0; card < 0 && i < CARDS_MAX; i++) {
        snprintf(path, sizeof(path), "/dev/dri/card%d", i);
        card = open(path, O_RDWR | O_CLOEXEC);
    }
    if (card < 0)
        die("/dev/dri/card0 and others");
    return card;
}

static uint16_t read_number(const char *what, const char *text, unsigned long min, unsigned long max) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*end || !*text || value < min || value > max) {
        printf("DRAW failed: \"%s\": a %s must be %lu to %lu\n", text, what, min, max);
        exit(2);
    }
    return (uint16_t)value;
}

int main(int argc, char **argv) {
    struct screen s = {0};
    uint32_t *picture, crc, variant;
    uint64_t start;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc != 3 && argc != 4) {
        puts("usage: gb-draw WIDTH HEIGHT [VARIANT]");
        return 2;
    }
    s.mode.hdisplay = read_number("width", argv[1], 1, SIDE_MAX);
    s.mode.vdisplay = read_number("height", argv[2], 1, SIDE_MAX);
    variant = argc == 4 ? read_number("variant", argv[3], 0, PATTERN_VARIANTS - 1) : 0;
    s.card = open_card();
    find_screen(&s);
    show_buffer(&s);
    map_buffer(&s);
    picture = compute(&s, variant, &crc);
    printf("DRAW ready %ux%u pitch=%u\n", s.mode.hdisplay, s.mode.vdisplay, s.buffer.pitch);
    wait_line();
    start = now_us();
    copy_rows(&s, picture);
    printf("DRAW done %ux%u crc=%08x us=%llu\n", s.mode.hdisplay, s.mode.vdisplay, crc,
           (unsigned long long)(now_us() - start));
    wait_line();
    return 0;
}
