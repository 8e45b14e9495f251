#include "submitd/runner_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/board.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/net/dns.h"
#include "submitd/app.h"
#include "submitd/crew.h"
#include "submitd/fresh.h"
#include "submitd/release.h"
#include "submitd/route.h"

enum {
	CLAIM_MAX = 1024,    /* rows in memory at once */
	SENDERS = 4096,      /* accounts learnt in one job */
	LOOK_MAX_MS = 60000, /* look at the queue at least this often */
	TICK_MS = 1000,      /* look at what is under way */
	GATHER_MS = 2,       /* between looks: many rows in each */
	BOARD_MAX = 10000    /* connections at work that are shown */
};

static void look_done(struct sjob *j);

static struct runner *
runner_of(struct server_loop *sl)
{
	return app_of(sl->srv)->runner;
}

static struct fresh *
fresh_of(const struct runner *r)
{
	return app_of(r->sl->srv)->fresh;
}

/* Who has much to do is to be told, and looks. */
static void
open_fresh(struct runner *r)
{
	fresh_set_open(fresh_of(r), !r->stopping && r->sched.ndue == 0 &&
					r->sched.claimed.n < FRESH_MAX);
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

	return (ls->nbusy != 0 && bsearch(&id, ls->busy, ls->nbusy, sizeof(id),
				      cmp_u64) != NULL) ||
	       fresh_has(ls->fresh, id);
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
		*ls = (struct look_share){ .share = h,
			.account = h->account,
			.room = room,
			.fresh = fresh_of(r) };
		note_busy(ls);
	}
}

static void
on_timer(uv_timer_t *t)
{
	struct runner *r = t->data;

	ledger_tick(&r->ledger, runner_now_ms(r));

	crew_tick(r);
	crew_start(r);
	runner_look(r);
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

void
runner_look(struct runner *r)
{
	if (r->stopping)
		return;
	r->look_again = r->looking;
	if (r->looking)
		return;
	(void)sched_wake(&r->sched, clock_wall_sec());
	if (r->sched.ndue != 0 && runner_now_ms(r) - r->looked_at < GATHER_MS) {
		uv_timer_start(&r->timer, on_timer, GATHER_MS, 0);
		return;
	}
	r->nshares = 0;
	if (crew_may_start(r))
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

void
runner_maybe_over(struct runner *r)
{
	if (r->stopping && r->timer_closed && !r->looking &&
	    LIST_EMPTY(&r->relays) && ledger_empty(&r->ledger))
		server_release(r->sl);
}

/* What is due waits for a connection; where nobody was reached a moment ago
 * the answer is known. */
static void
take_in(struct runner *r, struct errand *e)
{
	struct dest *d;

	sched_add(&r->sched, e, route_key(runner_conf(r), e->domain));
	d = e->dest;
	if (runner_now_ms(r) >= d->down_until)
		return;
	sched_unlink(&r->sched, e);
	errand_set_all(e, OUT_TEMP, d->down_remote, d->down_text);
	crew_write_off(r, e);
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
	r->looked_at = runner_now_ms(r);
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
		runner_maybe_over(r);
		return;
	}
	take_learnt(r);
	crew_start(r);
	if (r->look_again)
		runner_look(r);
	else
		plan_look(r);
	open_fresh(r);
}

/* What was brought, one by one; true: others have to be looked for. */
static bool
take_fresh(struct runner *r)
{
	int64_t now = clock_wall_sec();
	bool look = false, as_is;
	struct errand *e;

	while ((e = fresh_take(fresh_of(r), &as_is)) != NULL) {
		if (as_is && !r->stopping && crew_may_start(r) &&
		    sched_accepts(&r->sched, e->row.account)) {
			e->runner = r;
			take_in(r, e);
			continue;
		}
		sched_told(&r->sched, e->row.account, now, now);
		errand_free(&e);
		look = true;
	}
	return look;
}

void
runner_fresh(struct server_loop *sl)
{
	struct runner *r = runner_of(sl);
	bool look = take_fresh(r);

	if (r->stopping)
		return;
	crew_start(r);
	if (look || r->sched.ndue != 0)
		runner_look(r);
	else if (!r->looking)
		plan_look(r);
	open_fresh(r);
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
		crew_go_on(node);
	if (r->stopping)
		runner_maybe_over(r);
	else
		runner_look(r); /* there is room again */
	open_fresh(r);
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
	r->env.ops = &crew_ops;
	LIST_INIT(&r->relays);
	TAILQ_INIT(&r->idle);
	if ((rc = dns_new(
		 sl->loop, runner_conf(r)->resolver, &r->env.dns, &e)) != 0 ||
	    (rc = tls_client_new(
		 runner_conf(r)->tls_ca, false, &r->env.tls, &e)) != 0 ||
	    (rc = tls_client_new(
		 runner_conf(r)->tls_ca, true, &r->env.tls_verify, &e)) != 0) {
		log_error(NULL, "runner", "failed=\"%s\" detail=\"%s\"", e.text,
		    e.detail);
		dns_free(&r->env.dns);
		tls_client_free(&r->env.tls);
		free(r);
		return rc;
	}
	dns_set_timeout(r->env.dns, runner_conf(r)->resolver_timeout);
	sched_init(&r->sched, CLAIM_MAX, runner_conf(r)->relay_connections,
	    runner_conf(r)->relay_connections_per_domain);
	ledger_init(&r->ledger, sl, on_written);
	open_board(r);
	r->learnt = xcalloc(SENDERS, sizeof(*r->learnt));
	r->learn = true;
	app_of(sl->srv)->runner = r;
	server_hold(sl);
	uv_timer_init(loop_uv(sl->loop), &r->timer);
	r->timer.data = r;
	runner_look(r);
	return 0;
}

/* An operator has changed the row: what waits here is not true any more. */
static void
forget(struct runner *r, uint64_t id)
{
	struct errand *e = sched_find(&r->sched, id);

	fresh_changed(fresh_of(r), id);
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
		runner_look(r);
}

static void
on_timer_closed(uv_handle_t *h)
{
	struct runner *r = h->data;

	r->timer_closed = true;
	runner_maybe_over(r);
}

/* What waits or is under way has no outcome: its rows are due as they were. */
void
runner_stop(struct server_loop *sl)
{
	struct runner *r = runner_of(sl);

	r->stopping = true;
	open_fresh(r);
	crew_abort(r);
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
