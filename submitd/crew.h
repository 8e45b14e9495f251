/*
 * crew.h - the runner's connections: who gets one, what it does next, and when
 * nothing may go out.
 */
#ifndef SUBMITD_CREW_H
#define SUBMITD_CREW_H

#include "submitd/runner_priv.h"

extern const struct relay_ops crew_ops; /* for the runner's relay_env */

/* May mail go out at all?  Not while outcomes cannot be written. */
bool crew_may_start(const struct runner *r);
/* What waits gets a connection, as far as there are some. */
void crew_start(struct runner *r);
/* What the node's connection has sent is on disk: it may send more. */
void crew_go_on(struct relay_node *node);
/* All have an outcome: into the figures and the ledger. */
void crew_write_off(struct runner *r, struct errand *e);
/* Every second: ends what has waited too long. */
void crew_tick(struct runner *r);
/* The host stops. */
void crew_abort(struct runner *r);

#endif
