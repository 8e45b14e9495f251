#include "submitd/runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/net/dns.h"
#include "submitd/app.h"
#include "submitd/relay.h"
#include "submitd/release.h"

enum {
	CLAIM_MAX = 256,     /* rows in memory at once */
	LOOK_MAX_MS = 60000, /* look at the queue at least this often */
	SICK_MS = 30000      /* pause when outcomes cannot be written */
};

/* A destination with errands: a domain, or all of them behind a smart host. */
struct dest {
	struct runner *runner;
	char key[256], domain[256];
	struct errand_list waiting;
	size_t relays;
};

struct relay_node {
	LIST_ENTRY(relay_node) link;
	struct relay *relay;
	struct dest *dest;
};

struct runner {
	struct server_loop *sl;
	struct relay_env env;
	uv_timer_t timer;
	struct map dests;  /* domain -> struct dest */
	struct map active; /* queue id -> itself: rows in memory */
	LIST_HEAD(, relay_node) relays;
	size_t nrelays;
	bool stopping, timer_closed;
	uint64_t sick_until; /* loop's clock; nothing is started before */

	/* The look at the queue: one job at a time. */
	struct sjob look;
	bool looking, look_again;
	uint64_t *busy; /* active ids as of submission, sorted */
	size_t nbusy;
	size_t room; /* rows to claim at most */
	struct errand *found[CLAIM_MAX];
	size_t nfound;
	int64_t next_at;
};

static void look(struct runner *r);
static void start_relays(struct dest *d);
static bool start_dest(struct slice key, void *value, void *arg);

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

static int
cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool
is_busy(uint64_t id, void *arg)
{
	const struct runner *r = arg;

	return r->nbusy != 0 &&
	       bsearch(&id, r->busy, r->nbusy, sizeof(id), cmp_u64) != NULL;
}

static void
look_work(struct sjob *j)
{
	struct runner *r = PH_CONTAINER(j, struct runner, look);
	uint64_t ids[CLAIM_MAX];
	size_t n = 0;
	int rc = queue_due(j->srv->store, clock_wall_sec(), ids, r->room,
	    is_busy, r, &n, &r->next_at);

	if (rc != 0) {
		log_error(NULL, "queue", "look=%s", err_name(rc));
		r->next_at = clock_wall_sec() + 5;
	}
	r->nfound = 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		int bad =
		    errand_load(r, j->srv->store, ids[i], &r->found[r->nfound]);

		if (bad == 0 &&
		    (r->found[r->nfound]->row.flags & QUEUE_UNSENT)) {
			bad = release_row(j->srv, r->found[r->nfound]);
			errand_free(&r->found[r->nfound]);
			j->durable = true;
		} else if (bad == 0) {
			r->nfound++;
		}
		if (bad != 0 && bad != ERR_NOTFOUND)
			log_error(NULL, "queue", "load=%s row=%" PRIx64,
			    err_name(bad), ids[i]);
	}
}

static void
on_timer(uv_timer_t *t)
{
	struct runner *r = t->data;

	map_each(&r->dests, start_dest, NULL);
	look(r);
}

static void
plan_look(struct runner *r)
{
	int64_t wait = LOOK_MAX_MS, until;

	if (r->next_at != INT64_MAX) {
		until = r->next_at * 1000 - clock_wall_ms();
		if (until < wait)
			wait = until > 0 ? until : 0;
	}
	/* Rows that are due but found no room are looked for when some ends. */
	if (r->active.n >= CLAIM_MAX && wait < 1000)
		wait = 1000;
	if (loop_now_ms(r->sl->loop) < r->sick_until)
		wait = SICK_MS;
	uv_timer_start(&r->timer, on_timer, (uint64_t)wait, 0);
}

