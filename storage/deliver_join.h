/*
 * deliver_join.h - deliveries from many threads share transactions: what comes
 * while one runs makes up the next.  Each is all of it or nothing by itself; no
 * thread waits for another.
 */
#ifndef STORAGE_DELIVER_JOIN_H
#define STORAGE_DELIVER_JOIN_H

#include "storage/deliver.h"

struct plan;

struct deliver_join {
	struct deliver d; /* messages, targets, queue and submit only */
	struct err e;
	int rc; /* what deliver() would have said */
	/* Called when that is known, on this thread or on another that has
	 * joined: it may free all of this, and must not wait. */
	void (*done)(struct deliver_join *j);
	/* private */
	struct deliver_join *next;
	struct plan *plan;
};

/* The caller has d, e and done set, and lets go of it.  more: asked when it is
 * in line; true: another delivery comes soon, or deliver_join_go() is called,
 * and this one may wait for that.  NULL: none does. */
void deliver_join(struct store *s, struct deliver_join *j, bool (*more)(void));
/* None comes after all, from here: who waits does no longer, unless `more`. */
void deliver_join_go(struct store *s, bool (*more)(void));

/* Within storage/. */
struct joiner;
struct joiner *joiner_new(void);
void joiner_free(struct joiner **j);
/* Transactions so far that held more than one, and deliveries in them. */
void joiner_counts(
    struct joiner *j, uint64_t *shared_out, uint64_t *deliveries_out);

#endif
