/*
 * dispatch.h - where an accepted message goes: folders here, queue rows for
 * other hosts; or one row that keeps all of it until it is to be sent.  Runs in
 * a job; asks the store for folders named by "+detail".
 */
#ifndef SUBMITD_DISPATCH_H
#define SUBMITD_DISPATCH_H

#include "lib/base/map.h"
#include "storage/deliver.h"
#include "submitd/client.h"

struct dispatch_in {
	struct server *srv;
	/* Recipients that failed already (rc) are left out; those that a
	 * forward must not reach get their rc here. */
	struct envelope *env;
	uint64_t account;    /* who submitted it; 0: nobody here */
	struct slice msgid;  /* the Message-ID, for listings */
	struct slice header; /* as it came */
};

struct dispatch {
	struct arena arena; /* of all texts */
	struct slice msgid;
	struct deliver_target *targets; /* one an account */
	size_t ntargets, targets_cap;
	struct queue_new *queue; /* one a domain, at most
					 * QUEUE_RCPTS_MAX each */
	size_t nqueue, queue_cap;
	/* While it is made: accounts, addresses, and the last row for a sender
	 * and domain as its number from 1. */
	struct map seen, remote, rows;
	struct buf key;
	bool junk;  /* by its header: for the folder Junk */
	int failed; /* why nothing is left, perhaps 0 */
};

void dispatch_make(struct dispatch *p, const struct dispatch_in *in);
/* It is in the store: the log's and the figures' words about it.  id: of the
 * message in the log. */
void dispatch_log(
    const struct dispatch *p, const struct server *srv, const char *id);
void dispatch_fini(struct dispatch *p);

#endif
