#include "auth/throttle.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/lru.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/siphash.h"

const struct throttle_limits throttle_defaults = {
	.delay_from = 5,
	.delay_ms = 1000,
	.delay_max_ms = 30 * 1000,
	.block_from = 10,
	.block_ms = 15 * 60 * 1000,
	.strike_ms = 60 * 60 * 1000,
	.blind_per_strike = 30,
	.names_max = 50,
	.source_block_ms = 15 * 60 * 1000,
	.suspect_names = 3,
	.tell_ms = 60 * 1000,
	.pairs_max = 50000,
	.sources_max = 10000,
};

enum { STRIKES_MAX = 16, SOURCE_LEN = 9, NAME_MAX_BYTES = 320 };

struct strike {
	uint64_t mac;
	uint64_t at_ms;
	unsigned pending; /* attempts under way with this password */
	bool wrong;       /* it is known to be */
};

/* A name from a source. */
struct pair {
	struct lru_node lru;
	struct strike strikes[STRIKES_MAX];
	unsigned n;
	unsigned blind; /* failures not yet a strike */
	uint64_t blocked_until_ms;
	uint64_t told_ms; /* 0: never */
	char *key;
	size_t key_n;
};

/* A name that had strikes from a source, by its hash. */
struct seen {
	uint64_t name;
	uint64_t at_ms;
};

struct source {
	struct lru_node lru;
	char key[SOURCE_LEN];
	size_t key_n;
	struct seen *names; /* names_max of them */
	size_t n;
	uint64_t blocked_until_ms;
};

struct throttle {
	pthread_mutex_t lock;
	const struct throttle_limits *l;
	struct map pairs, sources;
	struct lru_node pair_order, source_order;
};

struct throttle *
throttle_new(const struct throttle_limits *limits)
{
	struct throttle *t = xcalloc(1, sizeof(*t));

	(void)pthread_mutex_init(&t->lock, NULL);
	t->l = limits;
	map_init(&t->pairs);
	map_init(&t->sources);
	lru_init(&t->pair_order);
	lru_init(&t->source_order);
	return t;
}

static void
pair_drop(struct throttle *t, struct pair *p)
{
	(void)map_del(&t->pairs, slice_of(p->key, p->key_n));
	lru_del(&p->lru);
	free(p->key);
	mem_wipe(p, sizeof(*p));
	free(p);
}

static void
source_drop(struct throttle *t, struct source *s)
{
	(void)map_del(&t->sources, slice_of(s->key, s->key_n));
	lru_del(&s->lru);
	free(s->names);
	free(s);
}

void
throttle_free(struct throttle **tp)
{
	struct throttle *t = *tp;
	struct lru_node *node;

	*tp = NULL;
	if (t == NULL)
		return;
	while ((node = lru_oldest(&t->pair_order)) != NULL)
		pair_drop(t, PH_CONTAINER(node, struct pair, lru));
	while ((node = lru_oldest(&t->source_order)) != NULL)
		source_drop(t, PH_CONTAINER(node, struct source, lru));
	map_fini(&t->pairs, NULL);
	map_fini(&t->sources, NULL);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

/* An IPv4 address, or the /64 an IPv6 customer has to himself.  Empty: no
 * network, or no address. */
static size_t
source_key(const char *ip, char key[SOURCE_LEN])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct in6_addr six;
	struct in_addr four;

	if (ip == NULL)
		return 0;
	if (inet_pton(AF_INET, ip, &four) == 1) {
		key[0] = 4;
		memcpy(key + 1, &four, 4);
		return 5;
	}
	if (inet_pton(AF_INET6, ip, &six) != 1)
		return 0;
	if (memcmp(&six, mapped, sizeof(mapped)) == 0) {
		key[0] = 4;
		memcpy(key + 1, six.s6_addr + 12, 4);
		return 5;
	}
	key[0] = 6;
	memcpy(key + 1, &six, 8);
	return 9;
}

