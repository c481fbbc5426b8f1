/* SPDX-License-Identifier: MIT */
/* Instances as the rest of the shim sees them. Across a restart boot.c calls the first two around core_on_start(). */
#ifndef GLOVEBOX_INSTANCE_H
#define GLOVEBOX_INSTANCE_H

#include <stdint.h>

/* Looks at every instance that outlived the restart; what is not as it was made is forgotten. */
void instance_restart(void);
/* Gives back the instances that the core did not adopt. */
void instance_drop_unclaimed(void);
/* Instances of the module in that slot, also those that nobody has adopted yet. */
uint32_t instance_count(uint32_t module);

#endif
