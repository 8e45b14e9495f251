#include "submitd/crew.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/board.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
	ROOM_MB = 16,    /* on the disk, for outcomes; else nothing goes */
	DOWN_MS = 60000, /* leave a host alone that is not reached */
	AGE_MS = 300000  /* a connection's best years: names and addresses may
			  * have changed */
};

struct relay_node {
	LIST_ENTRY(relay_node) link;
	TAILQ_ENTRY(relay_node) idle_link;
	struct relay *relay;
	struct runner *runner;
	struct dest *dest;
	struct share *share;      /* whose mail it is at, NULL: idle */
	struct errand *unwritten; /* sent, and not on disk yet */
	int32_t on_board;         /* what it is at */
	bool idle;
};

/* Nothing is sent whose outcome could not be written. */
bool
crew_may_start(const struct runner *r)
{
	return !r->stopping && !ledger_sick(&r->ledger) &&
	       store_has_room(r->sl->srv->store, (uint64_t)ROOM_MB << 20);
}

void
crew_write_off(struct runner *r, struct errand *e)
{
	static const enum figure which[] = { [OUT_SENT] = FIG_RELAY_SENT,
		[OUT_TEMP] = FIG_RELAY_DEFERRED,
		[OUT_PERM] = FIG_RELAY_FAILED };

	for (size_t i = 0; i < e->row.nrcpts; i++)
		if (e->out[i] != OUT_NONE)
			figures_add(r->sl->srv->figures, which[e->out[i]], 1);
	ledger_add(&r->ledger, e);
}

/* Which share's mail the connection carries, for its part of them all. */
static void
work_for(struct relay_node *node, struct share *h)
{
	if (node->share != NULL)
		sched_work(&node->runner->sched, node->share, -1);
	node->share = h;
	if (h != NULL)
		sched_work(&node->runner->sched, h, 1);
}

static void
show(struct relay_node *node, const struct errand *e)
{
	struct board_slot s = { .number = e->row.id,
		.account = e->row.account,
		.since_sec = clock_wall_sec() };

	(void)slice_copy(slice_str(e->domain), s.name, sizeof(s.name));
	node->on_board = board_enter(node->runner->board, &s);
}

static void
unshow(struct relay_node *node)
{
	if (node->on_board != BOARD_NONE)
		board_leave(node->runner->board, node->on_board);
	node->on_board = BOARD_NONE;
}

static void
set_idle(struct relay_node *node, bool idle)
{
	if (node->idle == idle)
		return;
	node->idle = idle;
	if (idle)
		TAILQ_INSERT_TAIL(&node->runner->idle, node, idle_link);
	else
		TAILQ_REMOVE(&node->runner->idle, node, idle_link);
}

static struct errand *
next_for(struct relay_node *node, enum relay_keep *keep_out)
{
	struct runner *r = node->runner;
	struct dest *d = node->dest;
	size_t relays_max = r->sched.relays_max;
	struct errand *e = NULL;

	bool keep = crew_may_start(r) && relay_age_ms(node->relay) < AGE_MS &&
		    (double)d->relays <= d->limit &&
		    !sched_starves(&r->sched, node->share);

	if (keep)
		e = sched_take_next(&r->sched, d, node->share);
	/* The last quarter is for who has none, not for who may want more. */
	if (e == NULL && r->sched.relays > relays_max - relays_max / 4)
		keep = false;
	work_for(node, e != NULL ? e->share : NULL);
	if (e != NULL)
		show(node, e);
	set_idle(node, e == NULL && keep);
	*keep_out = keep ? RELAY_KEEP : RELAY_QUIT;
	return e;
}

/* What was sent goes to disk before more is sent: when we die, no more than
 * the last mail of each connection goes twice. */
static struct errand *
on_next(struct relay *relay, void *arg, enum relay_keep *keep_out)
{
	struct relay_node *node = arg;

	(void)relay;
	if (node->unwritten == NULL || node->runner->stopping)
		return next_for(node, keep_out);
	*keep_out = RELAY_KEEP_ON;
	return NULL;
}

void
crew_go_on(struct relay_node *node)
{
	enum relay_keep keep;
	struct errand *e;

	node->unwritten = NULL;
	if (!relay_is_idle(node->relay))
		return;
	if ((e = next_for(node, &keep)) != NULL)
		relay_wake(node->relay, e);
	else if (keep == RELAY_QUIT)
		relay_quit(node->relay);
	else
		relay_rest(node->relay);
}