static struct dest *
dest_for(struct runner *r, const char *domain)
{
	/* Behind a smart host every domain is the same destination. */
	const char *key = conf_of(r)->smarthost[0] != '\0' ? "*" : domain;
	struct dest *d = map_get(&r->dests, slice_str(key));

	if (d != NULL)
		return d;
	d = xcalloc(1, sizeof(*d));
	d->runner = r;
	TAILQ_INIT(&d->waiting);
	(void)snprintf(d->key, sizeof(d->key), "%s", key);
	(void)snprintf(d->domain, sizeof(d->domain), "%s", domain);
	(void)map_put(&r->dests, slice_str(key), d);
	return d;
}

static void
dest_done(struct dest *d)
{
	if (d->relays != 0 || !TAILQ_EMPTY(&d->waiting))
		return;
	(void)map_del(&d->runner->dests, slice_str(d->key));
	free(d);
}

static void
errand_over(struct runner *r, struct errand *e)
{
	(void)map_del_u64(&r->active, e->row.id);
	errand_free(&e);
}

/* The loop may end when nothing of the runner is under way. */
static void
maybe_over(struct runner *r)
{
	if (r->stopping && r->timer_closed && !r->looking && r->nrelays == 0)
		server_release(r->sl);
}

/*
 * Fair between accounts: of what was found, each account's first errand comes
 * before anybody's second.
 */
static void
queue_fairly(struct runner *r)
{
	size_t left = r->nfound;

	while (left != 0) {
		struct map seen;

		map_init(&seen);
		for (size_t i = 0; i < r->nfound; i++) {
			struct errand *e = r->found[i];

			if (e == NULL ||
			    map_put_u64(&seen, e->row.account, e) != NULL)
				continue;
			(void)map_put_u64(&r->active, e->row.id, e);
			e->dest = dest_for(r, e->domain);
			TAILQ_INSERT_TAIL(&e->dest->waiting, e, link);
			r->found[i] = NULL;
			left--;
		}
		map_fini(&seen, NULL);
	}
	r->nfound = 0;
}

static bool
start_dest(struct slice key, void *value, void *arg)
{
	(void)key, (void)arg;
	start_relays(value);
	return true;
}

static void
look_done(struct sjob *j)
{
	struct runner *r = PH_CONTAINER(j, struct runner, look);

	r->looking = false;
	free(r->busy);
	r->busy = NULL;
	if (r->stopping) {
		for (size_t i = 0; i < r->nfound; i++)
			errand_free(&r->found[i]);
		maybe_over(r);
		return;
	}
	queue_fairly(r);
	map_each(&r->dests, start_dest, NULL);
	if (r->look_again)
		look(r);
	else
		plan_look(r);
}

struct ids {
	uint64_t *v;
	size_t n;
};

static bool
collect_id(struct slice key, void *value, void *arg)
{
	struct ids *ids = arg;

	(void)key;
	ids->v[ids->n++] = ((const struct errand *)value)->row.id;
	return true;
}

static void
start_look(struct runner *r)
{
	struct ids ids = { 0 };

	ids.v = xcalloc(r->active.n, sizeof(*ids.v));
	map_each(&r->active, collect_id, &ids);
	qsort(ids.v, ids.n, sizeof(*ids.v), cmp_u64);
	r->busy = ids.v;
	r->nbusy = ids.n;
	r->room = CLAIM_MAX - r->active.n;
	r->looking = true;
	r->look.work = look_work;
	r->look.done = look_done;
	sjob_submit(r->sl, &r->look);
}

static void
look(struct runner *r)
{
	if (r->stopping)
		return;
	r->look_again = r->looking;
	if (r->looking)
		return;
	if (loop_now_ms(r->sl->loop) < r->sick_until)
		plan_look(r);
	else if (r->active.n < CLAIM_MAX)
		start_look(r);
}

static struct errand *
take_waiting(struct dest *d)
{
	struct errand *e = TAILQ_FIRST(&d->waiting);

	if (e != NULL) {
		TAILQ_REMOVE(&d->waiting, e, link);
		e->dest = NULL;
	}
	return e;
}

static bool
may_start(const struct runner *r)
{
	return !r->stopping && loop_now_ms(r->sl->loop) >= r->sick_until;
}

