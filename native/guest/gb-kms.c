// SPDX-License-Identifier: MIT
/*
 * gb-kms: one program that owns a display card with several outputs and does what it is told, a line at a time, by the
 * kernel's own interface (no library). So it can draw on all outputs at once, which takes one owner.
 *
 *   list                                     each output: connected or not, its preferred mode
 *   draw OUTPUT WIDTH HEIGHT VARIANT         a mode, the test picture in it, the CRC-32 of what was written
 *   flush OUTPUT TIMES                       tell the driver so often that the whole picture has changed; the next
 *                                            line, like stop, ends it
 *   cursor OUTPUT X Y                        a cursor of 64 by 64 pixels there
 *   time OUTPUT WHAT TIMES PAUSE_US          what that costs (kms_time.h)
 *   flood OUTPUT MS                          for so long, or until it is stopped, transfer the whole picture, never
 *                                            waiting for the engine
 *   pace OUTPUT TIMES PERIOD_US ROWS         so many rows each period: how long each took, how many were late
 *   end
 *
 * gb-kms 0000:00:10.0 takes the card of that virtio device on the PCI bus, gb-kms alone the first one with outputs.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm.h>
#include <drm_mode.h>

#include "crc32.h"
#include "engine.h"
#include "kms_time.h"
#include "pattern.h"

#define CARDS_MAX 8
#define OUTPUTS_MAX 4
#define MODES_MAX 256
#define SIDE_MAX 8192
#define CURSOR_SIDE 64
#define LOOK_EVERY 16

struct output {
    uint32_t connector, crtc, framebuffer, cursor, cursor_crc;
    uint32_t buffer; /* dumb handle of the picture; 0: none */
    uint32_t width, height;
};

static int card = -1;
static uint32_t output_count;
static struct output outputs[OUTPUTS_MAX];
static struct drm_mode_modeinfo modes[MODES_MAX];
static uint32_t mode_count;

static bool call(unsigned long number, void *argument, const char *what) {
    while (ioctl(card, number, argument)) {
        if (errno == EINTR || errno == EAGAIN)
            continue;
        printf("KMS failed: %s: %s\n", what, strerror(errno));
        return false;
    }
    return true;
}

/* The nth connector and the nth crtc are a pair on a virtual card. */
static bool open_card(int number) {
    uint32_t connectors[OUTPUTS_MAX] = {0}, crtcs[OUTPUTS_MAX] = {0};
    struct drm_mode_card_res resources = {
        .connector_id_ptr = (uintptr_t)connectors,
        .count_connectors = OUTPUTS_MAX,
        .crtc_id_ptr = (uintptr_t)crtcs,
        .count_crtcs = OUTPUTS_MAX,
    };
    char path[32];

    snprintf(path, sizeof(path), "/dev/dri/card%d", number);
    card = open(path, O_RDWR | O_CLOEXEC);
    if (card < 0 || !call(DRM_IOCTL_MODE_GETRESOURCES, &resources, "the card's resources"))
        return false;
    output_count = resources.count_crtcs < OUTPUTS_MAX ? resources.count_crtcs : OUTPUTS_MAX;
    for (uint32_t o = 0; o < output_count; o++) {
        outputs[o].connector = connectors[o];
        outputs[o].crtc = crtcs[o];
    }
    return output_count > 0;
}

static bool open_first_card(void) {
    for (int i = 0; i < CARDS_MAX; i++) {
        if (open_card(i))
            return true;
    }
    return false;
}

static bool open_card_at(const char *pci) {
    char pattern[80];
    glob_t found;
    int number = -1;

    snprintf(pattern, sizeof(pattern), "/sys/bus/pci/devices/%s/drm/card[0-9]*", pci);
    if (!glob(pattern, 0, NULL, &found)) {
        sscanf(strrchr(found.gl_pathv[0], '/'), "/card%d", &number);
        globfree(&found);
    }
    return number >= 0 && open_card(number);
}

/* Asking for no modes makes the kernel probe; the second call fetches what it found. */
static bool probe(const struct output *output, bool *connected) {
    struct drm_mode_get_connector connector = {.connector_id = output->connector};

    if (!call(DRM_IOCTL_MODE_GETCONNECTOR, &connector, "the connector"))
        return false;
    mode_count = connector.count_modes < MODES_MAX ? connector.count_modes : MODES_MAX;
    connector = (struct drm_mode_get_connector){
        .connector_id = output->connector,
        .modes_ptr = (uintptr_t)modes,
        .count_modes = mode_count,
    };
    if (!call(DRM_IOCTL_MODE_GETCONNECTOR, &connector, "the connector's modes"))
        return false;
    *connected = connector.connection == 1;
    return true;
}

