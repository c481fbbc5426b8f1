/* SPDX-License-Identifier: MIT */
/* Instances across a restart: boot.c calls these around core_on_start(). */
#ifndef GLOVEBOX_INSTANCE_H
#define GLOVEBOX_INSTANCE_H

/* Looks at every instance that outlived the restart; what is not as it was made is forgotten. */
void instance_restart(void);
/* Gives back the instances that the core did not adopt. */
void instance_drop_unclaimed(void);

#endif
