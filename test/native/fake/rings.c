/* SPDX-License-Identifier: MIT */
/* Dom0's ends of the console ring and the xenstore ring. */
#include <string.h>

#include "fake.h"
#include "machine.h"

#define CONSOLE_BYTES 65536u

static struct xencons_interface *console;
static struct xenstore_domain_interface *store;
static char text[CONSOLE_BYTES];
static uint32_t text_bytes;
static bool stalled;

void fake_rings_init(struct start_info *info) {
    info->console.domU.mfn = fake_frame_new(DOMID_SELF);
    info->console.domU.evtchn = fake_console_port();
    info->store_mfn = fake_frame_new(DOMID_SELF);
    info->store_evtchn = fake_store_port();
    console = (struct xencons_interface *)fake_frame(info->console.domU.mfn);
    store = (struct xenstore_domain_interface *)fake_frame(info->store_mfn);
}

const char *fake_console(void) {
    while (console && !stalled && console->out_cons != console->out_prod && text_bytes < CONSOLE_BYTES - 1) {
        text[text_bytes++] = console->out[MASK_XENCONS_IDX(console->out_cons, console->out)];
        console->out_cons++;
    }
    return text;
}

void fake_console_stalled(bool yes) {
    stalled = yes;
}

const struct xsd_sockmsg *fake_store_take(uint32_t bytes) {
    static struct {
        struct xsd_sockmsg header;
        char payload[XENSTORE_PAYLOAD_MAX];
    } message;
    static uint32_t got;
    while (bytes-- && store->req_cons != store->req_prod) {
        ((char *)&message)[got++] = store->req[MASK_XENSTORE_IDX(store->req_cons)];
        store->req_cons++;
        if (got >= sizeof(message.header) && got == sizeof(message.header) + message.header.len) {
            got = 0;
            fake_raise(fake_store_port());
            return &message.header;
        }
    }
    fake_raise(fake_store_port());
    return NULL;
}

uint32_t fake_store_put(const void *bytes, uint32_t len) {
    uint32_t done = 0;
    while (done < len && store->rsp_prod - store->rsp_cons < XENSTORE_RING_SIZE) {
        store->rsp[MASK_XENSTORE_IDX(store->rsp_prod)] = ((const char *)bytes)[done++];
        store->rsp_prod++;
    }
    fake_raise(fake_store_port());
    return done;
}

void fake_store_corrupt(void) {
    store->rsp_prod = store->rsp_cons + XENSTORE_RING_SIZE + 1;
    fake_raise(fake_store_port());
}