static void list(void) {
    for (uint32_t o = 0; o < output_count; o++) {
        bool connected = false;

        if (!probe(&outputs[o], &connected))
            return;
        if (connected && mode_count)
            printf("KMS output %u connected %ux%u modes=%u\n", o, modes[0].hdisplay, modes[0].vdisplay, mode_count);
        else
            printf("KMS output %u disconnected\n", o);
    }
    printf("KMS listed %u\n", output_count);
}

static const struct drm_mode_modeinfo *find_mode(uint32_t width, uint32_t height) {
    for (uint32_t i = 0; i < mode_count; i++) {
        if (modes[i].hdisplay == width && modes[i].vdisplay == height)
            return &modes[i];
    }
    return NULL;
}

static uint8_t *map(const struct drm_mode_create_dumb *buffer) {
    struct drm_mode_map_dumb mapping = {.handle = buffer->handle};

    if (!call(DRM_IOCTL_MODE_MAP_DUMB, &mapping, "the buffer's offset"))
        return NULL;
    uint8_t *pixels = mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED, card, (off_t)mapping.offset);
    return pixels == MAP_FAILED ? NULL : pixels;
}

/* Row by row into the buffer; answers the CRC-32 of all visible bytes. */
static uint32_t paint(uint8_t *pixels, const struct drm_mode_create_dumb *buffer, uint32_t variant) {
    static uint32_t row[SIDE_MAX];
    uint32_t crc = 0;

    for (uint32_t y = 0; y < buffer->height; y++) {
        for (uint32_t x = 0; x < buffer->width; x++)
            row[x] = pattern_variant((int32_t)x, (int32_t)y, (int32_t)buffer->width, (int32_t)buffer->height, variant);
        memcpy(pixels + (size_t)y * buffer->pitch, row, (size_t)buffer->width * 4);
        crc = crc32_add(crc, row, (size_t)buffer->width * 4);
    }
    return crc;
}

static bool flush(const struct output *output) {
    struct drm_mode_fb_dirty_cmd dirty = {.fb_id = output->framebuffer};

    return call(DRM_IOCTL_MODE_DIRTYFB, &dirty, "a flush");
}

static void forget(struct output *output) {
    struct drm_mode_destroy_dumb destroy = {.handle = output->buffer};

    if (output->framebuffer)
        call(DRM_IOCTL_MODE_RMFB, &output->framebuffer, "the old framebuffer");
    if (output->buffer)
        call(DRM_IOCTL_MODE_DESTROY_DUMB, &destroy, "the old buffer");
    output->framebuffer = output->buffer = 0;
}

static void draw(struct output *output, uint32_t number, uint32_t width, uint32_t height, uint32_t variant) {
    struct drm_mode_create_dumb buffer = {.width = width, .height = height, .bpp = 32};
    struct drm_mode_fb_cmd framebuffer = {.width = width, .height = height, .bpp = 32, .depth = 24};
    struct drm_mode_crtc crtc = {.crtc_id = output->crtc, .count_connectors = 1, .mode_valid = 1};
    struct output old = *output;
    bool connected = false;

    if (!probe(output, &connected))
        return;
    const struct drm_mode_modeinfo *mode = find_mode(width, height);
    if (!connected || !mode || width > SIDE_MAX) {
        printf("KMS failed: output %u has no mode %ux%u\n", number, width, height);
        return;
    }
    if (!call(DRM_IOCTL_MODE_CREATE_DUMB, &buffer, "a buffer"))
        return;
    uint8_t *pixels = map(&buffer);
    if (!pixels)
        return;
    uint32_t crc = paint(pixels, &buffer, variant);
    munmap(pixels, buffer.size);
    framebuffer.pitch = buffer.pitch;
    framebuffer.handle = buffer.handle;
    crtc.mode = *mode;
    crtc.set_connectors_ptr = (uintptr_t)&output->connector;
    if (!call(DRM_IOCTL_MODE_ADDFB, &framebuffer, "a framebuffer"))
        return;
    crtc.fb_id = framebuffer.fb_id;
    if (!call(DRM_IOCTL_MODE_SETCRTC, &crtc, "the mode"))
        return;
    output->framebuffer = framebuffer.fb_id;
    output->buffer = buffer.handle;
    output->width = width;
    output->height = height;
    forget(&old);
    /* The driver queues a mode, a transfer and a flush, and returns: said is what has been done. */
    if (flush(output) && engine_settle(card))
        printf("KMS drawn %u %ux%u crc=%08x\n", number, width, height, crc);
}

