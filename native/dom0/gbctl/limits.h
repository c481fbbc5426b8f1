/* SPDX-License-Identifier: MIT */
/*
 * Every limit of gbctl. What a driver domain says is less trusted than Dom0, so each number that it can name has
 * a bound here, and the bound is checked before anything is mapped or allocated.
 */
#ifndef GBCTL_LIMITS_H
#define GBCTL_LIMITS_H

/* docs/CONTROL.md: vGPU n is 0 to 7. */
#define VGPU_MAX 8
/* unikernel/abi/manifest.ts: MANIFEST_PARAM_COUNT, PARAM_NAME_BYTES, MANIFEST_NAME_BYTES, MANIFEST_VERSION_BYTES. */
#define PARAM_MAX 12
#define PARAM_NAME_MAX 24
#define MODULE_NAME_MAX 32
#define MODULE_VERSION_MAX 16
/* native/include/shim.h, shim_limits.h: SHIM_MODULES_MAX, GBX_BYTES_MAX. */
#define MODULES_MAX 32
#define GBX_BYTES_MAX (512u << 10)
/* One bus of 32 devices (PCI Local Bus 3.0, 3.2.2.3.2); slot 0 is the host bridge. */
#define SLOT_MAX 31
/* xen/io/xs_wire.h: XENSTORE_PAYLOAD_MAX is 4096, one message never carries more. */
#define STORE_VALUE_MAX 4096
#define STORE_PATH_MAX 256
/* Names become part of a configuration file; libxl itself takes longer ones. */
#define DOMAIN_NAME_MAX 80
/* On stock Xen one driver domain per guest, on FLASK 64 vGPUs on one (DESIGN section 12): enough for both. */
#define DRIVER_MAX 256
/* native/include/shim.h: SHIM_SHARE_PAGES. */
#define SHARE_PAGES_MAX 256
#define XEN_PAGE_BYTES 4096
/* 16384 is the largest side that DRM drivers of today offer; a picture of 8192 x 8192 x 4 is the largest read. */
#define PICTURE_SIDE_MAX 16384
#define PICTURE_BYTES_MAX (256u << 20)
/* RAM that one vGPU may add to its guest: the largest bochs-display memory (256 MiB) and as much again. */
#define RAM_BYTES_MAX (512ull << 20)
/* Words of one reply: 20 figures and 8 scanouts today; a reply is at most STORE_VALUE_MAX bytes. */
#define WORDS_MAX 96
/* --threshold: eight names of at most 16 bytes, numbers of 8 digits, an action of 11, " threshold=" before each. */
#define THRESHOLDS_BYTES 400
/* native/include/shim.h: SHIM_SERVERS_MAX. */
#define GUESTS_MAX 64
#define SCANOUT_MAX 16
/* A label is user:role:type and maybe a range; xl's own buffers hold no more (tools/libs/light). */
#define LABEL_MAX 255
/* unikernel/core/sched/limits.ts: what may stand behind the scheduler's words (test/gbctl holds the two together). */
#define SCHEDULING_WORDS 7
#define WEIGHT_MAX 1000
#define CAP_MAX 100
#define QUANTUM_US_MIN 100
#define QUANTUM_US_MAX 1000000
#define TIMEOUT_US_MIN 1000
#define TIMEOUT_US_MAX 10000000
#define PERIOD_US_MIN 1000
#define PERIOD_US_MAX 10000000
#define DRIVER_MEMORY_MIN_MIB 4
#define DRIVER_MEMORY_MAX_MIB 1024
#define TIMEOUT_DEFAULT_S 60
#define TIMEOUT_MAX_S 3600
/* A busy-wait longer than a second is a mistake of units. */
#define BUSY_MAX_US 1000000
/* unikernel/core/limits.ts: TRIAL_MS_MAX. */
#define TRIAL_MAX_MS 60000
#define TRIAL_DEFAULT_MS 1000
/* unikernel/core/limits.ts: THRESHOLD_MAX and QUARANTINE_WINDOW_MS_MAX. */
#define THRESHOLD_MAX 86400000

/* top: as many vGPUs as four driver domains can have (SHIM_INSTANCES_MAX); of each two requests a sample. */
#define TOP_VGPUS_MAX 256
#define TOP_DRIVERS_MAX 64
#define INTERVAL_DEFAULT_MS 1000
/* Faster would measure the asking; slower than an hour is a mistake of units. */
#define INTERVAL_MIN_MS 100
#define INTERVAL_MAX_MS 3600000
#define COUNT_MAX 1000000000

/* A policy, a guest, the number of its vGPU, and each of the scheduler's seven words once. */
#define OPERANDS_MAX 10
/* unikernel/core/limits.ts: REQUEST_BYTES_MAX; the number before it and "set GUEST N" take up to 28 of that. */
#define REQUEST_BYTES_MAX 256
#define SET_WORDS_BYTES (REQUEST_BYTES_MAX - 28)

#endif
