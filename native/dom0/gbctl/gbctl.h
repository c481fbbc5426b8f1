/* SPDX-License-Identifier: MIT */
/*
 * gbctl: Dom0's hand on Glovebox driver domains. This header is the table of contents: one paragraph per file.
 *
 * Every function that can fail answers 0 or one of enum gb_exit, and has then put a sentence into gb->error.
 * Texts that come from a driver domain are untrusted: they are bounded when read and escaped when printed.
 */
#ifndef GBCTL_H
#define GBCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "limits.h"

enum gb_exit { GB_OK = 0, GB_FAILED = 1, GB_USAGE = 2, GB_NOT_FOUND = 3, GB_TIMED_OUT = 4, GB_NO_RIGHTS = 5 };

struct xs_handle;
struct xc_interface_core;
struct xengntdev_handle;
struct xentoollog_logger;

/* --- options.c: the command line --------------------------------------------------------------------------------- */
enum { WISH_WEIGHT, WISH_CAP, WISH_PRIORITY, WISH_QUANTUM, WISH_TIMEOUT, WISH_PERIOD, WISH_RUNTIME };
struct param {
    char name[PARAM_NAME_MAX];
    uint64_t value;
};
struct module_wish {
    const char *name;
    uint32_t slot; /* 0 = the domain's choice */
    uint32_t param_count, fitted_count;
    struct param param[PARAM_MAX];  /* --param */
    struct param fitted[PARAM_MAX]; /* what --outputs and --memory come to: wish_fit() */
    struct {
        bool given;
        uint64_t value;
    } scheduling[SCHEDULING_WORDS]; /* WISH_* */
    uint32_t output_count;          /* maybe more than there is room for */
    struct {
        uint64_t width, height;
    } output[SCANOUT_MAX];
    bool memory_given;
    uint64_t memory_bytes;
};

struct options {
    const struct verb *verb;
    const char *operand[OPERANDS_MAX];
    uint32_t operand_count;
    bool json, crc, cursor, no_cursor, force, help, raw, supervise;
    bool scanout_given;
    uint32_t scanout;
    uint32_t memory_mib;
    uint32_t timeout_s;
    const char *output; /* a file; NULL = standard output */
    uint32_t trial_ms;
    uint32_t interval_ms, count; /* 0: without end */
    const char *driver_domain; /* NULL = one of our own */
    const char *kernel;
    const char *seclabel; /* of the driver domain; NULL = FLASK_DRIVER_LABEL, where there is FLASK */
    const char *modules; /* NULL = those beside the kernel */
    char wait[32]; /* the driver domain's command line: wait=..., and threshold=... as often as it was given */
    char thresholds[THRESHOLDS_BYTES];
    uint32_t module_count;
    struct module_wish module[VGPU_MAX];
};

struct gb {
    struct options opt;
    struct xs_handle *xs;
    struct xc_interface_core *xc;
    struct xengntdev_handle *gnttab;
    struct xentoollog_logger *log;
    uint32_t self; /* our own domid */
    int lock_fd;
    char modules[4096]; /* the ramdisk of the driver domain that is being started; "" = none */
    uint64_t deadline_ns; /* CLOCK_MONOTONIC; every wait of this run ends by then */
    char error[768];
    bool reported; /* the verb's own JSON says what failed */
};

int options_parse(struct gb *gb, int argc, char **argv);
/* A name of a module or parameter: it becomes a word of the specification, so no space and no `=`. */
bool is_word(const char *text, size_t length, size_t max);
int read_u32(struct gb *gb, const char *option, const char *text, uint32_t min, uint32_t max, uint32_t *out);
/* NAME or NAME@VERSION, as a word of a specification or request. */
int module_title_check(struct gb *gb, const char *option, const char *title);

/* --- wish.c: the options of one --module ------------------------------------------------------------------------- */
int wish_param(struct gb *gb, const char *text);
int wish_slot(struct gb *gb, const char *text);
int wish_outputs(struct gb *gb, const char *text);
int wish_memory(struct gb *gb, const char *text);
/* which: WISH_* */
int wish_scheduling(struct gb *gb, uint32_t which, const char *text);
const char *wish_scheduling_name(uint32_t which);
/* " weight=8 cap=50 ...", and how long it is. */
size_t wish_put_scheduling(const struct module_wish *wish, char *out, size_t size);
/* What can only be said of all the options of a --module together. */
int wishes_check(struct gb *gb);
/* Only a module, and nothing said of it. */
bool wish_is_bare(const struct module_wish *wish);

