/*
 * runner_priv.h - the runner's state; runner.c looks at the queue, crew.c has
 * the connections.
 */
#ifndef SUBMITD_RUNNER_PRIV_H
#define SUBMITD_RUNNER_PRIV_H

#include "submitd/ledger.h"
#include "submitd/relay.h"
#include "submitd/runner.h"
#include "submitd/sched.h"

enum {
	LOOK_ROWS = 256, /* read in one job */
	LOOK_SHARES = 64 /* for so many accounts */
};

/* One account's part of a look. */
struct look_share {
	struct share *share;
	uint64_t account;
	size_t room, first, n; /* of found[] */
	struct fresh *fresh;
	uint64_t *busy; /* claimed rows, sorted */
	size_t nbusy;
	int64_t next_at;
};

struct runner {
	struct server_loop *sl;
	struct relay_env env;
	uv_timer_t timer;
	struct sched sched;
	struct ledger ledger;
	struct board *board; /* rows at work, for `posthof queue list` */
	LIST_HEAD(, relay_node) relays;
	TAILQ_HEAD(, relay_node) idle; /* the oldest first */
	bool stopping, timer_closed;
	bool starting; /* crew_start() is at work */
	uint64_t looked_at;

	/* The look at the queue: one job at a time. */
	struct sjob look;
	bool looking, look_again;
	bool learn; /* which accounts have mail is not known */
	uint64_t learn_from;
	struct queue_sender *learnt;
	size_t nlearnt;
	struct look_share shares[LOOK_SHARES];
	size_t nshares;
	struct errand *found[LOOK_ROWS];
	size_t nfound;
};

static inline const struct conf *
runner_conf(const struct runner *r)
{
	return r->sl->srv->conf;
}

static inline uint64_t
runner_now_ms(const struct runner *r)
{
	return loop_now_ms(r->sl->loop);
}

/* Looks at the queue, now or when the look under way is over. */
void runner_look(struct runner *r);
/* The loop may end when nothing of the runner is under way. */
void runner_maybe_over(struct runner *r);

#endif
