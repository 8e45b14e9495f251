#include "submitd/rate.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

enum { MINUTE_MS = 60000, KEY_MAX = 18 };

/* The counts of this minute; a count is the map's value itself. */
struct rates {
	pthread_mutex_t lock;
	struct map now;
	uint64_t minute;
	size_t sources_max;
};

struct rates *
rate_new(size_t sources_max)
{
	struct rates *r = xcalloc(1, sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	map_init(&r->now);
	r->sources_max = sources_max;
	return r;
}

void
rate_free(struct rates **rp)
{
	struct rates *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	map_fini(&r->now, NULL);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* kind, 'a' or 'n', bytes of the address or of its network. */
static struct slice
key_of(char key[KEY_MAX], enum rate_kind kind, const char *ip, bool network)
{
	size_t n;

	key[0] = (char)kind;
	key[1] = network ? 'n' : 'a';
	if (inet_pton(AF_INET, ip, key + 2) == 1)
		n = network ? 3 : 4;
	else if (inet_pton(AF_INET6, ip, key + 2) == 1)
		n = network ? 8 : 16;
	else
		return SLICE("");
	return slice_of(key, 2 + n);
}

static uint64_t
add(struct rates *r, struct slice key, unsigned n)
{
	uintptr_t have = (uintptr_t)map_get(&r->now, key) + n;

	if (n != 0)
		(void)map_put(&r->now, key, (void *)have);
	return have;
}

/* Too many sources at once: who comes next counts from the beginning. */
static void
turn(struct rates *r, uint64_t now_ms)
{
	if (now_ms / MINUTE_MS == r->minute && r->now.n < r->sources_max)
		return;
	r->minute = now_ms / MINUTE_MS;
	map_fini(&r->now, NULL);
	map_init(&r->now);
}

bool
rate_take(struct rates *r, enum rate_kind kind, const char *ip, unsigned n,
    uint64_t max, uint64_t now_ms)
{
	char a[KEY_MAX], b[KEY_MAX];
	struct slice own = key_of(a, kind, ip, false);
	struct slice net = key_of(b, kind, ip, true);
	bool fits;

	if (max == 0 || own.n == 0)
		return true;
	pthread_mutex_lock(&r->lock);
	turn(r, now_ms);
	fits = add(r, own, n) <= max;
	fits = add(r, net, n) <= max * RATE_NETWORK_FACTOR && fits;
	pthread_mutex_unlock(&r->lock);
	return fits;
}
