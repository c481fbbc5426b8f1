/* SPDX-License-Identifier: MIT */
/* A scenario is one life of the domain in a process of its own. CHECK ends it; a hypercall may fail in it on demand. */
#ifndef GLOVEBOX_SCENARIO_H
#define GLOVEBOX_SCENARIO_H

#include "boot.h"
#include "double/double.h"
#include "fake/fake.h"
#include "loop.h"

struct scenario {
    const char *name;
    void (*run)(void);
    bool panics; /* it shows a panic: that is its success */
    bool faults; /* the processor ends it: AddressSanitizer tells of a SEGV */
};

extern const struct scenario service_scenarios[], guest_scenarios[], page_scenarios[], xenstore_scenarios[],
    module_scenarios[], restart_scenarios[];

/* Boots the domain; the ledger right after is what must be there again at the end. */
void scenario_boot(void);
void scenario_same_ledger(void);
/* Rounds of the loop until there is nothing to do. */
void scenario_settle(void);

/* A life that uses every call of the contract once and undoes what it could do when one fails. */
void scenario_whole_life(void);

/* A life with a panic in it and the restart; main.c lets each hypercall of the restart fail. */
void scenario_restart_life(void);

#endif
