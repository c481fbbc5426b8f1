/* SPDX-License-Identifier: MIT */
/*
 * native/xen/xenstore.c with a xenstored that does what the input says: bytes into the response ring, bytes out of the
 * request ring, messages to be sent, counters scribbled over. As long as nobody scribbles, what arrives is what was
 * put, byte for byte and in order, and so is what leaves; a panic is right only for a header that makes no sense.
 *
 *   step: ┌ what u8 ┬ number u8 ┬ (PUT: that many bytes + 1) ...
 */
#include <setjmp.h>

#include "xenstore.c"

#include "parser.h"

#define STREAM_MAX 65536u
enum { PUT, PUT_MESSAGE, TAKE, SEND, SCRIBBLE, WHATS };

struct stream {
    uint8_t bytes[STREAM_MAX];
    uint32_t length, at; /* `at`: as far as the other side has it */
};

static struct stream in, out;
static struct xenstore_domain_interface *daemon_ring;
static uint8_t *core_memory;
static jmp_buf panicked;
static bool scribbled;
static event_handler *wake;

/* --- what the shim asks of others --- */

_Noreturn void panic(const char *what, uint64_t a, uint64_t b) {
    (void)what, (void)a, (void)b;
    longjmp(panicked, 1);
}

void event_attach(evtchn_port_t which, event_handler *handler, uint32_t a, uint32_t b) {
    (void)which, (void)a, (void)b;
    wake = handler;
}

void event_send(evtchn_port_t which) {
    WANT(which == 7);
}

void *machine_va(uint64_t mfn) {
    (void)mfn;
    return daemon_ring;
}

uint8_t *core_bytes(uint32_t ptr, uint32_t len) {
    WANT(ptr == 0 && len <= XENSTORE_PAYLOAD_MAX);
    return core_memory;
}

uint32_t core_xenstore_buffer(void) {
    return 0;
}

static struct xsd_sockmsg header_in(void) {
    struct xsd_sockmsg header = {0};

    if (in.length - in.at >= sizeof(header))
        memcpy(&header, in.bytes + in.at, sizeof(header));
    return header;
}

void core_on_xenstore(uint32_t type, uint32_t req_id, uint32_t len) {
    struct xsd_sockmsg header = header_in();

    WANT(len <= XENSTORE_PAYLOAD_MAX && type < XS_TYPE_COUNT);
    if (scribbled)
        return;
    WANT(in.length - in.at >= sizeof(header) + len);
    WANT(header.type == type && header.req_id == req_id && header.len == len);
    WANT(memcmp(core_memory, in.bytes + in.at + sizeof(header), len) == 0);
    in.at += (uint32_t)sizeof(header) + len;
}

/* --- xenstored --- */

static void put(const uint8_t *bytes, uint32_t length) {
    for (uint32_t i = 0; i < length && in.length < STREAM_MAX; i++) {
        if (daemon_ring->rsp_prod - daemon_ring->rsp_cons >= XENSTORE_RING_SIZE) {
            wake(0, 0);
            (void)xenstore_service();
        }
        if (daemon_ring->rsp_prod - daemon_ring->rsp_cons >= XENSTORE_RING_SIZE)
            return;
        daemon_ring->rsp[MASK_XENSTORE_IDX(daemon_ring->rsp_prod)] = (char)bytes[i];
        daemon_ring->rsp_prod++;
        in.bytes[in.length++] = bytes[i];
    }
}

static void put_message(uint32_t number) {
    uint8_t message[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
    struct xsd_sockmsg header = {.type = number % XS_TYPE_COUNT, .req_id = number, .len = number * 16};

    memcpy(message, &header, sizeof(header));
    for (uint32_t i = 0; i < header.len; i++)
        message[sizeof(header) + i] = (uint8_t)(i * 7 + number);
    put(message, (uint32_t)sizeof(header) + header.len);
}

static void take(uint32_t number) {
    for (; number && daemon_ring->req_cons != daemon_ring->req_prod; number--, daemon_ring->req_cons++) {
        if (scribbled)
            continue;
        WANT(out.at < out.length);
        WANT((uint8_t)daemon_ring->req[MASK_XENSTORE_IDX(daemon_ring->req_cons)] == out.bytes[out.at]);
        out.at++;
    }
}

static void send(uint32_t number) {
    uint32_t length = number * 17;
    struct xsd_sockmsg header = {.type = number % (XS_TYPE_COUNT + 1), .req_id = number, .len = length};
    uint32_t taken = length < XENSTORE_PAYLOAD_MAX ? length : XENSTORE_PAYLOAD_MAX;

    for (uint32_t i = 0; i < taken; i++)
        core_memory[i] = (uint8_t)(i * 5 + number);
    if (out.length + sizeof(header) + taken > STREAM_MAX ||
        shim_xenstore_send(header.type, header.req_id, 0, length) != 0)
        return;
    memcpy(out.bytes + out.length, &header, sizeof(header));
    memcpy(out.bytes + out.length + sizeof(header), core_memory, length);
    out.length += (uint32_t)sizeof(header) + length;
}

static void scribble(uint32_t number) {
    XENSTORE_RING_IDX *const counters[] = {&daemon_ring->req_cons, &daemon_ring->req_prod, &daemon_ring->rsp_cons,
                                           &daemon_ring->rsp_prod};

    scribbled = true;
    *counters[number % 4] += number < 128 ? number / 4 : ~0u << (number % 32);
}

static void boot(void) {
    static const struct start_info info = {.store_mfn = 1, .store_evtchn = 7};

    if (!daemon_ring) {
        daemon_ring = malloc(sizeof(*daemon_ring));
        core_memory = malloc(XENSTORE_PAYLOAD_MAX);
    }
    WANT(daemon_ring && core_memory);
    memset(daemon_ring, 0, sizeof(*daemon_ring));
    in.length = in.at = out.length = out.at = 0;
    incoming_bytes = outgoing_bytes = outgoing_sent = 0;
    scribbled = false;
    xenstore_init(&info);
}

static void play(const uint8_t *bytes, size_t length) {
    for (size_t at = 0; at + 2 <= length;) {
        uint32_t what = bytes[at] % WHATS, number = bytes[at + 1];
        uint32_t count = what == PUT ? number + 1 : 0;

        at += 2;
        if (count > length - at)
            count = (uint32_t)(length - at);
        if (what == PUT)
            put(bytes + at, count);
        else if (what == PUT_MESSAGE)
            put_message(number);
        else if (what == TAKE)
            take(number * 4);
        else if (what == SEND)
            send(number);
        else
            scribble(number);
        at += count;
        wake(0, 0);
        while (xenstore_service())
            ;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    boot();
    if (setjmp(panicked) == 0) {
        play(bytes, length);
        WANT(scribbled || in.length - in.at < sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX);
    } else {
        struct xsd_sockmsg header = header_in();

        WANT(scribbled || header.len > XENSTORE_PAYLOAD_MAX || header.type >= XS_TYPE_COUNT);
    }
    return 0;
}
