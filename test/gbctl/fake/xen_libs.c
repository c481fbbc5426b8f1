// SPDX-License-Identifier: MIT
/*
 * Link-time doubles of libxenstore, libxenctrl, libxengnttab, libxentoollog and of gbctl's own xl_run(), over the world
 * of scenario.c. The scenario is the file that GBCTL_FAKE names; what is left at the end goes to "left" beside it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xenctrl.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "../../../native/dom0/gbctl/gbctl.h"
#include "world.h"

static int token; /* every handle points here */

/* --- libxenstore ------------------------------------------------------------------------------------------------- */

struct xs_handle *xs_open(unsigned long flags) {
    (void)flags;
    fake_load(getenv("GBCTL_FAKE"));
    return fake_fails("xs_open") ? NULL : (struct xs_handle *)(void *)&token;
}

void xs_close(struct xs_handle *h) {
    (void)h;
    fake_dump("left");
}

/* Relative paths are Dom0's own, as xenstored has it. */
static const char *whole(const char *path, char *buffer, size_t size) {
    if (path[0] == '/')
        return path;
    snprintf(buffer, size, "/local/domain/0/%s", path);
    return buffer;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *length) {
    char buffer[300];
    struct fake_node *node = fake_find(whole(path, buffer, sizeof(buffer)));

    (void)h;
    (void)t;
    if (!node) {
        errno = ENOENT;
        return NULL;
    }
    *length = (unsigned int)strlen(node->text);
    return strdup(node->text);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data, unsigned int length) {
    char text[TEXT_MAX];

    (void)h;
    (void)t;
    if (fake_fails("xs_write"))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)length, (const char *)data);
    fake_write(path, text);
    return true;
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path) {
    (void)h;
    (void)t;
    return fake_remove(path);
}

static bool seen_before(char **names, unsigned int count, const char *name) {
    for (unsigned int i = 0; i < count; i++) {
        if (!strcmp(names[i], name))
            return true;
    }
    return false;
}

/* One block of memory, as libxenstore gives it: the pointers first, the names behind them. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *count) {
    size_t length = strlen(path);
    char **names = malloc(NODES_MAX * sizeof(char *) + NODES_MAX * 100);
    char *text = (char *)(names + NODES_MAX);

    (void)h;
    (void)t;
    *count = 0;
    if (!names || !fake_find(path)) {
        free(names);
        errno = ENOENT;
        return NULL;
    }
    for (uint32_t i = 0; i < world.nodes; i++) {
        const char *at = world.node[i].path;

        if (strncmp(at, path, length) || at[length] != '/')
            continue;
        snprintf(text, 100, "%.*s", (int)strcspn(at + length + 1, "/"), at + length + 1);
        if (seen_before(names, *count, text))
            continue;
        names[(*count)++] = text;
        text += strlen(text) + 1;
    }
    return names;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *name) {
    (void)h;
    (void)name;
    if (fake_fails("xs_watch"))
        return false;
    fake_watch(path, true);
    return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *name) {
    (void)h;
    (void)name;
    fake_watch(path, false);
    return true;
}

int xs_fileno(struct xs_handle *h) {
    (void)h;
    return fake_fd();
}

char **xs_check_watch(struct xs_handle *h) {
    char path[300];
    char **event;

    (void)h;
    if (!fake_next_event(path, sizeof(path)))
        return NULL;
    event = malloc(sizeof(char *) * 2 + sizeof(path));
    if (event) {
        event[0] = event[1] = (char *)(event + 2);
        memcpy(event[0], path, sizeof(path));
    }
    return event;
}

/* --- libxenctrl -------------------------------------------------------------------------------------------------- */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *build, unsigned flags) {
    (void)logger;
    (void)build;
    (void)flags;
    return fake_fails("xc_interface_open") ? NULL : (xc_interface *)(void *)&token;
}

int xc_interface_close(xc_interface *xch) {
    (void)xch;
    return 0;
}

int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned int max, xc_dominfo_t *info) {
    struct fake_domain *domain = NULL;

    /* As XEN_DOMCTL_getdomaininfo: the domain itself, or the next one above it. */
    for (uint32_t i = 0; i < world.domains; i++) {
        if (world.domain[i].id >= first && (!domain || world.domain[i].id < domain->id))
            domain = &world.domain[i];
    }
    (void)xch;
    (void)max;
    if (fake_fails("getinfo"))
        return -1;
    if (!domain) {
        errno = ESRCH;
        return -1;
    }
    memset(info, 0, sizeof(*info));
    info->domid = domain->id;
    info->hvm = domain->hvm;
    info->ssidref = fake_flask_sid(domain->id);
    info->shutdown = domain->shutdown;
    info->shutdown_reason = domain->reason;
    info->max_memkb = (unsigned long)domain->max_kib;
    return 1;
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid, uint64_t max) {
    (void)xch;
    if (fake_fails("setmaxmem"))
        return -1;
    fake_domain(domid)->max_kib = max;
    return 0;
}

/* Nobody may find the guest paused at the end: fake_dump would tell. */
static int change_pause(uint32_t domid, int by) {
    struct fake_domain *domain = fake_domain(domid);

    if (!domain) {
        errno = ESRCH;
        return -1;
    }
    domain->pauses += by;
    return 0;
}

int xc_domain_pause(xc_interface *xch, uint32_t domid) {
    (void)xch;
    return fake_fails("pause") ? -1 : change_pause(domid, 1);
}

int xc_domain_unpause(xc_interface *xch, uint32_t domid) {
    (void)xch;
    return change_pause(domid, -1);
}

