#include "submitd/probe.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

/* The counts of a window; a count is the map's value itself. */
struct probe {
	pthread_mutex_t lock;
	struct map now, before;
	uint64_t window_ms, turned_ms;
	size_t sources_max;
};

struct probe *
probe_new(uint64_t window_ms, size_t sources_max)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	map_init(&p->now);
	map_init(&p->before);
	p->window_ms = window_ms;
	p->sources_max = sources_max;
	return p;
}

void
probe_free(struct probe **pp)
{
	struct probe *p = *pp;

	if (p == NULL)
		return;
	*pp = NULL;
	map_fini(&p->now, NULL);
	map_fini(&p->before, NULL);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* The part of an address that one customer has; empty: no address. */
static struct slice
source_of(const char *ip, char out[16])
{
	if (inet_pton(AF_INET, ip, out) == 1)
		return slice_of(out, 4);
	if (inet_pton(AF_INET6, ip, out) == 1)
		return slice_of(out, 8);
	return SLICE("");
}

static void
turn(struct probe *p, uint64_t now_ms)
{
	bool old = now_ms - p->turned_ms >= p->window_ms;

	if (!old && p->now.n < p->sources_max / 2)
		return;
	map_fini(&p->before, NULL);
	p->before = p->now;
	map_init(&p->now);
	/* Nothing was counted for longer than a window. */
	if (now_ms - p->turned_ms >= 2 * p->window_ms) {
		map_fini(&p->before, NULL);
		map_init(&p->before);
	}
	p->turned_ms = now_ms;
}

static uintptr_t
get(const struct map *m, struct slice source)
{
	return (uintptr_t)map_get(m, source);
}

static void
put(struct map *m, struct slice source, uintptr_t n)
{
	if (n != 0)
		(void)map_put(m, source, (void *)n);
	else
		(void)map_del(m, source);
}

void
probe_count(struct probe *p, const char *ip, bool good, uint64_t now_ms)
{
	char bytes[16];
	struct slice source = source_of(ip, bytes);
	uintptr_t n;

	if (source.n == 0)
		return;
	pthread_mutex_lock(&p->lock);
	turn(p, now_ms);
	n = get(&p->now, source);
	if (!good)
		put(&p->now, source, n + 1);
	else if (n != 0)
		put(&p->now, source, n - 1);
	else if ((n = get(&p->before, source)) != 0)
		put(&p->before, source, n - 1);
	pthread_mutex_unlock(&p->lock);
}

unsigned
probe_score(struct probe *p, const char *ip, uint64_t now_ms)
{
	char bytes[16];
	struct slice source = source_of(ip, bytes);
	uintptr_t n = 0;

	if (source.n == 0)
		return 0;
	pthread_mutex_lock(&p->lock);
	turn(p, now_ms);
	n = get(&p->now, source) + get(&p->before, source);
	pthread_mutex_unlock(&p->lock);
	return (unsigned)n;
}
