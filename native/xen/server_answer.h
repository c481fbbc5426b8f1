/* SPDX-License-Identifier: MIT */
/*
 * What a server owes to vCPUs that wait: the defined answer, all ones, and the time to take it. For the files server*.c
 * only; answers of the core go by ioreq.c.
 */
#ifndef GLOVEBOX_SERVER_ANSWER_H
#define GLOVEBOX_SERVER_ANSWER_H

#include "server.h"

/* Whatever is pending. INPROCESS is a request whose answer is being made further up our stack. */
void server_complete_pending(struct server *server);
/* A vCPU that has not taken its answer when the server goes would go on with what it asked with: give it a moment. It
 * may be paused, or dead; then nobody misses the answer. */
void server_let_answers_be_taken(struct server *server);
/* After a panic: requests that were being answered, and those not looked at yet if `ready_too`. Fails nowhere. */
void server_answer_all(struct server *server, bool ready_too);
bool server_is_mapped(const struct server *server);

#endif