/* One attempt's keys. */
struct keys {
	char pair[SOURCE_LEN + NAME_MAX_BYTES];
	size_t pair_n, source_n;
	uint64_t name; /* a hash */
};

static void
keys_of(const struct throttle_try *tr, struct keys *k)
{
	struct slice name = slice_sub(tr->name, 0, NAME_MAX_BYTES);

	k->source_n = source_key(tr->ip, k->pair);
	if (name.n != 0)
		memcpy(k->pair + k->source_n, name.p, name.n);
	k->pair_n = k->source_n + name.n;
	k->name = siphash(name);
}

static struct pair *
pair_get(struct throttle *t, const struct keys *k, bool make)
{
	struct slice key = slice_of(k->pair, k->pair_n);
	struct pair *p = map_get(&t->pairs, key);

	if (p != NULL || !make) {
		if (p != NULL)
			lru_use(&t->pair_order, &p->lru);
		return p;
	}
	if (t->pairs.n >= t->l->pairs_max)
		pair_drop(t,
		    PH_CONTAINER(lru_oldest(&t->pair_order), struct pair, lru));
	p = xcalloc(1, sizeof(*p));
	p->key = xmemdup0(key.p, key.n);
	p->key_n = key.n;
	lru_add(&t->pair_order, &p->lru);
	(void)map_put(&t->pairs, key, p);
	return p;
}

static struct source *
source_get(struct throttle *t, const struct keys *k, bool make)
{
	struct slice key = slice_of(k->pair, k->source_n);
	struct source *s;

	if (key.n == 0)
		return NULL;
	s = map_get(&t->sources, key);
	if (s != NULL || !make) {
		if (s != NULL)
			lru_use(&t->source_order, &s->lru);
		return s;
	}
	if (t->sources.n >= t->l->sources_max)
		source_drop(t, PH_CONTAINER(lru_oldest(&t->source_order),
				   struct source, lru));
	s = xcalloc(1, sizeof(*s));
	memcpy(s->key, key.p, key.n);
	s->key_n = key.n;
	s->names = xcalloc(t->l->names_max, sizeof(*s->names));
	lru_add(&t->source_order, &s->lru);
	(void)map_put(&t->sources, key, s);
	return s;
}

static void
strike_remove(struct pair *p, struct strike *s)
{
	*s = p->strikes[--p->n];
}

/* Old strikes go; what is left counts. */
static void
pair_age(const struct throttle *t, struct pair *p, uint64_t now_ms)
{
	for (unsigned i = p->n; i-- > 0;)
		if (p->strikes[i].pending == 0 &&
		    p->strikes[i].at_ms + t->l->strike_ms <= now_ms)
			strike_remove(p, &p->strikes[i]);
}

static struct strike *
strike_find(struct pair *p, uint64_t mac)
{
	for (unsigned i = 0; mac != 0 && i < p->n; i++)
		if (p->strikes[i].mac == mac)
			return &p->strikes[i];
	return NULL;
}

/* A place for one more; the oldest known to be wrong goes when all are
 * taken. */
static struct strike *
strike_add(struct pair *p, uint64_t mac, uint64_t now_ms)
{
	struct strike *s = NULL;

	if (p->n < STRIKES_MAX)
		s = &p->strikes[p->n++];
	for (unsigned i = 0; s == NULL && i < STRIKES_MAX; i++)
		if (p->strikes[i].pending == 0)
			s = &p->strikes[i];
	if (s != NULL)
		*s = (struct strike){ .mac = mac, .at_ms = now_ms };
	return s;
}

static uint64_t
last_strike(const struct pair *p)
{
	uint64_t at = 0;

	for (unsigned i = 0; i < p->n; i++)
		if (p->strikes[i].at_ms > at)
			at = p->strikes[i].at_ms;
	return at;
}

