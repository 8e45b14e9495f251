#include "auth/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/lru.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/crypt/crypt.h"

struct slot {
	uint8_t mac[CACHE_MAC];
	uint64_t until_ms; /* 0: empty */
	uint32_t secret_id;
};

/* A place logins were recorded from. */
struct place {
	uint64_t from, until_ms; /* until_ms 0: empty */
};

struct entry {
	struct lru_node lru;
	uint64_t account, secret_version;
	struct slot slots[CACHE_PER_ACCOUNT];
	struct place places[CACHE_FROMS];
};

struct cache {
	pthread_mutex_t lock;
	struct map entries; /* by account */
	struct lru_node order;
	uint64_t keep_ms;
	size_t max;
};

static struct entry *
entry_of(struct lru_node *node)
{
	return PH_CONTAINER(node, struct entry, lru);
}

struct cache *
cache_new(uint64_t keep_ms, size_t accounts_max)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	(void)pthread_mutex_init(&c->lock, NULL);
	map_init(&c->entries);
	lru_init(&c->order);
	c->keep_ms = keep_ms;
	c->max = accounts_max;
	return c;
}

static void
drop(struct cache *c, struct entry *e)
{
	(void)map_del_u64(&c->entries, e->account);
	lru_del(&e->lru);
	mem_wipe(e, sizeof(*e));
	free(e);
}

void
cache_free(struct cache **cp)
{
	struct cache *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	cache_forget(c, 0);
	map_fini(&c->entries, NULL);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

void
cache_set_keep(struct cache *c, uint64_t keep_ms, uint64_t now_ms)
{
	struct lru_node *node;

	(void)pthread_mutex_lock(&c->lock);
	c->keep_ms = keep_ms;
	for (node = c->order.next; node != &c->order; node = node->next) {
		struct entry *e = entry_of(node);

		for (size_t i = 0; i < CACHE_PER_ACCOUNT; i++)
			if (e->slots[i].until_ms > now_ms + keep_ms)
				e->slots[i].until_ms = now_ms + keep_ms;
	}
	(void)pthread_mutex_unlock(&c->lock);
}

/* The slot with this proof, or NULL. */
static struct slot *
find(struct entry *e, const struct cache_key *key, uint64_t now_ms)
{
	struct slot *found = NULL;

	if (e->secret_version != key->secret_version)
		return NULL;
	for (size_t i = 0; i < CACHE_PER_ACCOUNT; i++) {
		struct slot *s = &e->slots[i];

		if (s->until_ms > now_ms &&
		    crypt_equal(s->mac, key->mac, CACHE_MAC))
			found = s;
	}
	return found;
}

bool
cache_get(struct cache *c, const struct cache_key *key, uint64_t now_ms,
    uint32_t *secret_id_out)
{
	struct entry *e;
	struct slot *s = NULL;

	(void)pthread_mutex_lock(&c->lock);
	e = map_get_u64(&c->entries, key->account);
	if (e != NULL && (s = find(e, key, now_ms)) != NULL) {
		lru_use(&c->order, &e->lru);
		*secret_id_out = s->secret_id;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return s != NULL;
}

static struct entry *
entry_for(struct cache *c, uint64_t account)
{
	struct entry *e = map_get_u64(&c->entries, account);

	if (e != NULL) {
		lru_use(&c->order, &e->lru);
		return e;
	}
	while (c->entries.n >= c->max)
		drop(c, entry_of(lru_oldest(&c->order)));
	e = xcalloc(1, sizeof(*e));
	e->account = account;
	lru_add(&c->order, &e->lru);
	(void)map_put_u64(&c->entries, account, e);
	return e;
}

/* The same proof's slot, else the one that ends first. */
static struct slot *
slot_for(struct entry *e, const struct cache_key *key)
{
	struct slot *best = &e->slots[0];

	for (size_t i = 0; i < CACHE_PER_ACCOUNT; i++) {
		if (crypt_equal(e->slots[i].mac, key->mac, CACHE_MAC))
			return &e->slots[i];
		if (e->slots[i].until_ms < best->until_ms)
			best = &e->slots[i];
	}
	return best;
}

void
cache_put(struct cache *c, const struct cache_key *key, uint64_t now_ms,
    uint32_t secret_id)
{
	struct entry *e;
	struct slot *s;

	(void)pthread_mutex_lock(&c->lock);
	if (c->keep_ms == 0 || c->max == 0) {
		(void)pthread_mutex_unlock(&c->lock);
		return;
	}
	e = entry_for(c, key->account);
	if (e->secret_version != key->secret_version) {
		mem_wipe(e->slots, sizeof(e->slots));
		memset(e->places, 0, sizeof(e->places));
		e->secret_version = key->secret_version;
	}
	s = slot_for(e, key);
	memcpy(s->mac, key->mac, CACHE_MAC);
	s->until_ms = now_ms + c->keep_ms;
	s->secret_id = secret_id;
	(void)pthread_mutex_unlock(&c->lock);
}

/* The place itself, else the one that is forgotten first. */
static struct place *
place_for(struct entry *e, uint64_t from)
{
	struct place *best = &e->places[0];

	for (size_t i = 0; i < CACHE_FROMS; i++) {
		if (e->places[i].from == from && e->places[i].until_ms != 0)
			return &e->places[i];
		if (e->places[i].until_ms < best->until_ms)
			best = &e->places[i];
	}
	return best;
}

bool
cache_told(struct cache *c, uint64_t account, uint64_t from, uint64_t now_ms,
    uint64_t *until_out)
{
	struct place *p;
	bool told;

	*until_out = 0;
	if (c->keep_ms == 0 || c->max == 0)
		return false;
	(void)pthread_mutex_lock(&c->lock);
	p = place_for(entry_for(c, account), from);
	told = p->from == from && p->until_ms > now_ms;
	if (!told)
		*p = (struct place){ from, now_ms + CACHE_TOLD_MS };
	*until_out = p->until_ms;
	(void)pthread_mutex_unlock(&c->lock);
	return told;
}

void
cache_forget(struct cache *c, uint64_t account)
{
	struct entry *e;
	struct lru_node *node;

	(void)pthread_mutex_lock(&c->lock);
	if (account != 0) {
		e = map_get_u64(&c->entries, account);
		if (e != NULL)
			drop(c, e);
	} else
		while ((node = lru_oldest(&c->order)) != NULL)
			drop(c, entry_of(node));
	(void)pthread_mutex_unlock(&c->lock);
}
