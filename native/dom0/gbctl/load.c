// SPDX-License-Identifier: MIT
/*
 * load: a .gbx file into a driver domain that runs. Its bytes lie in pages that we grant to that domain, read-only, for
 * the time of one request; a directory page holds their references. The domain copies them and decides.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xengnttab.h>

#include "gbctl.h"

struct loading {
    xengntshr_handle *handle;
    uint8_t *pages; /* the directory, then the file */
    uint32_t page_count, directory;
    uint32_t bytes;
};

static int read_file(struct gb *gb, const char *path, uint8_t *out, uint32_t *bytes) {
    FILE *file = fopen(path, "rb");
    size_t got;

    if (!file)
        return gb_fail(gb, GB_NOT_FOUND, "%s: %s", path, strerror(errno));
    got = fread(out, 1, GBX_BYTES_MAX + 1, file);
    fclose(file);
    if (got == 0 || got > GBX_BYTES_MAX)
        return gb_fail(gb, GB_FAILED, "%s: %s; a .gbx file has at most %u bytes", path, got ? "too large" : "empty",
                       GBX_BYTES_MAX);
    *bytes = (uint32_t)got;
    return GB_OK;
}

static int share(struct gb *gb, const struct driver *driver, const uint8_t *file, struct loading *l) {
    uint32_t refs[1 + GBX_BYTES_MAX / XEN_PAGE_BYTES];

    l->page_count = 1 + (l->bytes + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;
    l->handle = xengntshr_open(gb->log, 0);
    if (!l->handle)
        return gb_fail(gb, GB_NO_RIGHTS, "cannot open /dev/xen/gntalloc (kernel module xen-gntalloc): %s",
                       strerror(errno));
    l->pages = xengntshr_share_pages(l->handle, driver->domid, (int)l->page_count, refs, 0);
    if (!l->pages)
        return gb_fail(gb, GB_FAILED, "cannot grant %u pages to driver domain %u (%s): %s", l->page_count,
                       driver->domid, driver->name, strerror(errno));
    memcpy(l->pages, refs + 1, (l->page_count - 1) * sizeof(refs[0]));
    memcpy(l->pages + XEN_PAGE_BYTES, file, l->bytes);
    l->directory = refs[0];
    return GB_OK;
}

static void unshare(struct loading *l) {
    if (l->pages)
        xengntshr_unshare(l->handle, l->pages, l->page_count);
    if (l->handle)
        xengntshr_close(l->handle);
}

static void print_loaded(const struct gb *gb, const struct driver *driver, const struct words *words) {
    struct json j = {.to = stdout};

    if (gb->opt.json) {
        json_open(&j, NULL, '{');
        json_string(&j, "driver_domain", driver->name);
        for (uint32_t i = 0; i < words->count; i++)
            json_string(&j, words->word[i].key, words->word[i].value);
        json_close(&j, '}');
        json_end(&j);
        return;
    }
    printf("%s\t", driver->name);
    text_print(stdout, words_get(words, "name") ? words_get(words, "name") : "?");
    putchar('@');
    text_print(stdout, words_get(words, "version") ? words_get(words, "version") : "?");
    putchar('\n');
}

int load_run(struct gb *gb) {
    static struct words words;
    struct loading l = {0};
    struct driver driver;
    uint8_t *file = malloc(GBX_BYTES_MAX + 1);
    int error = file ? read_file(gb, gb->opt.operand[0], file, &l.bytes) : gb_fail(gb, GB_FAILED, "out of memory");

    if (!error)
        error = driver_only(gb, &driver);
    if (!error)
        error = request_begin(gb);
    if (!error)
        error = share(gb, &driver, file, &l);
    if (!error)
        error = request(gb, &driver, &words, "load %u %u %u", l.directory, l.bytes, gb->self);
    unshare(&l);
    request_end(gb);
    free(file);
    if (!error)
        print_loaded(gb, &driver, &words);
    return error;
}
