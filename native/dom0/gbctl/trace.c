// SPDX-License-Identifier: MIT
/*
 * trace: the driver domain's trace ring, oldest record first. The record is drawn in unikernel/core/trace/ring.ts;
 * the whole ring fits into one share.
 */
#include <stdlib.h>

#include "gbctl.h"

struct record {
    uint64_t time_ns;
    uint16_t domid;
    uint8_t vgpu, kind, flags, size;
    uint16_t count;
    uint64_t addr, data;
};

#define RECORD_BYTES 32
#define KIND_EVENT 0x80 /* from here on it is no ioreq */
#define FLAG_READ 1     /* native/include/shim.h: IOREQ_FLAG_* */
#define FLAG_DF 2
#define FLAG_DATA_IS_PTR 4
#define NO_VGPU 0xff

static uint64_t little(const uint8_t *at, uint32_t bytes) {
    uint64_t value = 0;

    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static struct record decode(const uint8_t *at) {
    return (struct record){
        .time_ns = little(at, 8),
        .domid = (uint16_t)little(at + 8, 2),
        .vgpu = at[10],
        .kind = at[11],
        .flags = at[12],
        .size = at[13],
        .count = (uint16_t)little(at + 14, 2),
        .addr = little(at + 16, 8),
        .data = little(at + 24, 8),
    };
}

static const char *kind_name(uint8_t kind) {
    switch (kind) { /* xen/hvm/ioreq.h: IOREQ_TYPE_*; unikernel/core/trace/ring.ts: TRACE_* */
    case 0x00:
        return "pio";
    case 0x01:
        return "mmio";
    case 0x02:
        return "config";
    case 0x07:
        return "timeoffset";
    case 0x08:
        return "invalidate";
    case 0x80:
        return "attach";
    case 0x81:
        return "detach";
    case 0x82:
        return "lost";
    case 0x83:
        return "bar-map";
    case 0x84:
        return "bar-unmap";
    case 0x85:
        return "irq";
    case 0x86:
        return "scanout";
    case 0x87:
        return "reset";
    case 0x88:
        return "quarantine";
    case 0x89:
        return "replace";
    case 0x8a:
        return "warn";
    case 0x8b:
        return "throttle";
    default:
        return "unknown";
    }
}

static void print_text(const struct record *r) {
    printf("%5llu.%09llu  guest %u", (unsigned long long)(r->time_ns / 1000000000),
           (unsigned long long)(r->time_ns % 1000000000), r->domid);
    if (r->vgpu != NO_VGPU)
        printf(" vgpu %u", r->vgpu);
    printf("  %-10s", kind_name(r->kind));
    if (r->kind < KIND_EVENT)
        printf(" %-5s %u x %u%s%s", r->flags & FLAG_READ ? "read" : "write", r->count, r->size,
               r->flags & FLAG_DF ? " df" : "", r->flags & FLAG_DATA_IS_PTR ? " ptr" : "");
    printf("  addr 0x%llx  data 0x%llx\n", (unsigned long long)r->addr, (unsigned long long)r->data);
}

/* 64-bit addresses go as text: a JSON reader may round them. */
static void json_hex(struct json *j, const char *key, uint64_t value) {
    char text[20];

    snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
    json_string(j, key, text);
}

static void print_json(struct json *j, const struct record *r) {
    json_open(j, NULL, '{');
    json_number(j, "time_ns", r->time_ns);
    json_number(j, "guest", r->domid);
    if (r->vgpu != NO_VGPU)
        json_number(j, "vgpu", r->vgpu);
    json_string(j, "kind", kind_name(r->kind));
    if (r->kind < KIND_EVENT) {
        json_bool(j, "read", r->flags & FLAG_READ);
        json_bool(j, "df", r->flags & FLAG_DF);
        json_bool(j, "data_is_ptr", r->flags & FLAG_DATA_IS_PTR);
        json_number(j, "size", r->size);
        json_number(j, "count", r->count);
    }
    json_hex(j, "addr", r->addr);
    json_hex(j, "data", r->data);
    json_close(j, '}');
}

static void print_all(const struct gb *gb, const uint8_t *ring, size_t bytes, uint64_t dropped, int64_t only_guest) {
    struct json j = {.to = stdout};

    if (gb->opt.json) {
        json_open(&j, NULL, '{');
        json_number(&j, "dropped", dropped);
        json_open(&j, "records", '[');
    }
    for (size_t at = 0; at + RECORD_BYTES <= bytes; at += RECORD_BYTES) {
        struct record r = decode(ring + at);

        if (only_guest >= 0 && r.domid != only_guest)
            continue;
        if (gb->opt.json)
            print_json(&j, &r);
        else
            print_text(&r);
    }
    if (gb->opt.json) {
        json_close(&j, ']');
        json_close(&j, '}');
        json_end(&j);
    } else if (dropped) {
        fprintf(stderr, "gbctl: %llu older records were overwritten\n", (unsigned long long)dropped);
    }
}

static int read_ring(struct gb *gb, const struct driver *driver, uint8_t *ring, size_t *bytes, uint64_t *dropped) {
    static struct words words;
    uint64_t records = 0;
    int error = request(gb, driver, &words, "trace 0 %u", gb->self);

    *bytes = 0;
    *dropped = 0;
    if (error)
        return error;
    words_u64(&words, "records", UINT32_MAX, &records);
    words_u64(&words, "dropped", UINT64_MAX, dropped);
    if (records)
        error = share_copy(gb, driver, &words, ring, SHARE_PAGES_MAX * XEN_PAGE_BYTES, bytes);
    if (!error)
        error = request(gb, driver, &words, "release");
    return error;
}

int trace_run(struct gb *gb) {
    struct domain guest;
    struct driver driver;
    uint64_t dropped;
    size_t bytes;
    uint8_t *ring;
    int error = domain_find(gb, gb->opt.operand[0], &guest);

    if (!error)
        error = driver_of_guest(gb, guest.domid, guest.name, &driver);
    if (error)
        return error;
    ring = malloc(SHARE_PAGES_MAX * XEN_PAGE_BYTES);
    if (!ring)
        return gb_fail(gb, GB_FAILED, "out of memory");
    error = request_begin(gb);
    if (!error)
        error = read_ring(gb, &driver, ring, &bytes, &dropped);
    request_end(gb);
    if (!error && gb->opt.output)
        error = trace_file_write(gb, &driver, guest.domid, ring, bytes, dropped, gb->opt.output);
    else if (!error && gb->opt.raw)
        fwrite(ring, 1, bytes, stdout);
    else if (!error)
        print_all(gb, ring, bytes, dropped, guest.domid);
    free(ring);
    return error;
}
