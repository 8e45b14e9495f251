#include "submitd/sched.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

enum {
	CLAIM_MIN = 4,   /* rows that a share may always have in memory */
	FIRST_LIMIT = 5, /* connections to a destination not known yet */
	IDLE_MAX = 4096  /* destinations remembered without mail */
};

/* One share's mail to one destination. */
struct lane {
	TAILQ_ENTRY(lane) of_share, of_dest;
	struct share *share;
	struct dest *dest;
	struct errand_list waiting;
};

void
sched_init(
    struct sched *s, size_t claim_max, size_t relays_max, size_t dest_max)
{
	*s = (struct sched){ .claim_max = claim_max,
		.relays_max = relays_max,
		.dest_max = dest_max,
		.wake_at = INT64_MAX };
	LIST_INIT(&s->all);
	TAILQ_INIT(&s->due);
	TAILQ_INIT(&s->busy);
	TAILQ_INIT(&s->idle);
}

static void
free_errand(void *value)
{
	struct errand *e = value;

	if (e->lane != NULL && TAILQ_NEXT(e, link) == NULL &&
	    TAILQ_FIRST(&e->lane->waiting) == e)
		free(e->lane);
	else if (e->lane != NULL)
		TAILQ_REMOVE(&e->lane->waiting, e, link);
	errand_free(&e);
}

void
sched_fini(struct sched *s)
{
	map_fini(&s->claimed, free_errand);
	map_fini(&s->dests, free);
	map_fini(&s->shares, free);
}

static struct share *
share_for(struct sched *s, uint64_t account)
{
	struct share *h = map_get_u64(&s->shares, account);

	if (h != NULL)
		return h;
	h = xcalloc(1, sizeof(*h));
	h->account = account;
	h->next_at = INT64_MAX;
	LIST_INIT(&h->errands);
	TAILQ_INIT(&h->lanes);
	LIST_INSERT_HEAD(&s->all, h, all);
	(void)map_put_u64(&s->shares, account, h);
	return h;
}

static void
share_maybe_free(struct sched *s, struct share *h)
{
	if (h->next_at != INT64_MAX || h->claimed != 0 || h->relays != 0 ||
	    h->looking || h->is_due)
		return;
	LIST_REMOVE(h, all);
	(void)map_del_u64(&s->shares, h->account);
	free(h);
}

static void
make_due(struct sched *s, struct share *h)
{
	if (h->is_due || h->looking)
		return;
	h->is_due = true;
	s->ndue++;
	TAILQ_INSERT_TAIL(&s->due, h, due_link);
}

static void
tell(struct sched *s, struct share *h, int64_t at, int64_t now)
{
	if (at < h->next_at)
		h->next_at = at;
	if (h->next_at <= now)
		make_due(s, h);
	else if (h->next_at < s->wake_at)
		s->wake_at = h->next_at;
}

void
sched_told(struct sched *s, uint64_t account, int64_t at, int64_t now)
{
	if (at != INT64_MAX)
		tell(s, share_for(s, account), at, now);
}

int64_t
sched_wake(struct sched *s, int64_t now)
{
	struct share *h;

	if (s->wake_at > now)
		return s->wake_at;
	s->wake_at = INT64_MAX;
	LIST_FOREACH(h, &s->all, all)
		tell(s, h, INT64_MAX, now);
	return s->wake_at;
}

/* Rows that a share may have in memory: there is always room for one more
 * share. */
static size_t
share_cap(const struct sched *s)
{
	size_t n = 1, cap;
	const struct share *h;

	TAILQ_FOREACH(h, &s->busy, busy_link)
		n++;
	cap = s->claim_max / (n + s->ndue);
	return cap > CLAIM_MIN ? cap : CLAIM_MIN;
}

/* Few are not worth a look while others are at work. */
static size_t
room_for(const struct sched *s, const struct share *h, size_t cap)
{
	size_t left =
	    s->claimed.n < s->claim_max ? s->claim_max - s->claimed.n : 0;

	if (h->claimed == 0 && left == 0)
		return s->claimed.n < 2 * s->claim_max ? 1 : 0;
	if (h->claimed > cap / 2 || left == 0)
		return 0;
	return cap - h->claimed < left ? cap - h->claimed : left;
}

