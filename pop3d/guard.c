#include "pop3d/guard.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

enum { PURGE_AT = 1024 };

/* A folder in use. */
struct use {
	struct use *next;
	uint64_t folder;
};

struct guard {
	pthread_mutex_t lock; /* of everything */
	struct map logins;    /* account -> struct login_time */
	struct map uses;      /* account -> list of struct use */
	size_t purge_at;
};

struct login_time {
	uint64_t account, at_ms;
};

struct guard *
guard_new(void)
{
	struct guard *g = xcalloc(1, sizeof(*g));

	pthread_mutex_init(&g->lock, NULL);
	map_init(&g->logins);
	map_init(&g->uses);
	g->purge_at = PURGE_AT;
	return g;
}

static void
free_uses(void *value)
{
	struct use *u = value, *next;

	for (; u != NULL; u = next) {
		next = u->next;
		free(u);
	}
}

void
guard_free(struct guard **gp)
{
	struct guard *g = *gp;

	*gp = NULL;
	if (g == NULL)
		return;
	map_fini(&g->logins, free);
	map_fini(&g->uses, free_uses);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* ---- LOGIN-DELAY ---- */

struct purge {
	uint64_t before_ms;
	struct login_time **v;
	size_t n, cap;
};

static bool
collect_old(struct slice key, void *value, void *arg)
{
	struct login_time *t = value;
	struct purge *p = arg;

	(void)key;
	if (t->at_ms >= p->before_ms)
		return true;
	p->v = mem_grow(p->v, &p->cap, p->n, sizeof(struct login_time *));
	p->v[p->n++] = t;
	return true;
}

/* Logins that bind nobody any more, each time their number has doubled. */
static void
purge(struct guard *g, uint64_t delay_ms, uint64_t now_ms)
{
	struct purge p = { .before_ms =
			       now_ms > delay_ms ? now_ms - delay_ms : 0 };

	if (g->logins.n < g->purge_at)
		return;
	map_each(&g->logins, collect_old, &p);
	for (size_t i = 0; i < p.n; i++) {
		(void)map_del_u64(&g->logins, p.v[i]->account);
		free(p.v[i]);
	}
	free(p.v);
	g->purge_at = 2 * g->logins.n + PURGE_AT;
}

uint64_t
guard_login(
    struct guard *g, uint64_t account, uint64_t delay_ms, uint64_t now_ms)
{
	struct login_time *t;
	uint64_t left = 0;

	pthread_mutex_lock(&g->lock);
	purge(g, delay_ms, now_ms);
	t = map_get_u64(&g->logins, account);
	if (t != NULL && now_ms < t->at_ms + delay_ms) {
		left = t->at_ms + delay_ms - now_ms;
	} else {
		if (t == NULL) {
			t = xcalloc(1, sizeof(*t));
			t->account = account;
			(void)map_put_u64(&g->logins, account, t);
		}
		t->at_ms = now_ms;
	}
	pthread_mutex_unlock(&g->lock);
	return left;
}

/* ---- IN-USE ---- */

static bool
is_taken(const struct use *u, uint64_t folder)
{
	if (folder == 0)
		return u != NULL;
	for (; u != NULL; u = u->next)
		if (u->folder == folder || u->folder == 0)
			return true;
	return false;
}

bool
guard_enter(struct guard *g, uint64_t account, uint64_t folder)
{
	struct use *u, *head;
	bool taken;

	pthread_mutex_lock(&g->lock);
	head = map_get_u64(&g->uses, account);
	taken = is_taken(head, folder);
	if (!taken) {
		u = xmalloc(sizeof(*u));
		*u = (struct use){ head, folder };
		(void)map_put_u64(&g->uses, account, u);
	}
	pthread_mutex_unlock(&g->lock);
	return !taken;
}

void
guard_leave(struct guard *g, uint64_t account, uint64_t folder)
{
	struct use *head, *u, **at;

	pthread_mutex_lock(&g->lock);
	head = map_get_u64(&g->uses, account);
	for (at = &head; *at != NULL && (*at)->folder != folder;
	     at = &(*at)->next)
		;
	if ((u = *at) != NULL)
		*at = u->next;
	free(u);
	if (head != NULL)
		(void)map_put_u64(&g->uses, account, head);
	else
		(void)map_del_u64(&g->uses, account);
	pthread_mutex_unlock(&g->lock);
}
