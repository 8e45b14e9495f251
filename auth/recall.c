#include "auth/recall.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/lru.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

struct entry {
	struct lru_node lru;
	struct recall_key key;
	struct recall_when when;
	bool sure; /* two logins have seen these generations */
	struct auth_who who;
	char login[]; /* as it is shown in the log */
};

struct recall {
	pthread_mutex_t lock;
	struct map entries; /* by key */
	struct lru_node order;
	size_t max;
};

static struct slice
bytes_of(const struct recall_key *key)
{
	return slice_of(key->mac, sizeof(key->mac));
}

static void
drop(struct recall *r, struct entry *e)
{
	(void)map_del(&r->entries, bytes_of(&e->key));
	lru_del(&e->lru);
	mem_wipe(e, sizeof(*e));
	free(e);
}

struct recall *
recall_new(size_t max)
{
	struct recall *r = xcalloc(1, sizeof(*r));

	(void)pthread_mutex_init(&r->lock, NULL);
	map_init(&r->entries);
	lru_init(&r->order);
	r->max = max;
	return r;
}

void
recall_forget_all(struct recall *r)
{
	struct lru_node *node;

	(void)pthread_mutex_lock(&r->lock);
	while ((node = lru_oldest(&r->order)) != NULL)
		drop(r, PH_CONTAINER(node, struct entry, lru));
	(void)pthread_mutex_unlock(&r->lock);
}

void
recall_free(struct recall **rp)
{
	struct recall *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	recall_forget_all(r);
	map_fini(&r->entries, NULL);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct entry *
entry_new(struct recall *r, const struct recall_key *key, struct slice login)
{
	struct entry *e = xcalloc(1, sizeof(*e) + login.n + 1);

	while (r->entries.n >= r->max)
		drop(r, PH_CONTAINER(lru_oldest(&r->order), struct entry, lru));
	e->key = *key;
	if (login.n != 0)
		memcpy(e->login, login.p, login.n);
	lru_add(&r->order, &e->lru);
	(void)map_put(&r->entries, bytes_of(key), e);
	return e;
}

void
recall_put(struct recall *r, const struct recall_key *key,
    const struct recall_when *when, const struct auth_who *who,
    struct slice login)
{
	struct entry *e;

	(void)pthread_mutex_lock(&r->lock);
	e = map_get(&r->entries, bytes_of(key));
	if (e != NULL && !slice_eq(slice_str(e->login), login)) {
		drop(r, e);
		e = NULL;
	}
	if (e == NULL)
		e = entry_new(r, key, login);
	e->sure = e->who.account == who->account &&
		  e->when.account == when->account && e->when.all == when->all;
	e->when = *when;
	e->who = *who;
	lru_use(&r->order, &e->lru);
	(void)pthread_mutex_unlock(&r->lock);
}

bool
recall_get(struct recall *r, const struct recall_key *key,
    struct recall_when *when_out, struct auth_who *who_out,
    char login_out[IDENT_MAX + 1])
{
	struct entry *e;
	bool sure;

	(void)pthread_mutex_lock(&r->lock);
	e = map_get(&r->entries, bytes_of(key));
	sure = e != NULL && e->sure;
	if (sure) {
		*when_out = e->when;
		*who_out = e->who;
		(void)slice_copy(slice_str(e->login), login_out, IDENT_MAX + 1);
		lru_use(&r->order, &e->lru);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return sure;
}
