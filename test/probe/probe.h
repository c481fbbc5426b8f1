/* SPDX-License-Identifier: MIT */
/*
 * What a driver domain might try and must not get: the table of probes, and what its rows share.
 *
 * A row names an operation by Xen's own identifier, whom it is aimed at, and what it would give. `run` tries it and
 * answers NULL when Xen let it happen, else a word for how it was refused. Every row is well formed: it would work
 * for a domain that may do it. docs/THREAT_MODEL.md lists the rows with the answers that Xen must give;
 * test/tidy/threat_model.test.ts holds the two together, test/xen/privilege.test.ts runs them.
 */
#ifndef GLOVEBOX_PROBE_H
#define GLOVEBOX_PROBE_H

/* Xen's headers show the toolstack's operations only to the toolstack. */
#define __XEN_TOOLS__ 1
#include "hypercalls.h"
#include "shim_limits.h"

enum subject {
    NOBODY, /* no domain is meant */
    SELF,
    TARGET, /* the guest whose device model we are: Xen's d->target */
    OTHER,  /* a guest that is none of our business */
    DOM0,
};

struct probe {
    const char *name;
    enum subject subject;
    const char *reason;
    const char *(*run)(domid_t subject);
};

struct probe_table {
    const struct probe *rows;
    uint32_t count;
};

#define PROBE_TABLE(rows) \
    { (rows), sizeof(rows) / sizeof(*(rows)) }

extern const struct probe_table toolstack_probes, memory_probes, mapping_probes, device_model_probes, event_probes,
    grant_probes, interrupt_probes, processor_probes, late_probes;

/* Who is who; from the command line, for under FLASK a domain cannot find out its own number. */
struct world {
    const struct start_info *info;
    domid_t self, target, other;
    ioservid_t server; /* of another emulator, on our target */
};
extern struct world world;

/* --- words for answers: NULL when rc says that it was done (word.c) ----------------------------------------------- */
const char *errno_word(long rc);
const char *grant_word(int status);
/* Operations that answer with how many extents they did. */
const char *extents_word(long done);

/* --- running what may trap (catch.c) ------------------------------------------------------------------------------ */
/* NULL, or the name of the trap that ended `run`. */
const char *catch(void (*run)(void *), void *argument);

/* --- event channels for more than one table (event.c) ------------------------------------------------------------- */
bool port_is_pending(evtchn_port_t port);
/* Binds what must never ring, before the thing that would ring it happens. */
void late_prepare(void);

/* --- xenstore (store.c) ------------------------------------------------------------------------------------------- */
/* Sends the next request when the last has been answered; false when there is none left. */
bool store_step(void);
/* True when the message was ours. */
bool store_answer(uint32_t type, uint32_t req_id, uint32_t len);
/* Events of the watch that store.c leaves behind. */
uint32_t store_watch_events(void);

/* --- the log (run.c) ---------------------------------------------------------------------------------------------- */
void probe_line(const char *name, enum subject subject, const char *refused);

#endif