/* --- threshold.c ------------------------------------------------------------------------------------------------- */
/* NAME=N[:ACTION] */
int threshold_check(struct gb *gb, const char *option, const char *text);
int threshold_run(struct gb *gb);

/* --- verbs.c: the table of verbs and their help ------------------------------------------------------------------ */
enum {
    OPT_JSON = 1 << 0,
    OPT_MODULE = 1 << 1, /* --module, and what belongs to it (wish.c) */
    OPT_DRIVER = 1 << 2, /* --driver-domain */
    OPT_START = 1 << 3,  /* --kernel --modules --memory --wait --threshold */
    OPT_SUPERVISE = 1 << 4,
    OPT_PICTURE = 1 << 5, /* --crc --cursor --no-cursor --scanout */
    OPT_FORCE = 1 << 6,
    OPT_RAW = 1 << 7,
    OPT_LABEL = 1 << 8, /* --seclabel */
    OPT_TRIAL = 1 << 9, /* --trial */
    OPT_TOP = 1 << 10,  /* --interval --count --once */
};
enum { NEED_STORE = 1, NEED_XC = 2, NEED_GNTTAB = 4 };

struct verb {
    const char *name;
    const char *operands;
    uint32_t operand_min, operand_max;
    uint32_t options; /* OPT_* */
    uint32_t needs;   /* NEED_* */
    int (*run)(struct gb *gb);
    const char *brief;
    const char *help;
};
const struct verb *verb_find(const char *name);
void help_print(FILE *to);
void help_print_verb(const struct verb *verb);

