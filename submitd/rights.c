#include "submitd/rights.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/ident.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/generation.h"

enum { CACHE_MAX = 20000 };

struct rights_cache {
	struct store *s;
	pthread_mutex_t lock;
	uint64_t turn; /* the generation of all that is in here */
	struct map accounts, domains;
	struct map own; /* u64 account, address: nothing more */
};

struct rights_cache *
rights_new(struct store *s)
{
	struct rights_cache *r = xcalloc(1, sizeof(*r));

	r->s = s;
	pthread_mutex_init(&r->lock, NULL);
	map_init(&r->accounts);
	map_init(&r->domains);
	map_init(&r->own);
	return r;
}

static void
empty(struct rights_cache *r)
{
	map_fini(&r->accounts, free);
	map_fini(&r->domains, free);
	map_fini(&r->own, free);
	map_init(&r->accounts);
	map_init(&r->domains);
	map_init(&r->own);
}

void
rights_free(struct rights_cache **rp)
{
	struct rights_cache *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	empty(r);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

uint64_t
rights_turn(struct rights_cache *r)
{
	return generation_of(r->s, GENERATION_ACCOUNTS);
}

/* With the lock: what is of another generation goes. */
static void
be_present(struct rights_cache *r)
{
	uint64_t turn = rights_turn(r);

	if (turn != r->turn)
		empty(r);
	r->turn = turn;
}

/* A copy of what is remembered; else false, and *turn_out for remember(). */
static bool
recall(struct rights_cache *r, struct map *m, struct slice key, void *out,
    size_t n, uint64_t *turn_out)
{
	void *have;

	pthread_mutex_lock(&r->lock);
	be_present(r);
	*turn_out = r->turn;
	if ((have = map_get(m, key)) != NULL)
		memcpy(out, have, n);
	pthread_mutex_unlock(&r->lock);
	return have != NULL;
}

/* Unless something has changed since it was read. */
static void
remember(struct rights_cache *r, struct map *m, struct slice key,
    const void *what, size_t n, uint64_t turn)
{
	void *copy = xmalloc(n);

	memcpy(copy, what, n);
	pthread_mutex_lock(&r->lock);
	be_present(r);
	if (m->n >= CACHE_MAX)
		empty(r);
	if (turn == r->turn)
		copy = map_put(m, key, copy);
	pthread_mutex_unlock(&r->lock);
	free(copy);
}

static uint64_t
limit_of(uint64_t own, uint64_t common)
{
	if (own == 0)
		own = common;
	return own == POLICY_NO_LIMIT ? 0 : own;
}

static void
set_limits(struct policy_limits *to, const struct policy_limits *own,
    const struct policy_limits *common)
{
	to->messages_hour = limit_of(own->messages_hour, common->messages_hour);
	to->recipients_hour =
	    limit_of(own->recipients_hour, common->recipients_hour);
	to->recipients_message =
	    limit_of(own->recipients_message, common->recipients_message);
	to->new_day = limit_of(own->new_day, common->new_day);
}

/* The host's stand in last, when it is asked for: a reload changes them. */
static void
set_host_limits(struct rights *r, const struct conf *conf)
{
	const struct policy_limits own = r->account;
	const struct policy_limits host = { .messages_hour =
						conf->messages_per_hour,
		.recipients_hour = conf->recipients_per_hour,
		.new_day = conf->new_recipients_per_day };

	set_limits(&r->account, &own, &host);
}

static int
read_rights(struct store *s, const struct auth_who *who, struct arena *a,
    struct rights *out)
{
	struct policy_limits plan = { 0 };
	struct policy p;
	struct package pack;
	int rc;

	rc = policy_get(s, POLICY_ACCOUNT, slice_str(who->name), a, &p);
	if (rc != 0)
		return rc;
	out->account = p.limits;
	out->sent_copy = p.sent_copy;
	out->outbox = p.outbox;
	out->undo_sec = p.undo_sec;
	(void)slice_copy(p.send_as, out->send_as, sizeof(out->send_as));
	rc = package_get(s, slice_str(who->package), a, &pack);
	if (rc == 0)
		plan.messages_hour = pack.sends_per_hour;
	if (rc == 0 || rc == ERR_NOTFOUND)
		rc = policy_get(
		    s, POLICY_PACKAGE, slice_str(who->package), a, &p);
	set_limits(&out->package, &p.limits, &plan);
	return rc;
}

static bool
recall_rights(struct rights_cache *r, const struct auth_who *who,
    struct rights *out, uint64_t *turn_out)
{
	return recall(
	    r, &r->accounts, slice_str(who->name), out, sizeof(*out), turn_out);
}

int
rights_get(struct rights_cache *r, const struct conf *conf,
    const struct auth_who *who, struct rights *out)
{
	struct arena a;
	uint64_t turn;
	int rc = 0;

	if (!recall_rights(r, who, out, &turn)) {
		*out = (struct rights){ 0 };
		arena_init(&a);
		rc = read_rights(r->s, who, &a, out);
		arena_clear(&a);
		if (rc == 0)
			remember(r, &r->accounts, slice_str(who->name), out,
			    sizeof(*out), turn);
	}
	set_host_limits(out, conf);
	return rc;
}

bool
rights_known(struct rights_cache *r, const struct conf *conf,
    const struct auth_who *who, struct rights *out)
{
	uint64_t turn;

	if (!recall_rights(r, who, out, &turn))
		return false;
	set_host_limits(out, conf);
	return true;
}

int
rights_domain(
    struct rights_cache *r, struct slice domain, struct policy_limits *out)
{
	static const struct policy_limits none;
	struct policy p;
	struct arena a;
	uint64_t turn;
	int rc;

	*out = none;
	if (domain.n == 0 ||
	    recall(r, &r->domains, domain, out, sizeof(*out), &turn))
		return 0;
	arena_init(&a);
	rc = policy_get(r->s, POLICY_DOMAIN, domain, &a, &p);
	arena_clear(&a);
	if (rc != 0)
		return rc;
	set_limits(out, &p.limits, &none);
	remember(r, &r->domains, domain, out, sizeof(*out), turn);
	return 0;
}

bool
rights_domain_known(
    struct rights_cache *r, struct slice domain, struct policy_limits *out)
{
	uint64_t turn;

	*out = (struct policy_limits){ 0 };
	return domain.n == 0 ||
	       recall(r, &r->domains, domain, out, sizeof(*out), &turn);
}

enum { OWN_KEY = 8 + IDENT_MAX };

static struct slice
own_key(char key[OWN_KEY], uint64_t account, struct slice addr)
{
	ph_assert(addr.n <= IDENT_MAX);
	num_put64(key, account);
	memcpy(key + 8, addr.p, addr.n);
	return slice_of(key, 8 + addr.n);
}

void
rights_own(
    struct rights_cache *r, uint64_t account, struct slice addr, uint64_t turn)
{
	char key[OWN_KEY], yes = 1;

	remember(r, &r->own, own_key(key, account, addr), &yes, 1, turn);
}

bool
rights_owns(struct rights_cache *r, uint64_t account, struct slice addr)
{
	char key[OWN_KEY], yes;
	uint64_t turn;

	return recall(r, &r->own, own_key(key, account, addr), &yes, 1, &turn);
}

bool
rights_lists(const struct rights *r, struct slice addr)
{
	struct slice rest = slice_str(r->send_as), word;
	struct slice domain = slice_from(addr, slice_rchr(addr, '@'));

	if (domain.n == 0)
		return false;
	while (slice_split(&rest, ' ', &word))
		if (word.n != 0 &&
		    (slice_eq(word, addr) || slice_eq(word, domain)))
			return true;
	return false;
}

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

uint64_t
rights_rcpt_max(const struct rights *r, const struct policy_limits *domain)
{
	return smaller(
	    domain->recipients_message, smaller(r->account.recipients_message,
					    r->package.recipients_message));
}
