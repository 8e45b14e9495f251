/*
 * runner.h - the queue's runner: takes what is due out into the world.
 *
 * Lives on loop 0 of submitd.
 */
#ifndef SUBMITD_RUNNER_H
#define SUBMITD_RUNNER_H

#include "lib/daemon/server.h"

/* Once, on loop 0.  Looks at the queue at once. */
PH_MUSTUSE int runner_start(struct server_loop *sl);
/* The queue has changed: looks again soon. */
void runner_wake(struct server_loop *sl);
/* Ends its connections; rows at work are simply due again. */
void runner_stop(struct server_loop *sl);
/* When the loops have ended. */
void runner_free(struct server *srv);

#endif