static void
on_settled(struct relay *relay, struct errand *e, void *arg)
{
	struct relay_node *node = arg;

	(void)relay;
	unshow(node);
	for (size_t i = 0; i < e->row.nrcpts; i++)
		if (e->out[i] == OUT_SENT)
			node->unwritten = e;
	if (node->unwritten == e)
		e->node = node;
	crew_write_off(node->runner, e);
}

static void
on_health(struct relay *relay, void *arg, bool good)
{
	const struct relay_node *node = arg;

	(void)relay;
	if (good)
		sched_good(&node->runner->sched, node->dest);
	else
		sched_bad(node->dest);
}

static void
on_unreached(struct relay *relay, void *arg, enum outcome out,
    const char *remote, const char *why)
{
	const struct relay_node *node = arg;
	uint64_t ms = runner_conf(node->runner)->queue_retry_first;
	struct dest *d = node->dest;

	(void)relay;
	sched_bad(d);
	if (out != OUT_TEMP)
		return;
	d->down_until =
	    runner_now_ms(node->runner) + (ms < DOWN_MS ? ms : DOWN_MS);
	(void)snprintf(d->down_remote, sizeof(d->down_remote), "%s", remote);
	(void)snprintf(d->down_text, sizeof(d->down_text), "%s", why);
}

static void
on_gone(struct relay *relay, void *arg)
{
	struct relay_node *node = arg;
	struct runner *r = node->runner;

	(void)relay;
	if (node->unwritten != NULL)
		node->unwritten->node = NULL;
	unshow(node);
	set_idle(node, false);
	work_for(node, NULL);
	LIST_REMOVE(node, link);
	sched_detach(&r->sched, node->dest);
	free(node);
	if (r->stopping) {
		runner_maybe_over(r);
		return;
	}
	/* The slot is anybody's. */
	crew_start(r);
	runner_look(r);
}

const struct relay_ops crew_ops = {
	.next = on_next,
	.settled = on_settled,
	.health = on_health,
	.unreached = on_unreached,
	.gone = on_gone,
};

static void
connect_for(struct runner *r, struct dest *d, struct errand *e)
{
	struct relay_node *node = xcalloc(1, sizeof(*node));

	node->runner = r;
	node->dest = d;
	LIST_INSERT_HEAD(&r->relays, node, link);
	sched_attach(&r->sched, d);
	work_for(node, e->share);
	node->on_board = BOARD_NONE;
	show(node, e);
	node->relay = relay_start(&r->env, d->domain, e, node);
}

/* Connections that wait for work take what has come for their hosts. */
static void
wake_idle(struct runner *r)
{
	struct relay_node *node, *then;
	struct errand *e;

	for (node = TAILQ_FIRST(&r->idle); node != NULL; node = then) {
		then = TAILQ_NEXT(node, idle_link);
		if (!relay_is_idle(node->relay) ||
		    (e = sched_take_next(&r->sched, node->dest, NULL)) == NULL)
			continue;
		set_idle(node, false);
		work_for(node, e->share);
		show(node, e);
		relay_wake(node->relay, e);
	}
}

/* All connections are taken, some idly: the oldest makes room. */
static void
make_room(struct runner *r)
{
	struct relay_node *node = TAILQ_FIRST(&r->idle);

	if (node == NULL || r->sched.relays < r->sched.relays_max ||
	    TAILQ_EMPTY(&r->sched.busy))
		return;
	set_idle(node, false);
	relay_quit(node->relay);
}

void
crew_start(struct runner *r)
{
	const struct conf *conf = runner_conf(r);
	struct dest *d;
	struct errand *e;

	if (!crew_may_start(r) || r->starting)
		return;
	r->starting = true;
	r->sched.relays_max = conf->relay_connections;
	r->sched.dest_max = conf->relay_connections_per_domain;
	wake_idle(r);
	make_room(r);
	while (r->sched.relays < r->sched.relays_max &&
	       (e = sched_take_new(&r->sched, &d)) != NULL)
		connect_for(r, d, e);
	r->starting = false;
}

void
crew_tick(struct runner *r)
{
	struct relay_node *node, *then;

	for (node = LIST_FIRST(&r->relays); node != NULL; node = then) {
		then = LIST_NEXT(node, link);
		relay_tick(node->relay, runner_now_ms(r));
	}
}

void
crew_abort(struct runner *r)
{
	struct relay_node *node, *then;

	for (node = LIST_FIRST(&r->relays); node != NULL; node = then) {
		then = LIST_NEXT(node, link);
		relay_abort(node->relay);
	}
}