int xc_domain_getvnuma(xc_interface *xch, uint32_t domid, uint32_t *nodes, uint32_t *ranges, uint32_t *vcpus,
                       xen_vmemrange_t *range, unsigned int *distance, unsigned int *vcpu_to_node) {
    (void)xch, (void)domid, (void)nodes, (void)ranges, (void)vcpus, (void)range, (void)distance, (void)vcpu_to_node;
    errno = EOPNOTSUPP;
    return -1;
}

int xc_domain_setvnuma(xc_interface *xch, uint32_t domid, uint32_t nodes, uint32_t ranges, uint32_t vcpus,
                       xen_vmemrange_t *range, unsigned int *distance, unsigned int *vcpu_to_node,
                       unsigned int *node_to_physical) {
    (void)xch, (void)domid, (void)ranges, (void)range, (void)distance, (void)vcpu_to_node, (void)node_to_physical;
    if (fake_fails("setvnuma"))
        return -1;
    return nodes == 1 && vcpus ? 0 : -1;
}

int xc_domain_set_target(xc_interface *xch, uint32_t domid, uint32_t target) {
    (void)xch;
    if (fake_fails("set_target"))
        return -1;
    if (fake_domain(domid)->target) {
        errno = EINVAL;
        return -1;
    }
    fake_domain(domid)->target = target;
    return 0;
}

/* --- libxengnttab: the picture's granted part, always from reference 8 on ---------------------------------------- */

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned flags) {
    (void)logger;
    (void)flags;
    return fake_fails("xengnttab_open") ? NULL : (xengnttab_handle *)(void *)&token;
}

int xengnttab_close(xengnttab_handle *xgt) {
    (void)xgt;
    return 0;
}

void *xengnttab_map_domain_grant_refs(xengnttab_handle *xgt, uint32_t count, uint32_t domid, uint32_t *refs, int prot) {
    uint8_t *pages;
    const struct fake_picture *p = world.granted;
    uint64_t left = p ? p->bytes - p->granted_at : 0;

    (void)xgt;
    (void)domid;
    (void)prot;
    if (fake_fails("map") || refs[0] != 8)
        return NULL;
    pages = mmap(NULL, (size_t)count * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p)
        memcpy(pages, p->data + p->granted_at, left < count * 4096ull ? left : count * 4096ull);
    world.maps++;
    return pages;
}

int xengnttab_unmap(xengnttab_handle *xgt, void *start, uint32_t count) {
    (void)xgt;
    world.maps--;
    return munmap(start, (size_t)count * 4096);
}

/* --- libxengnttab's other half: pages of ours that a domain may read, references from 100 on ---------------------- */

#define SHARED_FIRST 100u
static uint32_t shared_count;

xengntshr_handle *xengntshr_open(struct xentoollog_logger *logger, unsigned flags) {
    (void)logger;
    (void)flags;
    return fake_fails("xengntshr_open") ? NULL : (xengntshr_handle *)(void *)&token;
}

int xengntshr_close(xengntshr_handle *xgs) {
    (void)xgs;
    return 0;
}

void *xengntshr_share_pages(xengntshr_handle *xgs, uint32_t domid, int count, uint32_t *refs, int writable) {
    uint8_t *pages;

    (void)xgs;
    (void)domid;
    if (fake_fails("share") || writable)
        return NULL;
    pages = mmap(NULL, (size_t)count * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (uint32_t i = 0; i < (uint32_t)count; i++)
        refs[i] = SHARED_FIRST + i * 2; /* not in a row: nobody promised that */
    shared_count = (uint32_t)count;
    world.maps++;
    return pages;
}

/* What the domain would have seen: the directory names each page of the file, the file is whole. */
int xengntshr_unshare(xengntshr_handle *xgs, void *start, uint32_t count) {
    const uint32_t *directory = start;
    uint32_t sum = 0;

    (void)xgs;
    for (uint32_t i = 1; i < shared_count; i++)
        sum += directory[i - 1] == SHARED_FIRST + i * 2;
    for (size_t i = 4096; i < (size_t)count * 4096; i++)
        sum += ((const uint8_t *)start)[i];
    fprintf(stderr, "shared %u pages, sum %u\n", count, sum);
    world.maps--;
    return munmap(start, (size_t)count * 4096);
}

/* --- libxentoollog and xl ---------------------------------------------------------------------------------------- */

xentoollog_logger_stdiostream *xtl_createlogger_stdiostream(FILE *file, xentoollog_level level, unsigned flags) {
    (void)file;
    (void)level;
    (void)flags;
    return NULL;
}

void xtl_logger_destroy(struct xentoollog_logger *logger) {
    (void)logger;
}

/* The driver domain's configuration is a file that is gone when the test looks. */
static void tell_ramdisk(const char *const argv[]) {
    char line[512];
    FILE *file = argv[1] && argv[2] && argv[3] && !strcmp(argv[2], "-q") ? fopen(argv[3], "r") : NULL;

    while (file && fgets(line, sizeof(line), file))
        if (!strncmp(line, "ramdisk", 7))
            fputs(line, stderr);
    if (file)
        fclose(file);
}

int xl_run(struct gb *gb, const char *const argv[]) {
    char words[1000] = "";

    for (uint32_t i = 1; argv[i]; i++) {
        size_t used = strlen(words);

        snprintf(words + used, sizeof(words) - used, "%s%s", used ? " " : "", argv[i]);
    }
    fprintf(stderr, "xl %s\n", words);
    tell_ramdisk(argv);
    fake_run_xl(words);
    if (!world.xl_error[0])
        return GB_OK;
    return gb_fail(gb, GB_FAILED, "xl %s failed (exit code 1): %s", argv[1], world.xl_error);
}