static struct errand *
on_next(struct relay *relay, void *arg)
{
	struct relay_node *node = arg;

	(void)relay;
	return may_start(node->dest->runner) ? take_waiting(node->dest) : NULL;
}

static struct relay_node *
node_of(struct runner *r, const struct errand *e)
{
	struct relay_node *node;

	LIST_FOREACH(node, &r->relays, link)
		if (relay_errand(node->relay) == e)
			return node;
	return NULL;
}

static void
on_committed(struct errand *e)
{
	struct runner *r = e->runner;
	struct relay_node *node = node_of(r, e);

	/* The row is due as before: sent at once, mail would go out again and
	 * again for as long as the store is out of order. */
	if (e->rc != 0)
		r->sick_until = loop_now_ms(r->sl->loop) + SICK_MS;
	errand_over(r, e);
	if (node != NULL)
		relay_go_on(node->relay);
	/* There is room again, and perhaps a report to take out. */
	look(r);
}

static void
on_settled(struct relay *relay, struct errand *e, void *arg)
{
	(void)relay, (void)arg;
	errand_commit(e, e->runner->sl, on_committed);
}

static void
on_gone(struct relay *relay, void *arg)
{
	struct relay_node *node = arg;
	struct dest *d = node->dest;
	struct runner *r = d->runner;

	(void)relay;
	LIST_REMOVE(node, link);
	free(node);
	d->relays--;
	r->nrelays--;
	dest_done(d);
	if (r->stopping) {
		maybe_over(r);
		return;
	}
	/* The slot is anybody's. */
	map_each(&r->dests, start_dest, NULL);
	look(r);
}

static const struct relay_ops relay_ops = {
	.next = on_next,
	.settled = on_settled,
	.gone = on_gone,
};

static void
start_relays(struct dest *d)
{
	struct runner *r = d->runner;
	const struct conf *conf = conf_of(r);
	struct errand *e;

	while (may_start(r) && r->nrelays < conf->relay_connections &&
	       d->relays < conf->relay_connections_per_domain &&
	       (e = take_waiting(d)) != NULL) {
		struct relay_node *node = xcalloc(1, sizeof(*node));

		node->dest = d;
		LIST_INSERT_HEAD(&r->relays, node, link);
		d->relays++;
		r->nrelays++;
		node->relay = relay_start(&r->env, d->domain, e, node);
	}
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
	if ((rc = dns_new(sl->loop, conf_of(r)->resolver, &r->env.dns, &e)) !=
		0 ||
	    (rc = tls_client_new(conf_of(r)->tls_ca, false, &r->env.tls, &e)) !=
		0) {
		log_error(NULL, "runner", "failed=\"%s\" detail=\"%s\"", e.text,
		    e.detail);
		dns_free(&r->env.dns);
		free(r);
		return rc;
	}
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
	struct errand *e = map_get_u64(&r->active, id);
	struct dest *d = e != NULL ? e->dest : NULL;

	if (d == NULL)
		return;
	TAILQ_REMOVE(&d->waiting, e, link);
	errand_over(r, e);
	dest_done(d);
}

void
runner_notify(struct server_loop *sl, const struct notify_event *ev, size_t n)
{
	struct runner *r = runner_of(sl);
	bool queue = false;

	for (size_t i = 0; i < n; i++)
		if (ev[i].kind == NOTIFY_QUEUE) {
			forget(r, ev[i].account);
			queue = true;
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
	struct relay_node *node, *next;

	r->stopping = true;
	for (node = LIST_FIRST(&r->relays); node != NULL; node = next) {
		next = LIST_NEXT(node, link);
		relay_abort(node->relay);
	}
	dns_free(&r->env.dns);
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}

static void
free_errand(void *value)
{
	struct errand *e = value;

	errand_free(&e);
}

void
runner_free(struct server *srv)
{
	struct runner *r = app_of(srv)->runner;

	if (r == NULL)
		return;
	/* Whatever waits at a destination is active, too. */
	map_fini(&r->active, free_errand);
	map_fini(&r->dests, free);
	tls_client_free(&r->env.tls);
	free(r);
	app_of(srv)->runner = NULL;
}
