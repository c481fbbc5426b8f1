/* SPDX-License-Identifier: MIT */
/*
 * A Xen machine that is nothing but a table of nodes and domains, told by a scenario file how to react. The doubles
 * of Xen's libraries (xen_libs.c) are thin faces of it. One statement a line:
 *
 *   domain ID NAME TYPE MAX_KIB          a domain that runs
 *   node PATH TEXT                       a xenstore node
 *   fail CALL ERRNO                      every call of that name fails
 *   flask [permissive]                   FLASK is there and enforces its policy, or not (flask.c)
 *   flask label ID LABEL                 a domain's label
 *   flask unknown LABEL                  the policy has no such label
 *   flask refuse SOURCE TARGET CLASS BIT the policy does not grant this one; all others it does
 *   picture WIDTH HEIGHT FORMAT PART_BYTES [MOVES]   what `crc` and `read` requests answer; moves so often
 *   cursor WIDTH HEIGHT X Y              what they answer with the word `cursor`; without this line it is off
 *   on|once write PATH PREFIX :: ACTION  when PATH gets a text that begins with PREFIX (* = any)
 *   on|once xl WORDS :: ACTION           when xl is run with words that begin so
 *   on|once request PREFIX :: ACTION     when a request's text behind its number begins so
 * Of several `once` rules that match, one fires each time, in their order.
 * ACTION: set PATH TEXT | rm PATH | domain ... | shutdown ID REASON | destroy ID | reply TEXT | error TEXT (of xl)
 *         | after MILLISECONDS ACTION
 */
#ifndef FAKE_WORLD_H
#define FAKE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#define PATH_BYTES 300
#define NODES_MAX 512
#define DOMAINS_MAX 16
#define RULES_MAX 64
#define TEXT_MAX 4200

struct fake_node {
    char path[PATH_BYTES];
    char text[TEXT_MAX];
};

struct fake_domain {
    uint32_t id, reason, target;
    uint64_t max_kib;
    int pauses;
    bool hvm, shutdown;
    char name[100];
};

struct fake_picture {
    uint32_t width, height, format, pixel_bytes, part_bytes, moves;
    int x, y; /* of a cursor */
    uint8_t *data;
    uint64_t bytes, granted_at;
};

struct fake_world {
    struct fake_node node[NODES_MAX];
    struct fake_domain domain[DOMAINS_MAX];
    struct fake_picture picture, cursor;
    const struct fake_picture *granted; /* the one whose pages the last `read` gave */
    uint32_t nodes, domains, maps, watches;
    char xl_error[400];
};
extern struct fake_world world;

void fake_load(const char *path);
void fake_dump(const char *path);
struct fake_node *fake_find(const char *path);
void fake_write(const char *path, const char *text);
bool fake_remove(const char *path);
struct fake_domain *fake_domain(uint32_t id);
/* True, with errno set, when the scenario wants this call to fail. */
bool fake_fails(const char *call);
/* False when the line is none of its own. */
bool fake_flask_line(const char *line);
uint32_t fake_flask_sid(uint32_t domid);
void fake_run_xl(const char *words);
int fake_fd(void);
void fake_changed(const char *path);
/* The next path that changed under a watch; false when there is none. */
bool fake_next_event(char *path, uint32_t size);
void fake_watch(const char *path, bool on);

#endif
