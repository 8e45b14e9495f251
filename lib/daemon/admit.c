#include "lib/daemon/priv.h"

#include <inttypes.h>
#include <stdio.h>

void
admit_init(struct server_priv *p)
{
	pthread_mutex_init(&p->lock, NULL);
	map_init(&p->by_ip);
	map_init(&p->by_seat);
}

void
admit_fini(struct server_priv *p)
{
	map_fini(&p->by_ip, NULL);
	map_fini(&p->by_seat, NULL);
	pthread_mutex_destroy(&p->lock);
}

/* The count itself is the map's value. */
bool
admit_count_in(
    struct server_priv *p, struct map *m, struct slice key, uint64_t max)
{
	uintptr_t n;
	bool fits;

	pthread_mutex_lock(&p->lock);
	n = (uintptr_t)map_get(m, key);
	fits = n < max;
	if (fits)
		(void)map_put(m, key, (void *)(n + 1));
	pthread_mutex_unlock(&p->lock);
	return fits;
}

void
admit_count_out(struct server_priv *p, struct map *m, struct slice key)
{
	uintptr_t n;

	pthread_mutex_lock(&p->lock);
	n = (uintptr_t)map_get(m, key);
	if (n > 1)
		(void)map_put(m, key, (void *)(n - 1));
	else
		(void)map_del(m, key);
	pthread_mutex_unlock(&p->lock);
}

bool
server_admit(struct server_loop *sl, const char *peer_ip, const char **why_out)
{
	const struct conf *conf = sl->srv->conf;
	struct server_priv *p = sl->srv->priv;
	struct slice ip = slice_str(peer_ip);

	if (p->clients >= conf->connections_max) {
		figures_add(sl->srv->figures, FIG_TURNED_AWAY, 1);
		*why_out = "too many connections, try again later";
		return false;
	}
	if (ip.n != 0 &&
	    !admit_count_in(p, &p->by_ip, ip, conf->connections_per_address)) {
		figures_add(sl->srv->figures, FIG_TURNED_AWAY, 1);
		*why_out = "too many connections from your address";
		return false;
	}
	*why_out = NULL;
	p->clients++;
	p->total_clients++;
	figures_add(sl->srv->figures, FIG_CONNECTIONS, 1);
	sl->clients++;
	return true;
}

void
server_leave(struct server_loop *sl, const char *peer_ip)
{
	struct server_priv *p = sl->srv->priv;
	struct slice ip = slice_str(peer_ip);

	if (ip.n != 0)
		admit_count_out(p, &p->by_ip, ip);
	p->clients--;
	sl->clients--;
	loops_maybe_end(sl);
}

void
server_hold(struct server_loop *sl)
{
	sl->clients++;
}

void
server_release(struct server_loop *sl)
{
	sl->clients--;
	loops_maybe_end(sl);
}

void
server_client_id(struct server *srv, char letter, char out[24])
{
	(void)snprintf(out, 24, "%c%" PRIx64 "-%" PRIx32, letter,
	    srv->priv->epoch, ++srv->priv->next_id);
}
