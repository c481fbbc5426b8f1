// SPDX-License-Identifier: MIT
/*
 * The life of one vGPU as Dom0 sees it (docs/CONTROL.md): specification written, the domain answers in `state`,
 * the guest's memory allowance grows by what the device's RAM will need; and back again.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "gbctl.h"

#define GUEST "/local/domain/%u/data/glovebox/vgpu/%u"
#define VGPU GUEST "/%u"

int vgpu_number(struct gb *gb, const char *text, uint32_t *number) {
    uint64_t value = 0;

    if (text && !parse_u64(text, VGPU_MAX - 1, &value))
        return gb_fail(gb, GB_USAGE, "vGPU number \"%s\": must be 0 to %d", text, VGPU_MAX - 1);
    *number = (uint32_t)value;
    return GB_OK;
}

static bool read_node(struct gb *gb, const struct driver *driver, uint32_t guest, struct vgpu *v) {
    static struct words spec; /* 6 KiB: too much for the stack of a loop */
    char text[STORE_VALUE_MAX + 1];
    const char *module;
    uint32_t n = v->number;

    /* Without text it is only the folder of nodes that the domain has still to remove. */
    if (!store_read(gb, text, sizeof(text), VGPU, driver->domid, guest, n) || !text[0])
        return false;
    words_parse(&spec, text);
    module = words_get(&spec, "module");
    snprintf(v->module, sizeof(v->module), "%s", module ? module : "");
    store_read(gb, v->state, sizeof(v->state), VGPU "/state", driver->domid, guest, n);
    store_read(gb, v->bdf, sizeof(v->bdf), VGPU "/bdf", driver->domid, guest, n);
    store_read(gb, v->error, sizeof(v->error), VGPU "/error", driver->domid, guest, n);
    if (store_read(gb, text, sizeof(text), VGPU "/ram_bytes", driver->domid, guest, n) &&
        !parse_u64(text, UINT64_MAX, &v->ram_bytes))
        v->ram_bytes = UINT64_MAX; /* not a number: beyond every limit */
    return true;
}

int vgpu_read(struct gb *gb, const struct driver *driver, uint32_t guest, uint32_t number, struct vgpu *out) {
    memset(out, 0, sizeof(*out));
    out->number = number;
    if (!read_node(gb, driver, guest, out))
        return gb_fail(gb, GB_NOT_FOUND, "guest %u has no vGPU %u on driver domain %u (%s)", guest, number,
                       driver->domid, driver->name);
    return GB_OK;
}

uint32_t vgpu_list(struct gb *gb, const struct driver *driver, uint32_t guest, struct vgpu *out, uint32_t max) {
    uint32_t found = 0;

    for (uint32_t n = 0; n < VGPU_MAX && found < max; n++) {
        memset(&out[found], 0, sizeof(out[found]));
        out[found].number = n;
        if (read_node(gb, driver, guest, &out[found]))
            found++;
    }
    return found;
}

static size_t put_params(const struct param *param, uint32_t count, char *out, size_t size) {
    size_t used = 0;

    for (uint32_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, " %s=%llu", param[i].name,
                                 (unsigned long long)param[i].value);
    return used;
}

static int make_spec(struct gb *gb, const struct domain *guest, const struct module_wish *wish, char *out,
                     size_t size) {
    size_t used;

    if (guest->type != GUEST_PVH && guest->type != GUEST_HVM)
        return gb_fail(gb, GB_FAILED, "guest %u (%s) is of type %s: only PVH and HVM guests can have a vGPU",
                       guest->domid, guest->name, guest_type_name(guest->type));
    if (guest->type == GUEST_HVM && !wish->slot)
        return gb_fail(gb, GB_USAGE, "guest %u (%s) is an HVM guest: --slot must name a free slot on its PCI bus 0",
                       guest->domid, guest->name);
    used = (size_t)snprintf(out, size, "module=%s guest=%s", wish->name, guest_type_name(guest->type));
    if (wish->slot)
        used += (size_t)snprintf(out + used, size - used, " slot=%u", wish->slot);
    used += wish_put_scheduling(wish, out + used, size - used);
    used += put_params(wish->param, wish->param_count, out + used, size - used);
    put_params(wish->fitted, wish->fitted_count, out + used, size - used);
    return GB_OK;
}

struct state_wait {
    const struct driver *driver;
    uint32_t guest;
    struct vgpu *vgpu;
};

static int check_state(struct gb *gb, void *arg) {
    struct state_wait *wait = arg;
    struct domain_life life;
    int error = vgpu_read(gb, wait->driver, wait->guest, wait->vgpu->number, wait->vgpu);

    if (!error && !strcmp(wait->vgpu->state, "ready"))
        return GB_OK;
    if (!error && (!strcmp(wait->vgpu->state, "refused") || !strcmp(wait->vgpu->state, "lost")))
        return gb_fail(gb, GB_FAILED, "%s: %s", wait->vgpu->state,
                       wait->vgpu->error[0] ? wait->vgpu->error : "the driver domain gives no reason");
    if (domain_life(gb, wait->driver->domid, &life))
        return GB_FAILED;
    if (!life.exists || life.dying || life.shutdown)
        return gb_fail(gb, GB_FAILED, "driver domain %u (%s) has gone", wait->driver->domid, wait->driver->name);
    return error ? gb_fail(gb, GB_FAILED, "its specification was removed by someone else") : STORE_WAIT;
}

