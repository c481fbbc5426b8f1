/* SPDX-License-Identifier: MIT */
/*
 * Runs the table in a domain that is otherwise whole: its core and modules live, serve and are asked from Dom0 before
 * and after. The image is linked with --wrap, so that no line of the shim knows of it:
 *
 *   cmdline_init      cuts our words off the command line before the core reads it
 *   core_on_idle      one row each time that the loop has nothing better to do
 *   core_on_xenstore  takes answers to our requests
 *   trap              (catch.c) ends a row that trapped
 *
 * Command line: "wait=block probe target=N other=N server=N self=N". It begins when the target
 * lets us be its device model, and says so in lines "PROBE <row>: refused <how>" or "PROBE <row>: ALLOWED" on the
 * domain's console.
 */
#include <string.h>

#include "cmdline.h"
#include "console.h"
#include "dm_op.h"
#include "probe.h"
#include "shim.h"

void __wrap_cmdline_init(const struct start_info *info);
void __real_cmdline_init(const struct start_info *info);
uint32_t __wrap_core_on_idle(void);
uint32_t __real_core_on_idle(void);
void __wrap_core_on_xenstore(uint32_t type, uint32_t req_id, uint32_t len);
void __real_core_on_xenstore(uint32_t type, uint32_t req_id, uint32_t len);

struct world world;

static enum { OFF, WAIT_TARGET, RUN, STORE, WAIT_END, LATE } state;
static uint32_t table, row;
static uint32_t lines;

/* --- the command line --------------------------------------------------------------------------------------------- */

static uint32_t number_after(const char *line, const char *key) {
    uint32_t number = 0;
    uint64_t length = 0;
    while (key[length])
        length++;
    for (; *line; line++) {
        if (memcmp(line, key, length))
            continue;
        for (line += length; *line >= '0' && *line <= '9'; line++)
            number = number * 10 + (uint32_t)(*line - '0');
        break;
    }
    return number;
}

void __wrap_cmdline_init(const struct start_info *info) {
    static struct start_info shown;
    const char marker[] = " probe ";
    char *line = (char *)shown.cmd_line;
    shown = *info;
    world.info = info;
    for (uint32_t i = 0; i + sizeof(marker) <= MAX_GUEST_CMDLINE && line[i]; i++) {
        if (memcmp(line + i, marker, sizeof(marker) - 1))
            continue;
        world.target = (domid_t)number_after(line + i, " target=");
        world.other = (domid_t)number_after(line + i, " other=");
        world.server = (ioservid_t)number_after(line + i, " server=");
        world.self = (domid_t)number_after(line + i, " self=");
        state = WAIT_TARGET;
        line[i] = 0;
        break;
    }
    __real_cmdline_init(&shown);
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

void probe_line(const char *name, enum subject subject, const char *refused) {
    static const char *const at[] = {"", "@self", "@target", "@other", "@dom0"};
    console_text("PROBE ");
    console_text(name);
    console_text(at[subject]);
    console_text(refused ? ": refused " : ": ALLOWED");
    if (refused)
        console_text(refused);
    console_line_end();
    lines++;
}

static void say(const char *what) {
    console_text("PROBES ");
    console_text(what);
    console_text(" after ");
    console_decimal(lines);
    console_line_end();
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static const struct probe_table *const tables[] = {
    &toolstack_probes, &memory_probes,    &mapping_probes,   &device_model_probes,
    &event_probes,     &grant_probes,     &interrupt_probes, &processor_probes,
};
#define TABLES (sizeof(tables) / sizeof(*tables))

static void run(const struct probe *probe) {
    const domid_t ids[] = {DOMID_SELF, world.self, world.target, world.other, 0};
    probe_line(probe->name, probe->subject, probe->run(ids[probe->subject]));
}

static bool run_next(void) {
    while (table < TABLES && row == tables[table]->count) {
        table++;
        row = 0;
    }
    if (table == TABLES)
        return false;
    run(&tables[table]->rows[row++]);
    return true;
}

static void begin(void) {
    console_wait_for_room();
    late_prepare();
    say("begin");
    state = RUN;
}

static bool step(void) {
    switch (state) {
    case OFF:
        return false;
    case WAIT_TARGET: /* -EPERM until Dom0 has made it our target */
        if (dm_op_nr_vcpus(world.target) <= 0)
            return false;
        begin();
        return true;
    case RUN:
        if (!run_next())
            state = STORE;
        return true;
    case STORE: /* the answers come by event */
        if (store_step())
            return false;
        say("wait");
        state = WAIT_END;
        return false;
    case WAIT_END: /* -EPERM while it is there */
        if (dm_op_nr_vcpus(world.other) != -XEN_ESRCH)
            return false;
        state = LATE;
        return true;
    case LATE:
        for (uint32_t i = 0; i < late_probes.count; i++)
            run(&late_probes.rows[i]);
        say("end");
        state = OFF;
        return false;
    }
    return false;
}

uint32_t __wrap_core_on_idle(void) {
    uint32_t more = __real_core_on_idle();
    return step() || more;
}

void __wrap_core_on_xenstore(uint32_t type, uint32_t req_id, uint32_t len) {
    if (!store_answer(type, req_id, len))
        __real_core_on_xenstore(type, req_id, len);
}