/* --- text.c: errors, and untrusted text on a terminal or in JSON ------------------------------------------------- */
int gb_fail(struct gb *gb, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts a sentence in front of the error that is already there. */
int gb_because(struct gb *gb, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void text_print(FILE *to, const char *text);
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- json.c: a writer of one JSON document, with commas in the right places -------------------------------------- */
struct json {
    FILE *to;
    bool comma;
};
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_string(struct json *j, const char *key, const char *text);
void json_number(struct json *j, const char *key, uint64_t value);
void json_signed(struct json *j, const char *key, int32_t value);
void json_null(struct json *j, const char *key);
void json_bool(struct json *j, const char *key, bool value);
/* A number when the text is one, else a string. */
void json_value(struct json *j, const char *key, const char *text);
void json_end(struct json *j);

/* --- clock.c: deadlines and interruption ------------------------------------------------------------------------- */
uint64_t clock_ns(void);
int clock_left_ms(uint64_t deadline_ns);
void signals_catch(void);
bool signals_seen(void);
void signals_forget(void);

/* --- connect.c: rights, libraries, the lock ---------------------------------------------------------------------- */
int connect_all(struct gb *gb, uint32_t needs);
void disconnect_all(struct gb *gb);
int lock_take(struct gb *gb);
void lock_give(struct gb *gb);

/* --- store.c: xenstore ------------------------------------------------------------------------------------------- */
/* The node's text, cut at size - 1; false when there is no such node. */
bool store_read(struct gb *gb, char *out, size_t size, const char *format, ...) __attribute__((format(printf, 4, 5)));
bool store_exists(struct gb *gb, const char *format, ...) __attribute__((format(printf, 2, 3)));
int store_write(struct gb *gb, const char *value, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool store_remove(struct gb *gb, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The children's names, to be freed with free(); NULL and 0 when there is no such node. */
char **store_list(struct gb *gb, uint32_t *count, const char *format, ...) __attribute__((format(printf, 3, 4)));
/*
 * Waits until `check` answers something else than STORE_WAIT: looked at once, after every change below `path` and
 * whenever a domain comes or goes. GB_TIMED_OUT at the deadline, GB_FAILED when the user interrupts.
 */
#define STORE_WAIT (-1)
int store_wait(struct gb *gb, const char *path, int (*check)(struct gb *gb, void *arg), void *arg);

/* --- words.c: `key=value` words of replies and nodes ------------------------------------------------------------- */
struct word {
    const char *key, *value;
};
struct words {
    uint32_t count;
    struct word word[WORDS_MAX];
    char text[STORE_VALUE_MAX + 1];
};
bool parse_u64(const char *text, uint64_t max, uint64_t *out);
/* WIDTHxHEIGHT in the first `length` characters, 1 to PICTURE_SIDE_MAX each. */
bool parse_mode(const char *text, size_t length, uint64_t *width, uint64_t *height);
void words_parse(struct words *w, const char *text);
const char *words_get(const struct words *w, const char *key);
/* stat.c: as lines, or as JSON. */
void words_print(const struct gb *gb, const struct words *words);
/* The word as an unsigned decimal number of at most max. */
bool words_u64(const struct words *w, const char *key, uint64_t max, uint64_t *out);
/* With a sign, within 32 bits. */
bool words_s32(const struct words *w, const char *key, int32_t *out);

/* --- domain.c: domains as Xen and xenstore see them -------------------------------------------------------------- */
enum guest_type { GUEST_UNKNOWN, GUEST_PV, GUEST_PVH, GUEST_HVM };
struct domain {
    uint32_t domid;
    enum guest_type type;
    char name[DOMAIN_NAME_MAX + 1];
};
struct domain_life {
    bool exists, dying, shutdown;
    uint32_t reason; /* SHUTDOWN_* of xen/sched.h, when shutdown */
};
const char *guest_type_name(enum guest_type type);
int domain_find(struct gb *gb, const char *text, struct domain *out);
/* True when a living domain has that name. */
bool domain_by_name(struct gb *gb, const char *name, struct domain *out);
void domain_describe(struct gb *gb, uint32_t domid, struct domain *out);
int domain_life(struct gb *gb, uint32_t domid, struct domain_life *out);
int domain_grow_max(struct gb *gb, uint32_t domid, uint64_t bytes);
void domain_shrink_max(struct gb *gb, uint32_t domid, uint64_t bytes);
int domain_set_target(struct gb *gb, uint32_t driver, uint32_t guest);
int domain_pause(struct gb *gb, uint32_t domid);
void domain_unpause(struct gb *gb, uint32_t domid);
/* xl save and migrate are refused from now on (unsaved.c). */
void domain_forbid_save(struct gb *gb, const struct domain *guest);

/* --- flask.c: Xen's policy, where it has one --------------------------------------------------------------------- */
#define FLASK_DRIVER_LABEL "system_u:system_r:glovebox_t"
#define FLASK_GUEST_LABEL "system_u:system_r:glovebox_guest_t"
bool flask_active(struct gb *gb);
/* A label goes into xl's configuration, in quotes. */
int label_check(struct gb *gb, const char *what, const char *label);
/* The label that Xen has the domain under; false without FLASK. */
bool flask_label(struct gb *gb, uint32_t domid, char out[LABEL_MAX + 1]);
/* False when the policy knows no such label. */
bool flask_label_known(struct gb *gb, const char *label);
/* Fails, and says which permission is missing, when the policy does not let the driver domain serve such a guest. */
int flask_check_pair(struct gb *gb, const char *driver_label, const char *guest_label);
/* The same for two domains that exist. */
int flask_check_domains(struct gb *gb, uint32_t driver, uint32_t guest);

/* --- xl.c: running the toolstack --------------------------------------------------------------------------------- */
/* argv[0] is "xl". What xl said goes into gb->error when it fails. */
int xl_run(struct gb *gb, const char *const argv[]);

/* --- driver.c: driver domains ------------------------------------------------------------------------------------ */
struct driver {
    uint32_t domid;
    char name[DOMAIN_NAME_MAX + 1];
    char version[32];
    char state[16];
};
uint32_t driver_list(struct gb *gb, struct driver *out, uint32_t max);
int driver_find(struct gb *gb, const char *text, struct driver *out);
/* The one that --driver-domain names, or the only one. */
int driver_only(struct gb *gb, struct driver *driver);
/* The one that serves the guest now; guest_name may be NULL. */
int driver_of_guest(struct gb *gb, uint32_t guest, const char *guest_name, struct driver *out);
void driver_name_for(char out[DOMAIN_NAME_MAX + 1], const char *guest_name);
int driver_start(struct gb *gb, const char *name, struct driver *out);
int driver_wait_ready(struct gb *gb, struct driver *driver);
int driver_destroy(struct gb *gb, const struct driver *driver);
/* Takes back the specifications of guests that ended without gbctl, as with xl destroy. */
void drivers_forget_dead(struct gb *gb);
uint32_t driver_guests(struct gb *gb, const struct driver *driver);
int name_check(struct gb *gb, const char *what, const char *name);

/* --- vgpu.c: specifications and the life of one vGPU ------------------------------------------------------------- */
struct vgpu {
    uint32_t number;
    uint64_t ram_bytes;
    char module[MODULE_NAME_MAX + MODULE_VERSION_MAX + 2]; /* as the specification has it */
    char state[16];
    char bdf[16];
    char error[512];
};
int vgpu_read(struct gb *gb, const struct driver *driver, uint32_t guest, uint32_t number, struct vgpu *out);
uint32_t vgpu_list(struct gb *gb, const struct driver *driver, uint32_t guest, struct vgpu *out, uint32_t max);
/* Writes the specification under the lowest free number, waits for `ready`, raises the guest's maxmem. */
int vgpu_attach(struct gb *gb, const struct driver *driver, const struct domain *guest, const struct module_wish *wish,
                struct vgpu *out);
int vgpu_detach(struct gb *gb, const struct driver *driver, const struct domain *guest, uint32_t number);
void vgpu_json(struct json *j, const struct vgpu *v);
int vgpu_number(struct gb *gb, const char *text, uint32_t *number);

/* --- modules.c: what can be attached ----------------------------------------------------------------------------- */
struct module {
    uint32_t slot;
    char name[MODULE_NAME_MAX + 1];
    char version[MODULE_VERSION_MAX + 1];
    char text[STORE_VALUE_MAX + 1]; /* of its node */
};
uint32_t module_list(struct gb *gb, const struct driver *driver, struct module *out, uint32_t max);
/* Does the driver domain have what each --module names, and has that what is wished of it? */
int modules_check(struct gb *gb, const struct driver *driver);
/* wish_fit.c */
int wish_fit(struct gb *gb, struct module_wish *wish, const struct module *module);

/* --- request.c: one question, one answer ------------------------------------------------------------------------- */
/* Holds the lock file from request_begin to request_end: one client at a time. */
int request_begin(struct gb *gb);
void request_end(struct gb *gb);
int request(struct gb *gb, const struct driver *driver, struct words *reply, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* --- share.c: pages that the driver domain grants ---------------------------------------------------------------- */
/* Copies the bytes that a reply's gref=, pages= and bytes= name; at most max. */
int share_copy(struct gb *gb, const struct driver *driver, const struct words *reply, uint8_t *out, size_t max,
               size_t *copied);

/* --- picture.c: pixels to files ---------------------------------------------------------------------------------- */
/* unikernel/abi/module.ts: FORMAT_*; the codes are drm_fourcc.h's. */
#define FORMAT_XRGB8888 0x34325258u
#define FORMAT_ARGB8888 0x34325241u
#define FORMAT_RGB888 0x34324752u
#define FORMAT_RGB565 0x36314752u

struct picture {
    uint32_t width, height, format;
    uint32_t pixel_bytes;
    int32_t x, y; /* of a cursor: where it lies over the screen */
    size_t bytes;
    uint8_t *data; /* packed rows, as the guest wrote them */
};
uint32_t picture_pixel_bytes(uint32_t format);
int picture_write(struct gb *gb, const struct picture *picture, const char *path);

/* --- cursor.c: one picture over another -------------------------------------------------------------------------- */
void cursor_lay(struct picture *picture, const struct picture *cursor);

/* --- what the verbs run, one file each --------------------------------------------------------------------------- */
int create_run(struct gb *gb);
int attach_run(struct gb *gb);
int detach_run(struct gb *gb);
int output_run(struct gb *gb);
int set_run(struct gb *gb);
int policy_run(struct gb *gb);
int reset_run(struct gb *gb);
int quarantine_run(struct gb *gb);
int release_run(struct gb *gb);
int replace_run(struct gb *gb);
int list_run(struct gb *gb);
int modules_run(struct gb *gb);
int load_run(struct gb *gb);
int unload_run(struct gb *gb);
int stat_run(struct gb *gb);
int top_run(struct gb *gb);
int state_run(struct gb *gb);
int screenshot_run(struct gb *gb);
int trace_run(struct gb *gb);
int destroy_run(struct gb *gb);
int start_run(struct gb *gb);
int stop_run(struct gb *gb);
int policy_check_run(struct gb *gb);

/* --- create.c, supervise.c --------------------------------------------------------------------------------------- */
struct creation {
    struct driver driver;
    struct domain guest;
    bool own_driver, driver_made, guest_made;
    uint32_t vgpu_count;
    struct vgpu vgpu[VGPU_MAX];
};
int create_once(struct gb *gb, struct creation *c);
void create_undo(struct gb *gb, struct creation *c);
int supervise(struct gb *gb, struct creation *c);
void creation_print(struct gb *gb, const struct creation *c);

/* --- trace_file.c: a recording of one guest that replays on the host ---------------------------------------------- */
int trace_file_write(struct gb *gb, const struct driver *driver, uint32_t domid, const uint8_t *ring, size_t bytes,
                     uint64_t dropped, const char *path);

#endif
