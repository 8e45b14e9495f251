/*
 * plan.h - where an accepted message goes: folders here, queue rows for other
 * hosts.  Runs in a job; asks the store for folders named by "+detail".
 */
#ifndef SUBMITD_PLAN_H
#define SUBMITD_PLAN_H

#include "storage/deliver.h"
#include "submitd/client.h"

struct plan {
	struct arena arena;             /* of all texts */
	struct deliver_target *targets; /* one an account */
	size_t *target_rcpt;            /* the recipient that led there */
	size_t ntargets, targets_cap, rcpt_cap;
	struct queue_new *queue; /* one a domain, at most
					 * QUEUE_RCPTS_MAX each */
	size_t nqueue, queue_cap;
};

/* msgid: the message's Message-ID, for listings. */
void plan_make(
    struct plan *p, struct client *c, struct store *s, struct slice msgid);
void plan_drop_target(struct plan *p, size_t index);
void plan_fini(struct plan *p);

#endif
