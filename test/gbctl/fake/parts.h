/* SPDX-License-Identifier: MIT */
/* What the parts of the played world have from each other; the doubles of the libraries see world.h alone. */
#ifndef FAKE_PARTS_H
#define FAKE_PARTS_H

#include "world.h"

/* scenario.c: ends the test. */
_Noreturn void fake_bad(const char *line);

/* node.c: as somebody else than gbctl writes, which fires no rule; the words are PATH TEXT. */
void fake_set(const char *path, const char *text);
void fake_set_node(const char *words);

/* watch.c: before all else; an action after MILLISECONDS. */
void fake_open_fds(void);
void fake_act_later(const char *words);

/* domain.c: ID NAME TYPE MAX_KIB; ID REASON. */
void fake_add_domain(const char *words);
void fake_shut_down(const char *words);
void fake_destroy(uint32_t id);

/* picture.c: WIDTH HEIGHT FORMAT PART_BYTES [MOVES]; WIDTH HEIGHT X Y. False when the request is for no picture. */
void fake_set_picture(struct fake_picture *picture, const char *words);
void fake_set_cursor(const char *words);
bool fake_picture_request(const char *number, const char *text);
/* What the driver domain answers to the request of that number. */
void fake_reply(const char *number, const char *text);

/* rule.c: a line that begins with on or once; an action, of the request of that number. A prefix of * is of all. */
void fake_add_rule(const char *line, bool once);
void fake_act(const char *action, const char *number);
bool fake_begins(const char *text, const char *prefix);

#endif