bool
sched_accepts(const struct sched *s, uint64_t account)
{
	const struct share *h = map_get_u64(&s->shares, account);

	if (h == NULL)
		return s->claimed.n < s->claim_max;
	return !h->looking && !h->is_due && room_for(s, h, share_cap(s)) != 0;
}

struct share *
sched_look(struct sched *s, size_t *room_out)
{
	size_t cap = share_cap(s);
	struct share *h;

	TAILQ_FOREACH(h, &s->due, due_link) {
		if ((*room_out = room_for(s, h, cap)) == 0)
			continue;
		TAILQ_REMOVE(&s->due, h, due_link);
		s->ndue--;
		h->is_due = false;
		h->looking = true;
		h->next_at = INT64_MAX;
		return h;
	}
	return NULL;
}

void
sched_looked(struct sched *s, struct share *h, int64_t at, int64_t now)
{
	h->looking = false;
	tell(s, h, at, now);
	share_maybe_free(s, h);
}

/* Remembers d for as long as others are not more recent. */
static void
dest_maybe_idle(struct sched *s, struct dest *d)
{
	if (d->relays != 0 || !TAILQ_EMPTY(&d->lanes))
		return;
	TAILQ_INSERT_TAIL(&s->idle, d, idle_link);
	if (++s->nidle <= IDLE_MAX)
		return;
	d = TAILQ_FIRST(&s->idle);
	TAILQ_REMOVE(&s->idle, d, idle_link);
	s->nidle--;
	(void)map_del(&s->dests, slice_str(d->key));
	free(d);
}

static void
dest_used(struct sched *s, struct dest *d)
{
	if (d->relays != 0 || !TAILQ_EMPTY(&d->lanes))
		return;
	TAILQ_REMOVE(&s->idle, d, idle_link);
	s->nidle--;
}

/* A new one is among the idle until it is used. */
static struct dest *
dest_for(struct sched *s, const char *key, const char *domain)
{
	struct dest *d = map_get(&s->dests, slice_str(key));

	if (d != NULL)
		return d;
	d = xcalloc(1, sizeof(*d));
	TAILQ_INIT(&d->lanes);
	d->limit =
	    s->dest_max < FIRST_LIMIT ? (double)s->dest_max : FIRST_LIMIT;
	(void)snprintf(d->key, sizeof(d->key), "%s", key);
	(void)snprintf(d->domain, sizeof(d->domain), "%s", domain);
	(void)map_put(&s->dests, slice_str(key), d);
	TAILQ_INSERT_TAIL(&s->idle, d, idle_link);
	s->nidle++;
	return d;
}

static struct lane *
lane_for(struct sched *s, struct share *h, struct dest *d)
{
	struct lane *l;

	TAILQ_FOREACH(l, &d->lanes, of_dest)
		if (l->share == h)
			return l;
	dest_used(s, d);
	l = xcalloc(1, sizeof(*l));
	l->share = h;
	l->dest = d;
	TAILQ_INIT(&l->waiting);
	TAILQ_INSERT_TAIL(&h->lanes, l, of_share);
	TAILQ_INSERT_TAIL(&d->lanes, l, of_dest);
	return l;
}

void
sched_add(struct sched *s, struct errand *e, const char *key)
{
	struct share *h = share_for(s, e->row.account);

	(void)map_put_u64(&s->claimed, e->row.id, e);
	LIST_INSERT_HEAD(&h->errands, e, of_share);
	h->claimed++;
	e->share = h;
	e->dest = dest_for(s, key, e->domain);
	e->lane = lane_for(s, h, e->dest);
	TAILQ_INSERT_TAIL(&e->lane->waiting, e, link);
	if (!h->is_busy) {
		h->is_busy = true;
		TAILQ_INSERT_TAIL(&s->busy, h, busy_link);
	}
}

