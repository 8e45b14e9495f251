#include "pop3d/places.h"

#include <pthread.h>
#include <stdlib.h>

#include "auth/lru.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

enum { PLACES_MAX = 20000, NAME_MAX_BYTES = 40 };

/* One an account: programs come back for the same. */
struct place {
	struct lru_node lru;
	uint64_t account, generation, folder;
	uint32_t secret;
	char name[NAME_MAX_BYTES];
};

struct places {
	pthread_mutex_t lock;
	struct map by_account;
	struct lru_node order;
};

struct places *
places_new(void)
{
	struct places *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	map_init(&p->by_account);
	lru_init(&p->order);
	return p;
}

void
places_free(struct places **pp)
{
	struct places *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	map_fini(&p->by_account, free);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct place *
place_of(struct places *p, uint64_t account)
{
	struct place *at = map_get_u64(&p->by_account, account);

	if (at != NULL) {
		lru_use(&p->order, &at->lru);
		return at;
	}
	if (p->by_account.n >= PLACES_MAX) {
		at = PH_CONTAINER(lru_oldest(&p->order), struct place, lru);
		lru_del(&at->lru);
		(void)map_del_u64(&p->by_account, at->account);
	} else {
		at = xmalloc(sizeof(*at));
	}
	*at = (struct place){ .account = account };
	lru_add(&p->order, &at->lru);
	(void)map_put_u64(&p->by_account, account, at);
	return at;
}

void
places_put(struct places *p, const struct auth_who *who, uint64_t generation,
    uint64_t folder)
{
	struct slice name = slice_str(who->suffix);
	struct place *at;

	if (name.n >= NAME_MAX_BYTES)
		return;
	pthread_mutex_lock(&p->lock);
	at = place_of(p, who->account);
	at->generation = generation;
	at->folder = folder;
	at->secret = who->secret_id;
	(void)slice_copy(name, at->name, sizeof(at->name));
	pthread_mutex_unlock(&p->lock);
}

uint64_t
places_get(struct places *p, const struct auth_who *who, uint64_t generation)
{
	const struct place *at;
	uint64_t folder = 0;

	pthread_mutex_lock(&p->lock);
	at = map_get_u64(&p->by_account, who->account);
	if (at != NULL && at->generation == generation &&
	    at->secret == who->secret_id &&
	    slice_eq(slice_str(at->name), slice_str(who->suffix)))
		folder = at->folder;
	pthread_mutex_unlock(&p->lock);
	return folder;
}
