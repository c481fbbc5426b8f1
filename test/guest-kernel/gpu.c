/* SPDX-License-Identifier: MIT */
/*
 * virtio-gpu (virtio 1.2, 5.7) as a driver uses it, and as none would: pictures that are transferred, commands of any
 * words, floods of transfers, of doorbells, of nonsense. One picture, in memory that nothing else of this kernel uses.
 */
#include "virtio.h"

#define GPU 0x10501af4u
#define PICTURE_GPA 0xa00000ull /* between the kernel's end and the pages that Xen puts at the top of 16 MiB */
#define PICTURE_BYTES_MAX 0x400000ull
#define PIXEL_BYTES 4u

#define CREATE_2D 0x101u
#define SET_SCANOUT 0x103u
#define FLUSH 0x104u
#define TRANSFER 0x105u
#define ATTACH_BACKING 0x106u
#define OK_NODATA 0x1100u
#define FORMAT_B8G8R8X8 2u

#define SHRED_WIDTH 64u
#define SHRED_HEIGHT 16384u /* no picture may be higher */
#define SHRED_BYTES 4100u    /* no piece in the middle may be shorter than a page */
#define SHREDS (SHRED_WIDTH * SHRED_HEIGHT * PIXEL_BYTES / SHRED_BYTES + 1)
#define ENTRY_WORDS 4u

#define HEADER_WORDS 6u
#define CONTEXT_WORD 4u
#define WAIT_US 20000000ull
#define PACE_MAX 4096u
#define NEEDS_RESET 0x40u

static struct {
    uint32_t id, width, height;
} picture;

const char *gpu_start(uint64_t *value) {
    *value = virtio_find(GPU);
    picture.id = 0;
    return virtio_start();
}

static void put(unsigned slot, uint32_t type, uint32_t context, const uint32_t *words, unsigned count) {
    uint32_t *command = virtio_command(slot);

    command[0] = type;
    command[CONTEXT_WORD] = context;
    memcpy(command + HEADER_WORDS, words, count * sizeof(*words));
    virtio_submit(slot, (HEADER_WORDS + count) * (uint32_t)sizeof(*words));
}

/* Nothing else is under way. The answer's type, 0: none came. */
static uint32_t ask(uint32_t type, uint32_t context, const uint32_t *words, unsigned count) {
    uint32_t wanted = virtio_done() + 1;

    put(0, type, context, words, count);
    return virtio_wait(wanted, WAIT_US) ? virtio_answer(0) : 0;
}