/* When the pair may try again; 0: now. */
static uint64_t
wait_until(const struct throttle *t, const struct pair *p)
{
	uint64_t delay = t->l->delay_ms;

	if (p->n < t->l->delay_from)
		return 0;
	for (unsigned i = t->l->delay_from;
	     i < p->n && delay < t->l->delay_max_ms; i++)
		delay *= 2;
	if (delay > t->l->delay_max_ms)
		delay = t->l->delay_max_ms;
	return last_strike(p) + delay;
}

static int
too_many(struct err *e, const char *what, uint64_t until_ms, uint64_t now_ms)
{
	uint64_t sec = (until_ms - now_ms + 999) / 1000;

	if (sec > 90)
		return err_set(e, ERR_LIMIT, "%s; try again in %llu minutes",
		    what, (unsigned long long)((sec + 59) / 60));
	return err_set(e, ERR_LIMIT, "%s; try again in %llu seconds", what,
	    (unsigned long long)sec);
}

static int
begin(struct throttle *t, const struct throttle_try *tr, const struct keys *k,
    uint64_t now_ms, struct err *e)
{
	struct source *src = source_get(t, k, false);
	struct pair *p = pair_get(t, k, false);
	struct strike *s = NULL;

	if (p != NULL) {
		pair_age(t, p, now_ms);
		s = strike_find(p, tr->mac);
		if (s != NULL && s->wrong)
			return ERR_AUTH;
	}
	if (src != NULL && src->blocked_until_ms > now_ms)
		return too_many(e, "too many wrong passwords from this network",
		    src->blocked_until_ms, now_ms);
	if (p != NULL && p->blocked_until_ms > now_ms)
		return too_many(e, "too many different wrong passwords",
		    p->blocked_until_ms, now_ms);
	/* What is under way is not a new guess. */
	if (s == NULL && p != NULL && wait_until(t, p) > now_ms)
		return too_many(e, "too many different wrong passwords",
		    wait_until(t, p), now_ms);
	if (tr->mac == 0)
		return 0;
	/* Counts from now on, or guesses at the same time would not. */
	if (s == NULL &&
	    (s = strike_add(pair_get(t, k, true), tr->mac, now_ms)) == NULL)
		return too_many(
		    e, "too many logins at a time", now_ms + 1000, now_ms);
	s->pending++;
	return 0;
}

int
throttle_begin(struct throttle *t, const struct throttle_try *tr,
    uint64_t now_ms, struct err *e)
{
	struct keys k;
	int rc;

	keys_of(tr, &k);
	(void)pthread_mutex_lock(&t->lock);
	rc = begin(t, tr, &k, now_ms, e);
	(void)pthread_mutex_unlock(&t->lock);
	return rc;
}

bool
throttle_clean(
    struct throttle *t, const struct throttle_try *tr, uint64_t now_ms)
{
	struct source *s;
	struct keys k;
	bool clean;

	keys_of(tr, &k);
	(void)pthread_mutex_lock(&t->lock);
	s = source_get(t, &k, false);
	clean = pair_get(t, &k, false) == NULL &&
		(s == NULL || (s->n == 0 && s->blocked_until_ms <= now_ms));
	(void)pthread_mutex_unlock(&t->lock);
	return clean;
}

/* One name more with strikes from here. */
static void
source_strike(struct throttle *t, const struct keys *k, uint64_t now_ms)
{
	struct source *s = source_get(t, k, true);
	size_t n = 0;

	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->names[i].name != k->name &&
		    s->names[i].at_ms + t->l->strike_ms > now_ms)
			s->names[n++] = s->names[i];
	s->n = n;
	s->names[s->n++] = (struct seen){ k->name, now_ms };
	if (s->n < t->l->names_max)
		return;
	s->blocked_until_ms = now_ms + t->l->source_block_ms;
	s->n = 0;
}

static void
source_forgive(struct throttle *t, const struct keys *k)
{
	struct source *s = source_get(t, k, false);

	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (s->names[i].name == k->name) {
			s->names[i] = s->names[--s->n];
			return;
		}
}

