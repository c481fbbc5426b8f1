/* SPDX-License-Identifier: MIT */
/* The PV console's ring, both ways. */
#include <stdarg.h>

#include "kernel.h"

#include <xen/xen.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>

static volatile struct xencons_interface *ring;
static uint32_t port;

void console_start(void) {
    ring = (void *)(uintptr_t)(hvm_parameter(HVM_PARAM_CONSOLE_PFN) << 12);
    port = (uint32_t)hvm_parameter(HVM_PARAM_CONSOLE_EVTCHN);
}

static void put(char c) {
    while (ring->out_prod - ring->out_cons >= sizeof(ring->out)) {
        event_send(port);
        sleep_us(200);
    }
    ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = c;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    ring->out_prod++;
}

static void put_number(uint64_t value, unsigned base) {
    char digits[20];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n)
        put(digits[--n]);
}

static void put_signed(int64_t value) {
    if (value < 0)
        put('-');
    put_number(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

static void put_text(const char *text) {
    while (*text)
        put(*text++);
}

void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            put_text(va_arg(args, const char *));
            break;
        case 'd':
            put_signed(va_arg(args, int64_t));
            break;
        case 'x':
            put_number(va_arg(args, uint64_t), 16);
            break;
        default:
            put_number(va_arg(args, uint64_t), 10);
        }
    }
    va_end(args);
    event_send(port);
}

static char get(void) {
    char c;
    while (ring->in_cons == ring->in_prod)
        event_wait(port);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    c = ring->in[MASK_XENCONS_IDX(ring->in_cons, ring->in)];
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    ring->in_cons++;
    return c;
}

/* Up to a line's end, of either kind. */
void console_line(char *out, size_t size) {
    size_t n = 0;
    for (char c = get(); c != '\n' && c != '\r'; c = get()) {
        if (n < size - 1)
            out[n++] = c;
    }
    out[n] = '\0';
}