void
sched_unlink(struct sched *s, struct errand *e)
{
	struct lane *l = e->lane;
	struct share *h = l->share;

	TAILQ_REMOVE(&l->waiting, e, link);
	e->lane = NULL;
	if (!TAILQ_EMPTY(&l->waiting))
		return;
	TAILQ_REMOVE(&h->lanes, l, of_share);
	TAILQ_REMOVE(&l->dest->lanes, l, of_dest);
	dest_maybe_idle(s, l->dest);
	free(l);
	if (TAILQ_EMPTY(&h->lanes)) {
		TAILQ_REMOVE(&s->busy, h, busy_link);
		h->is_busy = false;
	}
}

void
sched_done(struct sched *s, struct errand *e)
{
	struct share *h = e->share;

	if (e->lane != NULL)
		sched_unlink(s, e);
	(void)map_del_u64(&s->claimed, e->row.id);
	LIST_REMOVE(e, of_share);
	h->claimed--;
	share_maybe_free(s, h);
}

struct errand *
sched_find(const struct sched *s, uint64_t id)
{
	return map_get_u64(&s->claimed, id);
}

/* Connections that one share may have: the last ones are for others. */
static size_t
relays_cap(const struct sched *s)
{
	return s->relays_max - s->relays_max / 4;
}

static bool
has_way(const struct lane *l)
{
	return (double)l->dest->relays < l->dest->limit;
}

/* The first of the lane, whose turn is then over. */
static struct errand *
take(struct sched *s, struct lane *l)
{
	struct errand *e = TAILQ_FIRST(&l->waiting);
	struct share *h = l->share;
	struct dest *d = l->dest;

	TAILQ_REMOVE(&s->busy, h, busy_link);
	TAILQ_INSERT_TAIL(&s->busy, h, busy_link);
	TAILQ_REMOVE(&h->lanes, l, of_share);
	TAILQ_INSERT_TAIL(&h->lanes, l, of_share);
	TAILQ_REMOVE(&d->lanes, l, of_dest);
	TAILQ_INSERT_TAIL(&d->lanes, l, of_dest);
	sched_unlink(s, e);
	return e;
}

struct errand *
sched_take_new(struct sched *s, struct dest **dest_out)
{
	struct share *h;
	struct lane *l;

	TAILQ_FOREACH(h, &s->busy, busy_link) {
		if (h->relays >= relays_cap(s))
			continue;
		TAILQ_FOREACH(l, &h->lanes, of_share)
			if (has_way(l)) {
				*dest_out = l->dest;
				return take(s, l);
			}
	}
	return NULL;
}

struct errand *
sched_take_next(struct sched *s, struct dest *d, const struct share *last)
{
	struct lane *l;

	TAILQ_FOREACH(l, &d->lanes, of_dest)
		if (l->share == last || l->share->relays < relays_cap(s))
			return take(s, l);
	return NULL;
}

bool
sched_starves(const struct sched *s, const struct share *h)
{
	const struct share *other;
	const struct lane *l;

	if (s->relays < s->relays_max || h == NULL || h->relays < 2)
		return false;
	TAILQ_FOREACH(other, &s->busy, busy_link) {
		if (other->relays != 0)
			continue;
		TAILQ_FOREACH(l, &other->lanes, of_share)
			if (has_way(l))
				return true;
	}
	return false;
}

void
sched_attach(struct sched *s, struct dest *d)
{
	dest_used(s, d);
	d->relays++;
	s->relays++;
}

void
sched_detach(struct sched *s, struct dest *d)
{
	d->relays--;
	s->relays--;
	dest_maybe_idle(s, d);
}

void
sched_work(struct sched *s, struct share *h, int by)
{
	h->relays += (size_t)by;
	share_maybe_free(s, h);
}

void
sched_good(const struct sched *s, struct dest *d)
{
	d->down_until = 0;
	d->limit += 1 / d->limit;
	if (d->limit > (double)s->dest_max)
		d->limit = (double)s->dest_max;
}

void
sched_bad(struct dest *d)
{
	d->limit = d->limit > 2 ? d->limit / 2 : 1;
}
