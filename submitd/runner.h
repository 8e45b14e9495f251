/*
 * runner.h - the queue's runner: takes what is due out into the world.
 *
 * Lives on loop 0 of submitd.
 */
#ifndef SUBMITD_RUNNER_H
#define SUBMITD_RUNNER_H

#include "lib/daemon/server.h"

struct runner;

/* Once, on loop 0.  Looks at the queue at once. */
PH_MUSTUSE int runner_start(struct server_loop *sl);
/* When the queue has changed it is looked at again; a changed row that waits
 * for a connection is read anew. */
void runner_notify(
    struct server_loop *sl, const struct notify_event *ev, size_t n);
/* Something was brought to it (fresh.h). */
void runner_fresh(struct server_loop *sl);
/* Ends its connections; rows at work are simply due again.  The loop runs on
 * until nothing is under way. */
void runner_stop(struct server_loop *sl);
/* When the loops have ended. */
void runner_free(struct server *srv);

#endif
