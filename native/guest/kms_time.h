/* SPDX-License-Identifier: MIT */
/* What a flush costs: one thing done again and again, timed by itself. */
#ifndef KMS_TIME_H
#define KMS_TIME_H

#include <stdint.h>

/* Prints one line `KMS timed ...`, or why it could not be done. */
void kms_time(int card, uint32_t framebuffer, const char *what, uint32_t times, uint32_t pause_us);

#endif
