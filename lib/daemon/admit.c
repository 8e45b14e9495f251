#include "lib/daemon/priv.h"

#include <arpa/inet.h>
#include <string.h>

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

/* "n" and the bytes of the /24 or /64. */
static struct slice
network_of(char key[32], const char *ip)
{
	key[0] = 'n';
	if (inet_pton(AF_INET6, ip, key + 1) == 1)
		return slice_of(key, 1 + 8);
	/* in a place of its own: shorter than any of IPv6 */
	if (ip[0] == '\0' || strchr(ip, ':') != NULL)
		return SLICE("");
	key[0] = '4';
	return inet_pton(AF_INET, ip, key + 1) == 1 ? slice_of(key, 1 + 3)
						    : SLICE("");
}

bool
server_admit_ip(
    struct server_loop *sl, const char *peer_ip, const char **why_out)
{
	const struct conf *conf = sl->srv->conf;
	struct server_priv *p = sl->srv->priv;
	struct slice ip = slice_str(peer_ip), net;
	char key[32];

	*why_out = NULL;
	if (ip.n == 0)
		return true;
	if (!admit_count_in(p, &p->by_ip, ip, conf->connections_per_address)) {
		*why_out = "too many connections from your address";
		return false;
	}
	net = network_of(key, peer_ip);
	if (conf->connections_per_network != 0 && net.n != 0 &&
	    !admit_count_in(p, &p->by_ip, net, conf->connections_per_network)) {
		admit_count_out(p, &p->by_ip, ip);
		*why_out = "too many connections from your network";
		return false;
	}
	return true;
}

void
server_leave_ip(struct server_loop *sl, const char *peer_ip)
{
	struct server_priv *p = sl->srv->priv;
	struct slice ip = slice_str(peer_ip), net;
	char key[32];

	if (ip.n == 0)
		return;
	admit_count_out(p, &p->by_ip, ip);
	net = network_of(key, peer_ip);
	if (sl->srv->conf->connections_per_network != 0 && net.n != 0)
		admit_count_out(p, &p->by_ip, net);
}

bool
server_admit(struct server_loop *sl, const char *peer_ip, const char **why_out)
{
	struct server_priv *p = sl->srv->priv;

	if (p->clients >= sl->srv->conf->connections_max) {
		figures_add(sl->srv->figures, FIG_TURNED_AWAY, 1);
		*why_out = "too many connections, try again later";
		return false;
	}
	if (!server_admit_ip(sl, peer_ip, why_out)) {
		figures_add(sl->srv->figures, FIG_TURNED_AWAY, 1);
		return false;
	}
	p->clients++;
	p->total_clients++;
	figures_add(sl->srv->figures, FIG_CONNECTIONS, 1);
	return true;
}

void
server_leave(struct server_loop *sl, const char *peer_ip)
{
	server_leave_ip(sl, peer_ip);
	sl->srv->priv->clients--;
}

void
server_hold(struct server_loop *sl)
{
	sl->held++;
}

void
server_release(struct server_loop *sl)
{
	sl->held--;
	loops_maybe_end(sl);
}

void
server_client_id(struct server *srv, char letter, char out[24])
{
	(void)snprintf(out, 24, "%c%" PRIx64 "-%" PRIx32, letter,
	    srv->priv->epoch, ++srv->priv->next_id);
}
