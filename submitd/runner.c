#include "submitd/runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/board.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/net/dns.h"
#include "submitd/app.h"
#include "submitd/ledger.h"
#include "submitd/relay.h"
#include "submitd/release.h"
#include "submitd/route.h"
#include "submitd/sched.h"

enum {
	CLAIM_MAX = 1024,    /* rows in memory at once */
	LOOK_ROWS = 256,     /* of them read in one job */
	LOOK_SHARES = 64,    /* for so many accounts */
	SENDERS = 4096,      /* accounts learnt in one job */
	LOOK_MAX_MS = 60000, /* look at the queue at least this often */
	TICK_MS = 1000,      /* look at what is under way */
	GATHER_MS = 2,       /* between looks: many rows in each */
	BOARD_MAX = 10000,   /* connections at work that are shown */
	ROOM_MB = 16,        /* on the disk, for outcomes; else nothing goes */
	DOWN_MS = 60000,     /* leave a host alone that is not reached */
	AGE_MS = 300000      /* a connection's best years: names and
			      * addresses may have changed */
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

/* One account's part of a look. */
struct look_share {
	struct share *share;
	uint64_t account;
	size_t room, first, n; /* of found[] */
	uint64_t *busy;        /* claimed rows, sorted */
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
	bool starting; /* start_relays() is at work */
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

static void look(struct runner *r);
static void look_done(struct sjob *j);
static void start_relays(struct runner *r);

static const struct conf *
conf_of(const struct runner *r)
{
	return r->sl->srv->conf;
}

static struct runner *
runner_of(struct server_loop *sl)
{
	return app_of(sl->srv)->runner;
}

static uint64_t
now_ms(const struct runner *r)
{
	return loop_now_ms(r->sl->loop);
}

/*
 * The look.
 */

static int
cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool
is_busy(uint64_t id, void *arg)
{
	const struct look_share *ls = arg;

	return ls->nbusy != 0 &&
	       bsearch(&id, ls->busy, ls->nbusy, sizeof(id), cmp_u64) != NULL;
}

/* One row; what the sender wanted to wait is dispatched instead. */
static void
load(struct runner *r, struct server *srv, uint64_t id)
{
	struct errand *e;
	int rc = errand_load(r, srv->store, id, &e);

	if (rc == 0 && !waiting_may_go(srv, e, &rc)) {
		errand_free(&e);
		r->look.durable = true;
	} else if (rc == 0 && (e->row.flags & QUEUE_UNSENT)) {
		rc = release_row(srv, e);
		errand_free(&e);
		r->look.durable = true;
	} else if (rc == 0) {
		r->found[r->nfound++] = e;
	}
	if (rc != 0 && rc != ERR_NOTFOUND)
		log_error(
		    NULL, "queue", "load=%s row=%" PRIx64, err_name(rc), id);
}

static void
read_share(struct runner *r, struct server *srv, struct look_share *ls)
{
	uint64_t ids[LOOK_ROWS];
	size_t n = 0;
	int rc = queue_due(srv->store, ls->account, clock_wall_sec(), ids,
	    ls->room, is_busy, ls, &n, &ls->next_at);

	if (rc != 0) {
		log_error(NULL, "queue", "look=%s", err_name(rc));
		ls->next_at = clock_wall_sec() + 5;
		return;
	}
	ls->first = r->nfound;
	for (size_t i = 0; i < n; i++)
		load(r, srv, ids[i]);
	ls->n = r->nfound - ls->first;
}

static void
learn(struct runner *r, struct store *s)
{
	int rc =
	    queue_senders(s, r->learn_from, r->learnt, SENDERS, &r->nlearnt);

	if (rc != 0)
		log_error(NULL, "queue", "look=%s", err_name(rc));
}

static void
look_work(struct sjob *j)
{
	struct runner *r = PH_CONTAINER(j, struct runner, look);

	r->nfound = r->nlearnt = 0;
	if (r->learn)
		learn(r, j->srv->store);
	for (size_t i = 0; i < r->nshares; i++)
		read_share(r, j->srv, &r->shares[i]);
}

static void
note_busy(struct look_share *ls)
{
	const struct errand *e;

	ls->busy = xcalloc(ls->share->claimed + 1, sizeof(*ls->busy));
	ls->nbusy = 0;
	LIST_FOREACH(e, &ls->share->errands, of_share)
		ls->busy[ls->nbusy++] = e->row.id;
	qsort(ls->busy, ls->nbusy, sizeof(*ls->busy), cmp_u64);
}

/* Whose rows are read, and how many of each. */
static void
choose(struct runner *r)
{
	size_t left = LOOK_ROWS, room;
	struct share *h;

	r->nshares = 0;
	while (r->nshares < LOOK_SHARES && left != 0 &&
	       (h = sched_look(&r->sched, &room)) != NULL) {
		struct look_share *ls = &r->shares[r->nshares++];

		if (room > left)
			room = left;
		left -= room;
		*ls = (struct look_share){
			.share = h, .account = h->account, .room = room
		};
		note_busy(ls);
	}
}

/* Nothing is sent whose outcome could not be written. */
static bool
may_start(const struct runner *r)
{
	return !r->stopping && !ledger_sick(&r->ledger) &&
	       store_has_room(r->sl->srv->store, (uint64_t)ROOM_MB << 20);
}

static void
on_timer(uv_timer_t *t)
{
	struct runner *r = t->data;
	struct relay_node *node, *then;

	ledger_tick(&r->ledger, now_ms(r));

	for (node = LIST_FIRST(&r->relays); node != NULL; node = then) {
		then = LIST_NEXT(node, link);
		relay_tick(node->relay, now_ms(r));
	}
	start_relays(r);
	look(r);
}

static void
plan_look(struct runner *r)
{
	int64_t wait = LOOK_MAX_MS, until;
	int64_t wake_at = sched_wake(&r->sched, clock_wall_sec());

	if (wake_at != INT64_MAX) {
		until = wake_at * 1000 - clock_wall_ms();
		if (until < wait)
			wait = until > 0 ? until : 0;
	}
	/* The last two: what keeps us from going on says nothing at its end. */
	if (wait > TICK_MS &&
	    (!LIST_EMPTY(&r->relays) || r->sched.ndue != 0 ||
		!TAILQ_EMPTY(&r->sched.busy) || ledger_sick(&r->ledger)))
		wait = TICK_MS;
	uv_timer_start(&r->timer, on_timer, (uint64_t)wait, 0);
}

static void
look(struct runner *r)
{
	if (r->stopping)
		return;
	r->look_again = r->looking;
	if (r->looking)
		return;
	(void)sched_wake(&r->sched, clock_wall_sec());
	if (r->sched.ndue != 0 && now_ms(r) - r->looked_at < GATHER_MS) {
		uv_timer_start(&r->timer, on_timer, GATHER_MS, 0);
		return;
	}
	r->nshares = 0;
	if (may_start(r))
		choose(r);
	if (r->nshares == 0 && !r->learn) {
		plan_look(r);
		return;
	}
	r->looking = true;
	r->look.work = look_work;
	r->look.done = look_done;
	sjob_submit(r->sl, &r->look);
}

/* The loop may end when nothing of the runner is under way. */
static void
maybe_over(struct runner *r)
{
	if (r->stopping && r->timer_closed && !r->looking &&
	    LIST_EMPTY(&r->relays) && ledger_empty(&r->ledger))
		server_release(r->sl);
}

static void
write_off(struct runner *r, struct errand *e)
{
	static const enum figure which[] = { [OUT_SENT] = FIG_RELAY_SENT,
		[OUT_TEMP] = FIG_RELAY_DEFERRED,
		[OUT_PERM] = FIG_RELAY_FAILED };

	for (size_t i = 0; i < e->row.nrcpts; i++)
		if (e->out[i] != OUT_NONE)
			figures_add(r->sl->srv->figures, which[e->out[i]], 1);
	ledger_add(&r->ledger, e);
}

/* What is due waits for a connection; where nobody was reached a moment ago
 * the answer is known. */
static void
take_in(struct runner *r, struct errand *e)
{
	struct dest *d;

	sched_add(&r->sched, e, route_key(conf_of(r), e->domain));
	d = e->dest;
	if (now_ms(r) >= d->down_until)
		return;
	sched_unlink(&r->sched, e);
	errand_set_all(e, OUT_TEMP, d->down_remote, d->down_text);
	write_off(r, e);
}

static void
take_learnt(struct runner *r)
{
	int64_t now = clock_wall_sec();

	if (!r->learn)
		return;
	for (size_t i = 0; i < r->nlearnt; i++)
		sched_told(
		    &r->sched, r->learnt[i].account, r->learnt[i].next_at, now);
	r->learn = r->nlearnt == SENDERS;
	r->look_again = true;
	r->learn_from = r->learn ? r->learnt[SENDERS - 1].account + 1 : 0;
}

static void
look_done(struct sjob *j)
{
	struct runner *r = PH_CONTAINER(j, struct runner, look);
	int64_t now = clock_wall_sec();

	r->looking = false;
	r->looked_at = now_ms(r);
	for (size_t i = 0; i < r->nshares; i++) {
		struct look_share *ls = &r->shares[i];

		free(ls->busy);
		for (size_t k = ls->first; k < ls->first + ls->n; k++)
			if (r->stopping)
				errand_free(&r->found[k]);
			else
				take_in(r, r->found[k]);
		sched_looked(&r->sched, ls->share, ls->next_at, now);
	}
	if (r->stopping) {
		maybe_over(r);
		return;
	}
	take_learnt(r);
	start_relays(r);
	if (r->look_again)
		look(r);
	else
		plan_look(r);
}

/*
 * Connections.
 */

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