/* A failure without its password: many of them are a strike. */
static bool
blind_strike(struct throttle *t, struct pair *p, uint64_t now_ms)
{
	struct strike *s;

	if (++p->blind < t->l->blind_per_strike)
		return false;
	p->blind = 0;
	if ((s = strike_add(p, 0, now_ms)) != NULL)
		s->wrong = true;
	return true;
}

static void
wrong(struct throttle *t, const struct throttle_try *tr, const struct keys *k,
    uint64_t now_ms)
{
	struct pair *p = pair_get(t, k, true);
	struct strike *s = strike_find(p, tr->mac);

	if (tr->mac == 0) {
		if (!blind_strike(t, p, now_ms))
			return;
	} else {
		/* The pair may have been dropped meanwhile. */
		if (s == NULL && (s = strike_add(p, tr->mac, now_ms)) == NULL)
			return;
		if (s->pending != 0)
			s->pending--;
		if (s->wrong)
			return;
		s->wrong = true;
	}
	source_strike(t, k, now_ms);
	if (p->n >= t->l->block_from)
		p->blocked_until_ms = now_ms + t->l->block_ms;
}

void
throttle_end(struct throttle *t, const struct throttle_try *tr,
    enum throttle_end how, uint64_t now_ms)
{
	struct pair *p;
	struct strike *s;
	struct keys k;

	keys_of(tr, &k);
	(void)pthread_mutex_lock(&t->lock);
	p = pair_get(t, &k, false);
	s = p != NULL ? strike_find(p, tr->mac) : NULL;
	switch (how) {
	case THROTTLE_GOOD:
		if (p != NULL)
			pair_drop(t, p);
		source_forgive(t, &k);
		break;
	case THROTTLE_WRONG: wrong(t, tr, &k, now_ms); break;
	case THROTTLE_VOID:
		if (s != NULL && s->pending != 0 && --s->pending == 0 &&
		    !s->wrong)
			strike_remove(p, s);
		break;
	}
	(void)pthread_mutex_unlock(&t->lock);
}

bool
throttle_tell(
    struct throttle *t, const struct throttle_try *tr, uint64_t now_ms)
{
	struct pair *p;
	struct keys k;
	bool tell;

	keys_of(tr, &k);
	(void)pthread_mutex_lock(&t->lock);
	p = pair_get(t, &k, true);
	tell = p->told_ms == 0 || p->told_ms + t->l->tell_ms <= now_ms;
	if (tell)
		p->told_ms = now_ms != 0 ? now_ms : 1;
	(void)pthread_mutex_unlock(&t->lock);
	return tell;
}

unsigned
throttle_strikes(
    struct throttle *t, const struct throttle_try *tr, uint64_t now_ms)
{
	struct pair *p;
	struct keys k;
	unsigned n = 0;

	keys_of(tr, &k);
	(void)pthread_mutex_lock(&t->lock);
	if ((p = pair_get(t, &k, false)) != NULL) {
		pair_age(t, p, now_ms);
		n = p->n;
	}
	(void)pthread_mutex_unlock(&t->lock);
	return n;
}

bool
throttle_suspects(struct throttle *t, const char *ip, uint64_t now_ms)
{
	struct throttle_try tr = { .name = SLICE(""), .ip = ip };
	struct source *s;
	struct keys k;
	unsigned n = 0;

	keys_of(&tr, &k);
	(void)pthread_mutex_lock(&t->lock);
	s = source_get(t, &k, false);
	for (size_t i = 0; s != NULL && i < s->n; i++)
		n += s->names[i].at_ms + t->l->strike_ms > now_ms;
	if (s != NULL && s->blocked_until_ms > now_ms)
		n = t->l->suspect_names;
	(void)pthread_mutex_unlock(&t->lock);
	return n != 0 && n >= t->l->suspect_names;
}
