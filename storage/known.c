#include "storage/known.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/siphash.h"
#include "storage/account.h"
#include "storage/deliver.h"
#include "storage/generation.h"
#include "storage/names.h"
#include "storage/store_priv.h"

enum {
	SLOTS = 4096, /* direct-mapped, so bounded without bookkeeping */
	AWAY_SLOTS = 1024,
	ADDR_MAX = 320,
	ACCOUNTS_MAX = 4, /* of a route that is kept; longer ones are rare */
	NAME_MAX_BYTES = 32,
	FRESH_MS = 2000,
	PLENTY_MESSAGES = 100000
};

/* More than all workers together can fill while an answer is fresh. */
static const uint64_t plenty_bytes = 1 << 30;

struct slot_route {
	uint64_t generation;
	uint32_t naccounts;
	uint64_t accounts[ACCOUNTS_MAX];
	uint8_t name_n[ACCOUNTS_MAX];
	char names[ACCOUNTS_MAX][NAME_MAX_BYTES];
	uint32_t addr_n;
	char addr[ADDR_MAX];
};

struct slot_away {
	uint64_t generation;
	uint32_t n;
	char domain[NAMES_DOMAIN_MAX];
};

struct slot_room {
	uint64_t generation, account, at_ms; /* at_ms 0: nothing here */
	uint64_t bytes, messages;
};

struct known {
	pthread_mutex_t mtx;
	struct slot_route *routes[SLOTS];
	struct slot_away *away[AWAY_SLOTS];
	struct slot_room rooms[SLOTS];
};

struct known *
known_new(void)
{
	struct known *k = xcalloc(1, sizeof(*k));

	pthread_mutex_init(&k->mtx, NULL);
	return k;
}

void
known_free(struct known **kp)
{
	struct known *k = *kp;

	*kp = NULL;
	if (k == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		free(k->routes[i]);
	for (size_t i = 0; i < AWAY_SLOTS; i++)
		free(k->away[i]);
	pthread_mutex_destroy(&k->mtx);
	free(k);
}

static bool
is_present(const struct store *s, uint64_t generation)
{
	return generation == generation_of(s, GENERATION_ACCOUNTS);
}

static size_t
slot_of(struct slice addr)
{
	return (size_t)(siphash(addr) % SLOTS);
}

/* Only the plain case is kept: a few accounts here, and nothing else. */
static bool
is_plain(struct slice addr, const struct route *r)
{
	if (addr.n > ADDR_MAX || r->nremote != 0 || r->detail.n != 0 ||
	    r->naccounts == 0 || r->naccounts > ACCOUNTS_MAX)
		return false;
	for (size_t i = 0; i < r->naccounts; i++)
		if (r->account_names[i].n > NAME_MAX_BYTES)
			return false;
	return true;
}

void
known_route(struct store *s, uint64_t begun, struct slice addr,
    const struct route *route)
{
	struct known *k = s->known;
	struct slot_route **slot = &k->routes[slot_of(addr)], *e;

	if (!is_plain(addr, route))
		return;
	pthread_mutex_lock(&k->mtx);
	if (*slot == NULL)
		*slot = xmalloc(sizeof(**slot));
	e = *slot;
	e->generation = begun;
	e->addr_n = (uint32_t)addr.n;
	memcpy(e->addr, addr.p, addr.n);
	e->naccounts = (uint32_t)route->naccounts;
	for (size_t i = 0; i < route->naccounts; i++) {
		e->accounts[i] = route->accounts[i];
		e->name_n[i] = (uint8_t)route->account_names[i].n;
		memcpy(e->names[i], route->account_names[i].p,
		    route->account_names[i].n);
	}
	pthread_mutex_unlock(&k->mtx);
}

static void
copy_out(const struct slot_route *e, struct arena *a, struct route *out)
{
	size_t n = e->naccounts;

	*out = (struct route){ .detail = SLICE(""), .naccounts = n };
	out->accounts = arena_alloc(a, n * sizeof(*out->accounts));
	out->account_names = arena_alloc(a, n * sizeof(*out->account_names));
	for (size_t i = 0; i < n; i++) {
		out->accounts[i] = e->accounts[i];
		out->account_names[i] =
		    arena_copy(a, slice_of(e->names[i], e->name_n[i]));
	}
}

bool
address_route_known(
    struct store *s, struct slice addr, struct arena *a, struct route *out)
{
	struct known *k = s->known;
	const struct slot_route *e;
	bool hit;

	pthread_mutex_lock(&k->mtx);
	e = k->routes[slot_of(addr)];
	hit = e != NULL && is_present(s, e->generation) &&
	      slice_eq(addr, slice_of(e->addr, e->addr_n));
	if (hit)
		copy_out(e, a, out);
	pthread_mutex_unlock(&k->mtx);
	return hit;
}

static struct slot_away **
away_of(struct known *k, struct slice domain)
{
	return &k->away[siphash(domain) % AWAY_SLOTS];
}

void
known_away(struct store *s, uint64_t begun, struct slice domain)
{
	struct known *k = s->known;
	struct slot_away **slot = away_of(k, domain);

	if (domain.n == 0 || domain.n > NAMES_DOMAIN_MAX)
		return;
	pthread_mutex_lock(&k->mtx);
	if (*slot == NULL)
		*slot = xmalloc(sizeof(**slot));
	(*slot)->generation = begun;
	(*slot)->n = (uint32_t)domain.n;
	memcpy((*slot)->domain, domain.p, domain.n);
	pthread_mutex_unlock(&k->mtx);
}

bool
domain_away_known(struct store *s, struct slice domain)
{
	struct known *k = s->known;
	const struct slot_away *e;
	bool hit;

	pthread_mutex_lock(&k->mtx);
	e = *away_of(k, domain);
	hit = e != NULL && is_present(s, e->generation) &&
	      slice_eq(domain, slice_of(e->domain, e->n));
	pthread_mutex_unlock(&k->mtx);
	return hit;
}

static struct slot_room *
room_of(struct known *k, uint64_t account)
{
	return &k->rooms[account % SLOTS];
}

void
known_room(struct store *s, uint64_t begun, uint64_t account, uint64_t bytes,
    uint64_t messages)
{
	struct known *k = s->known;

	pthread_mutex_lock(&k->mtx);
	*room_of(k, account) = (struct slot_room){ begun, account,
		clock_steady_ms(), bytes, messages };
	pthread_mutex_unlock(&k->mtx);
}

bool
deliver_fits_known(struct store *s, uint64_t account, uint64_t bytes)
{
	struct known *k = s->known;
	const struct slot_room *e;
	bool hit;

	pthread_mutex_lock(&k->mtx);
	e = room_of(k, account);
	hit = e->account == account && e->at_ms != 0 &&
	      is_present(s, e->generation) &&
	      clock_steady_ms() < e->at_ms + FRESH_MS &&
	      e->messages >= PLENTY_MESSAGES && e->bytes >= plenty_bytes &&
	      e->bytes - plenty_bytes >= bytes;
	pthread_mutex_unlock(&k->mtx);
	return hit;
}