	bool keep = may_start(r) && relay_age_ms(node->relay) < AGE_MS &&
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

static void
go_on(struct relay_node *node)
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
	write_off(node->runner, e);
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
	uint64_t ms = conf_of(node->runner)->queue_retry_first;
	struct dest *d = node->dest;

	(void)relay;
	sched_bad(d);
	if (out != OUT_TEMP)
		return;
	d->down_until = now_ms(node->runner) + (ms < DOWN_MS ? ms : DOWN_MS);
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
		maybe_over(r);
		return;
	}
	/* The slot is anybody's. */
	start_relays(r);
	look(r);
}

static const struct relay_ops relay_ops = {
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

static void
start_relays(struct runner *r)
{
	const struct conf *conf = conf_of(r);
	struct dest *d;
	struct errand *e;

	if (!may_start(r) || r->starting)
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

static void
on_written(struct errand *e)
{
	struct runner *r = e->runner;
	uint64_t account = e->row.account;
	struct relay_node *node = e->node;

	sched_told(&r->sched, account, e->gone ? INT64_MAX : e->row.next_at,
	    clock_wall_sec());
	sched_done(&r->sched, e);
	errand_free(&e);
	if (node != NULL)
		go_on(node);
	if (r->stopping)
		maybe_over(r);
	else
		look(r); /* there is room again */
}

/*
 * The process.
 */

static void
open_board(struct runner *r)
{
	char *path = xasprintf("%s/sessions/relays", r->sl->srv->conf->run_dir);

	if ((r->board = board_new(path, BOARD_MAX)) == NULL)
		log_warn(NULL, "sessions", "path=%s failed=1", path);
	free(path);
}

int
runner_start(struct server_loop *sl)
{
	struct runner *r = xcalloc(1, sizeof(*r));
	struct err e = { 0 };
	int rc;

	r->sl = sl;
	r->env.sl = sl;
	r->env.ops = &relay_ops;
	LIST_INIT(&r->relays);
	TAILQ_INIT(&r->idle);
	if ((rc = dns_new(sl->loop, conf_of(r)->resolver, &r->env.dns, &e)) !=
		0 ||
	    (rc = tls_client_new(conf_of(r)->tls_ca, false, &r->env.tls, &e)) !=
		0 ||
	    (rc = tls_client_new(
		 conf_of(r)->tls_ca, true, &r->env.tls_verify, &e)) != 0) {
		log_error(NULL, "runner", "failed=\"%s\" detail=\"%s\"", e.text,
		    e.detail);
		dns_free(&r->env.dns);
		tls_client_free(&r->env.tls);
		free(r);
		return rc;
	}
	dns_set_timeout(r->env.dns, conf_of(r)->resolver_timeout);
	sched_init(&r->sched, CLAIM_MAX, conf_of(r)->relay_connections,
	    conf_of(r)->relay_connections_per_domain);
	ledger_init(&r->ledger, sl, on_written);
	open_board(r);
	r->learnt = xcalloc(SENDERS, sizeof(*r->learnt));
	r->learn = true;
	app_of(sl->srv)->runner = r;
	server_hold(sl);
	uv_timer_init(loop_uv(sl->loop), &r->timer);
	r->timer.data = r;
	look(r);
	return 0;
}

/* An operator has changed the row: what waits here is not true any more. */
static void
forget(struct runner *r, uint64_t id)
{
	struct errand *e = sched_find(&r->sched, id);

	if (e == NULL || e->lane == NULL)
		return;
	sched_done(&r->sched, e);
	errand_free(&e);
}

void
runner_notify(struct server_loop *sl, const struct notify_event *ev, size_t n)
{
	struct runner *r = runner_of(sl);
	int64_t now = clock_wall_sec();
	bool queue = false;

	for (size_t i = 0; i < n; i++) {
		if (ev[i].kind != NOTIFY_QUEUE)
			continue;
		queue = true;
		if (ev[i].account == 0) {
			r->learn = true;
			r->learn_from = 0;
			continue;
		}
		forget(r, ev[i].account);
		/* Perhaps only later: the look tells. */
		sched_told(&r->sched, ev[i].folder, now, now);
	}
	if (queue)
		look(r);
}

static void
on_timer_closed(uv_handle_t *h)
{
	struct runner *r = h->data;

	r->timer_closed = true;
	maybe_over(r);
}

/* What waits or is under way has no outcome: its rows are due as they were. */
void
runner_stop(struct server_loop *sl)
{
	struct runner *r = runner_of(sl);
	struct relay_node *node, *then;

	r->stopping = true;
	for (node = LIST_FIRST(&r->relays); node != NULL; node = then) {
		then = LIST_NEXT(node, link);
		relay_abort(node->relay);
	}
	ledger_stop(&r->ledger);
	dns_free(&r->env.dns);
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}

void
runner_free(struct server *srv)
{
	struct runner *r = app_of(srv)->runner;

	if (r == NULL)
		return;
	sched_fini(&r->sched);
	tls_client_free(&r->env.tls);
	tls_client_free(&r->env.tls_verify);
	free(r->learnt);
	board_free(&r->board);
	free(r);
	app_of(srv)->runner = NULL;
}