#define ASK(type, ...) \
    ask(type, 0, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

const char *gpu_raw(const uint64_t *a, unsigned count, uint64_t *value) {
    uint32_t words[ARGUMENTS_MAX];

    for (unsigned i = 2; i < count; i++)
        words[i - 2] = (uint32_t)a[i];
    *value = ask((uint32_t)a[0], (uint32_t)a[1], words, count - 2);
    return *value ? NULL : "no answer";
}

static void put_transfer(unsigned slot, uint32_t rows) {
    const uint32_t words[] = {0, 0, picture.width, rows, 0, 0, picture.id, 0};

    put(slot, TRANSFER, 0, words, sizeof(words) / sizeof(words[0]));
}

/* Says what the answer was when it was another. */
static bool is_ok(uint32_t answer) {
    if (answer != OK_NODATA)
        say("GPU answered %x\n", (uint64_t)answer);
    return answer == OK_NODATA;
}

const char *gpu_picture(const uint64_t *a, uint64_t *value) {
    uint32_t id = (uint32_t)a[0], width = (uint32_t)a[1], height = (uint32_t)a[2], *pixels = reach(PICTURE_GPA);
    uint64_t count = (uint64_t)width * height;

    if (count * PIXEL_BYTES > PICTURE_BYTES_MAX)
        return "the picture is larger than its memory";
    for (uint64_t i = 0; i < count; i++)
        pixels[i] = (uint32_t)i * 2654435761u + (uint32_t)a[3];
    *value = crc32((uint8_t *)pixels, count * PIXEL_BYTES);
    if (!is_ok(ASK(CREATE_2D, id, FORMAT_B8G8R8X8, width, height)))
        return "no resource";
    if (!is_ok(ASK(ATTACH_BACKING, id, 1, (uint32_t)PICTURE_GPA, 0, (uint32_t)(count * PIXEL_BYTES), 0)))
        return "no backing";
    if (!is_ok(ASK(TRANSFER, 0, 0, width, height, 0, 0, id, 0)))
        return "no transfer";
    if (!is_ok(ASK(SET_SCANOUT, 0, 0, width, height, (uint32_t)a[4], id)))
        return "no scanout";
    picture.id = id;
    picture.width = width;
    picture.height = height;
    return is_ok(ASK(FLUSH, 0, 0, width, height, id, 0)) ? NULL : "no flush";
}

/*
 * The picture from then on is one whose transfer is as long a workload as the device's quotas allow: as many rows as
 * there can be, each shorter than its stride, from pieces as short as they can be, which touch nowhere, lie across the
 * ends of pages, and end in the middle of rows.
 */
const char *gpu_shreds(const uint64_t *a, uint64_t *value) {
    static uint32_t command[HEADER_WORDS + 2 + SHREDS * ENTRY_WORDS];
    uint32_t id = (uint32_t)a[0], wanted, *entry = command + HEADER_WORDS + 2;

    if (!is_ok(ASK(CREATE_2D, id, FORMAT_B8G8R8X8, SHRED_WIDTH, SHRED_HEIGHT)))
        return "no resource";
    memset(command, 0, sizeof(command));
    command[0] = ATTACH_BACKING;
    command[HEADER_WORDS] = id;
    command[HEADER_WORDS + 1] = SHREDS;
    for (uint32_t i = 0; i < SHREDS; i++, entry += ENTRY_WORDS) {
        entry[0] = (uint32_t)PICTURE_GPA + i % 500 * 8192 + SHRED_BYTES / 2;
        entry[2] = SHRED_BYTES;
    }
    wanted = virtio_done() + 1;
    (void)virtio_command(0);
    virtio_submit_from(0, command, sizeof(command));
    if (!virtio_wait(wanted, WAIT_US) || !is_ok(virtio_answer(0)))
        return "no backing";
    picture.id = id;
    picture.width = SHRED_WIDTH - 1;
    picture.height = SHRED_HEIGHT;
    *value = time_ns();
    if (!is_ok(ASK(TRANSFER, 0, 0, picture.width, picture.height, 0, 0, id, 0)))
        return "no transfer";
    *value = time_ns() - *value;
    return NULL;
}

const char *gpu_flood(const uint64_t *a, uint64_t *value) {
    uint64_t end = time_ns() + a[0] * 1000000;
    uint32_t depth = a[1] < SLOTS ? (uint32_t)a[1] : SLOTS, begin = virtio_done(), asked = 0;

    say("GPU floods\n");
    while (time_ns() < end) {
        uint32_t done = virtio_done() - begin;

        for (; asked - done < depth; asked++)
            put_transfer(asked % depth, picture.height);
        if (!virtio_wait(begin + done + 1, WAIT_US))
            return "no answer";
    }
    *value = virtio_done() - begin;
    return virtio_wait(begin + asked, WAIT_US) ? NULL : "the last ones are not answered";
}

const char *gpu_pace(const uint64_t *a, uint64_t *value) {
    static uint32_t took[PACE_MAX];
    unsigned count = a[0] && a[0] < PACE_MAX ? (unsigned)a[0] : PACE_MAX;
    uint64_t period_ns = a[1] * 1000, spread_us = a[3], next = time_ns(), random = 1;

    say("GPU paces\n");
    for (unsigned i = 0; i < count; i++) {
        uint32_t wanted = virtio_done() + 1;
        uint64_t start = time_ns(), now, begin;

        put_transfer(0, (uint32_t)a[2]);
        if (!virtio_wait(wanted, WAIT_US))
            return "no answer";
        took[i] = duration(start);
        now = time_ns();
        *value += took[i] > period_ns;
        next = next + period_ns > now ? next + period_ns : now;
        begin = next + (spread_us ? random_next(&random) % (spread_us * 1000) : 0);
        if (begin > now)
            sleep_us((begin - now) / 1000);
    }
    durations_say("PACE times", took, count);
    return NULL;
}

const char *gpu_bells(const uint64_t *a, uint64_t *value) {
    uint64_t end = time_ns() + a[0] * 1000000;

    say("GPU rings\n");
    for (; time_ns() < end; ++*value)
        virtio_bell();
    return NULL;
}

/* Random descriptors that point into our memory, beside it and nowhere; an index that may jump anywhere. */
static void scatter(uint64_t *random) {
    for (unsigned i = 0; i < RING_SIZE; i++) {
        uint64_t dice = random_next(random);

        virtio_ring.descriptor[i].address = dice & 1 ? PICTURE_GPA + (dice >> 8) % PICTURE_BYTES_MAX : dice >> 20;
        virtio_ring.descriptor[i].bytes = (uint32_t)(random_next(random) >> (40 + (dice >> 1) % 24));
        virtio_ring.descriptor[i].flags = (uint16_t)((dice >> 3) & 3);
        virtio_ring.descriptor[i].next = (uint16_t)((dice >> 5) % (RING_SIZE + 2));
        virtio_ring.available.head[i] = (uint16_t)((dice >> 48) % (RING_SIZE + 1));
    }
}

const char *gpu_nonsense(const uint64_t *a, uint64_t *value) {
    uint64_t random = a[0];

    say("GPU babbles\n");
    for (uint64_t i = 0; i < a[1]; i++) {
        uint64_t dice = random_next(&random);
        const char *error = NULL;

        if (virtio_status() & NEEDS_RESET) {
            ++*value;
            error = virtio_start();
        }
        if (error)
            return error;
        scatter(&random);
        virtio_ring.available.index += (uint16_t)(dice & 15 ? (dice >> 8) & 7 : dice >> 8);
        virtio_bell();
        sleep_us(200);
    }
    return NULL;
}

const char *gpu_rings(const uint64_t *a, uint64_t *value) {
    const char *error = virtio_start_at(a[0], a[1], a[2]);

    virtio_bell();
    sleep_us(2000);
    *value = virtio_status();
    return error;
}