static bool make_cursor(struct output *output) {
    struct drm_mode_create_dumb buffer = {.width = CURSOR_SIDE, .height = CURSOR_SIDE, .bpp = 32};
    struct drm_mode_cursor set = {.flags = DRM_MODE_CURSOR_BO, .width = CURSOR_SIDE, .height = CURSOR_SIDE};

    if (!call(DRM_IOCTL_MODE_CREATE_DUMB, &buffer, "the cursor's buffer"))
        return false;
    uint8_t *pixels = map(&buffer);
    if (!pixels)
        return false;
    output->cursor_crc = paint(pixels, &buffer, 1);
    munmap(pixels, buffer.size);
    set.crtc_id = output->crtc;
    set.handle = output->cursor = buffer.handle;
    return call(DRM_IOCTL_MODE_CURSOR, &set, "the cursor");
}

static void cursor(struct output *output, uint32_t number, uint32_t x, uint32_t y) {
    struct drm_mode_cursor move = {.flags = DRM_MODE_CURSOR_MOVE, .crtc_id = output->crtc, .x = (int)x, .y = (int)y};

    if (!output->cursor && !make_cursor(output))
        return;
    if (call(DRM_IOCTL_MODE_CURSOR, &move, "the cursor's place"))
        printf("KMS cursor %u %u %u crc=%08x\n", number, x, y, output->cursor_crc);
}

static struct picture picture_of(const struct output *output) {
    return (struct picture){
        .card = card, .handle = output->buffer, .width = output->width, .height = output->height,
    };
}

/* A line is there. fgets() has taken no more than one: a terminal gives them one by one. */
static bool is_told(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&input, 1, 0) == 1;
}

/* Looks for a line now and then only: what is measured is flushing. */
static void flushes(const struct output *output, uint32_t number, uint32_t times) {
    uint64_t start = clock_us();
    uint32_t done = 0;

    printf("KMS flushes %u\n", number);
    for (; done < times && (done % LOOK_EVERY || !is_told()); done++) {
        if (!flush(output))
            return;
    }
    printf("KMS flushed %u times=%u us=%llu\n", number, done, (unsigned long long)(clock_us() - start));
}

static void flood(const struct output *output, uint32_t number, uint32_t ms) {
    struct picture picture = picture_of(output);
    struct flood done;

    printf("KMS floods %u\n", number);
    if (engine_flood(&picture, ms * 1000ull, is_told, &done))
        printf("KMS flooded %u times=%llu us=%llu\n", number, (unsigned long long)done.times,
               (unsigned long long)done.took_us);
}

static void keep_pace(const struct output *output, uint32_t number, uint32_t times, uint32_t period, uint32_t rows) {
    struct picture picture = picture_of(output);
    struct pace pace;

    if (rows > output->height) {
        printf("KMS failed: output %u has %u rows, not %u\n", number, output->height, rows);
        return;
    }
    if (engine_pace(&picture, times, period, rows, &pace))
        printf("KMS paced %u times=%u late=%u p50=%llu p99=%llu max=%llu\n", number, pace.count, pace.late,
               (unsigned long long)pace.p50_us, (unsigned long long)pace.p99_us, (unsigned long long)pace.max_us);
}

static bool obey(const char *line) {
    uint32_t o = 0, a = 0, b = 0, c = 0;
    char what[8];

    if (!strncmp(line, "end", 3))
        return false;
    if (!strncmp(line, "stop", 4))
        return true;
    if (!strncmp(line, "list", 4))
        list();
    else if (sscanf(line, "draw %u %u %u %u", &o, &a, &b, &c) == 4 && o < output_count)
        draw(&outputs[o], o, a, b, c);
    else if (sscanf(line, "flush %u %u", &o, &a) == 2 && o < output_count)
        flushes(&outputs[o], o, a);
    else if (sscanf(line, "cursor %u %u %u", &o, &a, &b) == 3 && o < output_count)
        cursor(&outputs[o], o, a, b);
    else if (sscanf(line, "time %u %7s %u %u", &o, what, &a, &b) == 4 && o < output_count)
        kms_time(card, outputs[o].framebuffer, what, a, b);
    else if (sscanf(line, "flood %u %u", &o, &a) == 2 && o < output_count)
        flood(&outputs[o], o, a);
    else if (sscanf(line, "pace %u %u %u %u", &o, &a, &b, &c) == 4 && o < output_count)
        keep_pace(&outputs[o], o, a, b, c);
    else
        printf("KMS failed: no such order, or no such output: %s\n", line);
    return true;
}

int main(int argc, char **argv) {
    char line[120];

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 ? !open_card_at(argv[1]) : !open_first_card()) {
        printf("KMS failed: no card with outputs%s%s\n", argc > 1 ? " at " : "", argc > 1 ? argv[1] : "");
        return 1;
    }
    printf("KMS ready outputs=%u\n", output_count);
    while (fgets(line, sizeof(line), stdin) && obey(line))
        ;
    return 0;
}
