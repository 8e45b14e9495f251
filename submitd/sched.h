/*
 * sched.h - whose mail goes next, and where to.  Pure.
 *
 * A share is an account that has mail in the queue; a destination is a domain,
 * or all of them behind one host.  Rows are claimed and connections given
 * share by share in turn, and no share takes the last of either: a mailing of
 * 50,000 never delays another account's single mail.
 *
 * How many connections a destination gets follows from what it makes of them:
 * one more for as many mails as there are connections, half when one fails.
 * Who is not to be reached at all is left alone for a while.
 */
#ifndef SUBMITD_SCHED_H
#define SUBMITD_SCHED_H

#include "lib/base/map.h"
#include "submitd/errand.h"

struct lane;
TAILQ_HEAD(lane_list, lane);

struct share {
	uint64_t account;
	LIST_ENTRY(share) all;
	TAILQ_ENTRY(share) due_link, busy_link;
	bool is_due, is_busy;
	int64_t next_at; /* of its rows that are not claimed; INT64_MAX */
	size_t claimed;  /* rows in memory */
	size_t relays;   /* connections at work for it */
	bool looking;    /* a job reads its rows */
	LIST_HEAD(, errand) errands;
	struct lane_list lanes; /* where its mail waits for a connection */
};

struct dest {
	TAILQ_ENTRY(dest) idle_link;
	char key[256], domain[256];
	struct lane_list lanes; /* whose mail waits here */
	size_t relays;
	double limit;        /* connections it may have now */
	uint64_t down_until; /* ms; not reached when last tried */
	char down_remote[320], down_text[QUEUE_REPLY_MAX];
};

struct sched {
	struct map shares, dests, claimed; /* account, key, queue id */
	LIST_HEAD(, share) all;
	TAILQ_HEAD(, share) due, busy; /* in turn */
	TAILQ_HEAD(, dest) idle;       /* remembered, oldest first */
	size_t nidle, ndue;
	int64_t wake_at; /* the first share that is not due is due then */
	size_t relays;
	/* limits */
	size_t claim_max, relays_max, dest_max;
};

void sched_init(
    struct sched *s, size_t claim_max, size_t relays_max, size_t dest_max);
/* Frees all errands, too. */
void sched_fini(struct sched *s);

/* A row of the account is due at this second. */
void sched_told(struct sched *s, uint64_t account, int64_t at, int64_t now);
/* Moves up whoever has become due; when that is next, INT64_MAX: never. */
int64_t sched_wake(struct sched *s, int64_t now);

/* The next share whose rows are to be claimed, and how many at most; NULL:
 * none, or no room.  It is out of turn until sched_looked(). */
struct share *sched_look(struct sched *s, size_t *room_out);
/* at: when the rows that were not claimed are due. */
void sched_looked(struct sched *s, struct share *h, int64_t at, int64_t now);

/* May one more row of the account be claimed, without a look: none of its own
 * is due before, and there is room. */
bool sched_accepts(const struct sched *s, uint64_t account);
/* A claimed row waits for a connection; key names its destination. */
void sched_add(struct sched *s, struct errand *e, const char *key);
/* The row is not in memory any more. */
void sched_done(struct sched *s, struct errand *e);
/* Takes a waiting errand out of its lane. */
void sched_unlink(struct sched *s, struct errand *e);
struct errand *sched_find(const struct sched *s, uint64_t id);

/* The next errand that may have a new connection, NULL: none.  The caller
 * then counts it with sched_attach(). */
struct errand *sched_take_new(struct sched *s, struct dest **dest_out);
/* The next for a connection that exists and last worked for `last` (NULL: it
 * was idle). */
struct errand *sched_take_next(
    struct sched *s, struct dest *d, const struct share *last);
/* Somebody has no connection at all and all are taken, some by `h` more than
 * once: it should end one. */
bool sched_starves(const struct sched *s, const struct share *h);

/* A connection to d was made, or is no more. */
void sched_attach(struct sched *s, struct dest *d);
void sched_detach(struct sched *s, struct dest *d);
/* A connection begins or ends to work for h. */
void sched_work(struct sched *s, struct share *h, int by);
/* d took mail over a connection, or failed to. */
void sched_good(const struct sched *s, struct dest *d);
void sched_bad(struct dest *d);

#endif