static int wait_state(struct gb *gb, const struct driver *driver, uint32_t guest, struct vgpu *v) {
    struct state_wait wait = {driver, guest, v};
    char path[STORE_PATH_MAX];
    int error;

    snprintf(path, sizeof(path), VGPU, driver->domid, guest, v->number);
    error = store_wait(gb, path, check_state, &wait);
    if (error == GB_TIMED_OUT)
        return gb_fail(gb, error, "not ready within %u s; its state is \"%s\"", gb->opt.timeout_s,
                       v->state[0] ? v->state : "none");
    return error;
}

static int accept_ram(struct gb *gb, const struct domain *guest, const struct vgpu *v) {
    if (v->ram_bytes > RAM_BYTES_MAX)
        return gb_fail(gb, GB_FAILED, "the driver domain asks for %llu bytes of RAM, the limit is %llu",
                       (unsigned long long)v->ram_bytes, RAM_BYTES_MAX);
    return domain_grow_max(gb, guest->domid, v->ram_bytes);
}

static int write_spec(struct gb *gb, const struct driver *driver, const struct domain *guest, const char *spec,
                      uint32_t *number) {
    char text[8];

    for (uint32_t n = 0; n < VGPU_MAX; n++) {
        if (store_read(gb, text, sizeof(text), VGPU, driver->domid, guest->domid, n) && text[0])
            continue;
        *number = n;
        return store_write(gb, spec, VGPU, driver->domid, guest->domid, n);
    }
    return gb_fail(gb, GB_FAILED, "guest %u (%s) has %d vGPUs already, the limit", guest->domid, guest->name, VGPU_MAX);
}

static int wire(struct gb *gb, const struct driver *driver, const struct domain *guest, const char *spec,
                const char *module, struct vgpu *out) {
    int error = lock_take(gb);

    /* Two gbctl at once must not choose the same number. */
    if (!error)
        error = write_spec(gb, driver, guest, spec, &out->number);
    lock_give(gb);
    if (error)
        return error;
    error = wait_state(gb, driver, guest->domid, out);
    if (!error)
        error = accept_ram(gb, guest, out);
    if (!error)
        return GB_OK;
    store_remove(gb, VGPU, driver->domid, guest->domid, out->number);
    return gb_because(gb, error, "guest %u (%s) vgpu %u (%s)", guest->domid, guest->name, out->number, module);
}

/* The guest stands still meanwhile: it must not meet the device before its allowance has room for the device's RAM. */
int vgpu_attach(struct gb *gb, const struct driver *driver, const struct domain *guest, const struct module_wish *wish,
                struct vgpu *out) {
    char spec[STORE_VALUE_MAX];
    int error = make_spec(gb, guest, wish, spec, sizeof(spec));

    memset(out, 0, sizeof(*out));
    if (!error)
        error = domain_pause(gb, guest->domid);
    if (error)
        return error;
    domain_forbid_save(gb, guest);
    error = wire(gb, driver, guest, spec, wish->name, out);
    domain_unpause(gb, guest->domid);
    return error;
}

/* How often the domain is asked whether it has let go. */
#define GONE_RETRY_MS 50

/*
 * Removing the specification removes its `state` too, so the nodes cannot tell when the domain has let go; its
 * answer to `stat` can.
 */
static int wait_gone(struct gb *gb, const struct driver *driver, uint32_t guest, uint32_t number) {
    static struct words words;
    int error = request_begin(gb);

    while (!error) {
        error = request(gb, driver, &words, "stat %u %u", guest, number);
        if (error)
            break;
        if (!clock_left_ms(gb->deadline_ns) || signals_seen())
            error = gb_fail(gb, GB_TIMED_OUT, "it still has it after %u s", gb->opt.timeout_s);
        else
            poll(NULL, 0, GONE_RETRY_MS);
    }
    request_end(gb);
    return error == GB_NOT_FOUND ? GB_OK : error;
}

int vgpu_detach(struct gb *gb, const struct driver *driver, const struct domain *guest, uint32_t number) {
    struct vgpu v;
    int error = vgpu_read(gb, driver, guest->domid, number, &v);

    if (error)
        return error;
    if (!store_remove(gb, VGPU, driver->domid, guest->domid, number))
        return gb_fail(gb, GB_FAILED, "cannot remove the specification of guest %u vgpu %u", guest->domid, number);
    error = wait_gone(gb, driver, guest->domid, number);
    if (error)
        return gb_because(gb, error, "guest %u vgpu %u", guest->domid, number);
    if (v.ram_bytes <= RAM_BYTES_MAX && !strcmp(v.state, "ready"))
        domain_shrink_max(gb, guest->domid, v.ram_bytes);
    return GB_OK;
}

void vgpu_json(struct json *j, const struct vgpu *v) {
    json_open(j, NULL, '{');
    json_number(j, "number", v->number);
    json_string(j, "module", v->module);
    json_string(j, "state", v->state);
    json_string(j, "bdf", v->bdf);
    json_number(j, "ram_bytes", v->ram_bytes);
    if (v->error[0])
        json_string(j, "error", v->error);
    json_close(j, '}');
}
