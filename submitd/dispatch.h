/*
 * dispatch.h - where an accepted message goes: folders here, queue rows for
 * other hosts.  Runs in a job; asks the store for folders named by "+detail".
 */
#ifndef SUBMITD_DISPATCH_H
#define SUBMITD_DISPATCH_H

#include "storage/deliver.h"
#include "submitd/client.h"

struct dispatch {
	struct arena arena;             /* of all texts */
	struct deliver_target *targets; /* one an account */
	size_t ntargets, targets_cap;
	struct queue_new *queue; /* one a domain, at most
					 * QUEUE_RCPTS_MAX each */
	size_t nqueue, queue_cap;
	bool junk; /* by its header: for the folder Junk */
};

/* Recipients that failed already (rc) are left out.  msgid: the message's
 * Message-ID, for listings. */
void dispatch_make(
    struct dispatch *p, struct client *c, struct store *s, struct slice msgid);
void dispatch_fini(struct dispatch *p);

#endif
