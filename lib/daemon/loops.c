#include "lib/daemon/priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { GRACE_SEC = 5, EVENTS_MAX = 64 };

/* One batch of events, on its way to every loop. */
struct batch {
	atomic_size_t left; /* loops that have not seen it yet */
	size_t n;
	struct notify_event ev[EVENTS_MAX];
	struct batch_msg {
		struct loop_msg msg;
		struct batch *batch;
		struct server_loop *sl;
	} msgs[];
};

static void
on_accept(struct listener *l, void *arg)
{
	struct server_entry *entry = arg;

	entry->door->accept(entry->sl, entry->door, l);
}

/* Load balancers (proxy-from). */
static void
trust(struct server_thread *t, struct listener *l)
{
	const struct conf_list *from = &t->sl->srv->conf->proxy_from;
	struct prefix *v = xcalloc(from->n, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < from->n; i++) {
		if (prefix_parse(slice_str(from->v[i]), &v[n]))
			n++;
		else
			log_error(NULL, "conf", "proxy-from=%s why=no-network",
			    from->v[i]);
	}
	listener_trust(l, v, n);
	free(v);
}

static void
open_entry(struct server_thread *t, const struct server_door *door, int fd)
{
	struct server_entry *entry = xmalloc(sizeof(*entry));

	*entry = (struct server_entry){ .sl = t->sl, .door = door };
	if (listener_open(
		t->sl->loop, fd, on_accept, entry, &entry->listener) != 0) {
		log_error(NULL, "listen", "door=%s failed=1", door->name);
		free(entry);
		return;
	}
	trust(t, entry->listener);
	if (door->tls)
		listener_defer(entry->listener);
	entry->next = t->entries;
	t->entries = entry;
}

/* Of the twins of a door, every nloops-th is this loop's. */
static void
open_door(struct server_thread *t, const struct server_door *door)
{
	struct server *srv = t->sl->srv;
	size_t i = t->sl->index;
	int fd;

	for (; (fd = inherit_find(&srv->priv->fds, slice_str(door->name), i)) >=
	       0;
	     i += srv->nloops)
		open_entry(t, door, fd);
}

static void
on_begin(struct loop_msg *m)
{
	struct server_thread *t = PH_CONTAINER(m, struct server_thread, begin);
	const struct server_ops *ops = t->sl->srv->ops;

	if (ops->loop_start != NULL && ops->loop_start(t->sl) != 0) {
		log_error(NULL, "loop", "index=%zu failed=1", t->sl->index);
		exit(1);
	}
	for (size_t i = 0; i < ops->ndoors; i++)
		open_door(t, &ops->doors[i]);
}

static void
on_end(struct loop_msg *m)
{
	struct server_thread *t = PH_CONTAINER(m, struct server_thread, end);
	const struct server_ops *ops = t->sl->srv->ops;

	t->ending = true;
	for (struct server_entry *at = t->entries; at != NULL; at = at->next)
		listener_close(&at->listener);
	if (ops->loop_stop != NULL)
		ops->loop_stop(t->sl);
	loops_maybe_end(t->sl);
}

void
loops_maybe_end(struct server_loop *sl)
{
	struct server_thread *t = &sl->srv->priv->threads[sl->index];

	if (t->ending && sl->held == 0)
		loop_stop(sl->loop);
}

static void
on_ping(struct loop_msg *m)
{
	struct server_thread *t = PH_CONTAINER(m, struct server_thread, ping);

	uint64_t lag = clock_steady_us() - t->pinged_us;

	if (lag > t->lag_us)
		t->lag_us = lag;
	t->answered_ms = clock_steady_ms();
	t->pinged = false;
}

static void *
thread_main(void *arg)
{
	struct server_thread *t = arg;
	char name[16];

	(void)snprintf(name, sizeof(name), "loop-%zu", t->sl->index % 1000);
	(void)pthread_setname_np(pthread_self(), name);
	loop_run(t->sl->loop);
	return NULL;
}

int
loops_start(struct server *srv, struct err *e)
{
	struct server_priv *p = srv->priv;
	int rc;

	p->threads = xcalloc(srv->nloops, sizeof(*p->threads));
	srv->loops = xcalloc(srv->nloops, sizeof(*srv->loops));
	for (size_t i = 0; i < srv->nloops; i++) {
		struct server_thread *t = &p->threads[i];

		srv->loops[i].srv = srv;
		srv->loops[i].index = i;
		t->sl = &srv->loops[i];
		t->begin.fn = on_begin;
		t->end.fn = on_end;
		t->ping.fn = on_ping;
		t->answered_ms = clock_steady_ms();
		if ((rc = loop_new(&t->sl->loop)) != 0)
			return err_set(e, rc, "cannot make an event loop");
		loop_post(t->sl->loop, &t->begin);
	}
	for (size_t i = 0; i < srv->nloops; i++)
		if (pthread_create(&p->threads[i].thread, NULL, thread_main,
			&p->threads[i]) != 0)
			return err_set(e, ERR_IO, "cannot start a thread");
	return 0;
}

static void
on_batch(struct loop_msg *m)
{
	struct batch_msg *bm = PH_CONTAINER(m, struct batch_msg, msg);
	struct batch *b = bm->batch;

	bm->sl->srv->ops->notify(bm->sl, b->ev, b->n);
	if (atomic_fetch_sub(&b->left, 1) == 1)
		free(b);
}

void
loops_notify(struct server *srv)
{
	struct batch *b;
	size_t n;

	do {
		b = xcalloc(
		    1, sizeof(*b) + srv->nloops * sizeof(struct batch_msg));
		n = b->n = notify_read(srv->store, b->ev, EVENTS_MAX);
		if (n == 0) {
			free(b);
			return;
		}
		b->left = srv->nloops;
		for (size_t i = 0; i < srv->nloops; i++) {
			b->msgs[i].msg.fn = on_batch;
			b->msgs[i].batch = b;
			b->msgs[i].sl = &srv->loops[i];
		}
		/* The last post may free b: nothing of it is read after. */
		for (size_t i = 0, end = srv->nloops; i < end; i++)
			loop_post(srv->loops[i].loop, &b->msgs[i].msg);
	} while (n != 0);
}

uint64_t
loops_oldest_ms(struct server *srv)
{
	uint64_t now = clock_steady_ms(), oldest = 0;

	for (size_t i = 0; i < srv->nloops; i++) {
		struct server_thread *t = &srv->priv->threads[i];
		uint64_t seen = t->answered_ms;

		if (!atomic_exchange(&t->pinged, true)) {
			t->pinged_us = clock_steady_us();
			loop_post(t->sl->loop, &t->ping);
		} else if (now > seen && now - seen > oldest)
			oldest = now - seen;
	}
	return oldest;
}

uint64_t
loops_lag_us(struct server *srv)
{
	uint64_t most = 0;

	for (size_t i = 0; i < srv->nloops; i++) {
		uint64_t lag =
		    atomic_exchange(&srv->priv->threads[i].lag_us, 0);

		if (lag > most)
			most = lag;
	}
	return most;
}

bool
loops_end(struct server *srv)
{
	struct timespec until;
	bool clean = true;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += GRACE_SEC;
	for (size_t i = 0; i < srv->nloops; i++)
		loop_post(srv->loops[i].loop, &srv->priv->threads[i].end);
	for (size_t i = 0; i < srv->nloops; i++) {
		pthread_t thread = srv->priv->threads[i].thread;

		if (pthread_timedjoin_np(thread, NULL, &until) == 0)
			continue;
		clean = false;
		loop_stop(srv->loops[i].loop);
		pthread_join(thread, NULL);
	}
	return clean;
}
