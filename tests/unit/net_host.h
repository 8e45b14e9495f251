/*
 * net_host.h - a server on its own loop and thread for tests of connections;
 * the test itself is the client, with plain blocking sockets.
 */
#ifndef TESTS_UNIT_NET_HOST_H
#define TESTS_UNIT_NET_HOST_H

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/net/conn.h"

struct host;

struct peer {
	struct conn conn;
	struct host *host;
	struct peer *next, **prev;
	struct loop_msg msg;
	size_t left; /* what a test counts */
	unsigned closed;
};

struct host {
	struct loop *loop;
	struct listener *listener;
	struct tls_server *tls;
	struct conn_ops ops;
	void (*begin)(struct peer *p); /* behind conn_accept() */
	size_t in_max, high_water;
	int port;
	pthread_t thread;
	struct peer *peers;
	struct loop_msg stop;
	bool stopping;
	atomic_int opened, closed, eofs, secured, failed, timeouts, drains;
	atomic_int last_rc, bad;
	atomic_size_t got, most;
	char reason[100]; /* of the last one closed */
};

static inline struct peer *
peer_of(struct conn *c)
{
	return PH_CONTAINER(c, struct peer, conn);
}

static inline void
host_input(struct conn *c)
{
	conn_write(c, buf_slice(&c->in));
	conn_consume(c, buf_len(&c->in));
}

static inline void
host_drained(struct conn *c)
{
	atomic_fetch_add(&peer_of(c)->host->drains, 1);
}

static inline void
host_secured(struct conn *c, int rc, const struct err *e)
{
	struct host *h = peer_of(c)->host;

	atomic_store(&h->last_rc, rc);
	if ((rc == 0) != (e == NULL))
		atomic_fetch_add(&h->bad, 1);
	atomic_fetch_add(rc == 0 ? &h->secured : &h->failed, 1);
	if (rc != 0)
		conn_close(c);
}

static inline void
host_eof(struct conn *c)
{
	atomic_fetch_add(&peer_of(c)->host->eofs, 1);
	conn_close(c);
}

static inline void
host_timeout(struct conn *c)
{
	atomic_fetch_add(&peer_of(c)->host->timeouts, 1);
	conn_close(c);
}

static inline void
host_connected(struct conn *c, int rc, const struct err *e)
{
	(void)rc;
	(void)e;
	atomic_fetch_add(&peer_of(c)->host->bad, 1);
}

static inline void
host_check_stop(struct host *h)
{
	if (h->stopping && h->peers == NULL)
		loop_stop(h->loop);
}

static inline void
host_closed(struct conn *c)
{
	struct peer *p = peer_of(c);
	struct host *h = p->host;

	(void)snprintf(h->reason, sizeof(h->reason), "%s", conn_reason(c));
	if (p->closed++ != 0)
		atomic_fetch_add(&h->bad, 1);
	if ((*p->prev = p->next) != NULL)
		p->next->prev = p->prev;
	free(p);
	atomic_fetch_add(&h->closed, 1);
	host_check_stop(h);
}

static inline void
host_accept(struct listener *l, void *arg)
{
	struct host *h = arg;
	struct peer *p = xcalloc(1, sizeof(*p));

	p->host = h;
	if (conn_accept(&p->conn, l, &h->ops, h->in_max, h->high_water) != 0) {
		free(p);
		return;
	}
	if ((p->next = h->peers) != NULL)
		p->next->prev = &p->next;
	p->prev = &h->peers;
	h->peers = p;
	atomic_fetch_add(&h->opened, 1);
	if (h->begin != NULL)
		h->begin(p);
}

/* For h->begin: implicit TLS. */
static inline void
host_begin_tls(struct peer *p)
{
	if (conn_tls_server(&p->conn, p->host->tls, 5000) != 0)
		atomic_fetch_add(&p->host->bad, 1);
}

static inline void
host_init(struct host *h)
{
	memset(h, 0, sizeof(*h));
	(void)signal(SIGPIPE, SIG_IGN);
	h->ops = (struct conn_ops){ host_input, host_drained, host_secured,
		host_eof, host_timeout, host_connected, host_closed };
	h->in_max = 65536;
	h->high_water = 262144;
}

static inline int
host_listen(int *port_out)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	ph_assert(fd >= 0 && bind(fd, (struct sockaddr *)&in, len) == 0);
	ph_assert(listen(fd, 512) == 0);
	ph_assert(getsockname(fd, (struct sockaddr *)&in, &len) == 0);
	*port_out = ntohs(in.sin_port);
	return fd;
}

static inline void *
host_main(void *arg)
{
	struct host *h = arg;

	loop_run(h->loop);
	return NULL;
}

/* fd: a listening socket, or -1 for a new one on loopback. */
static inline void
host_start(struct host *h, int fd)
{
	if (fd < 0)
		fd = host_listen(&h->port);
	ph_assert(loop_new(&h->loop) == 0);
	ph_assert(
	    listener_open(h->loop, fd, host_accept, h, &h->listener) == 0);
	ph_assert(pthread_create(&h->thread, NULL, host_main, h) == 0);
}

static inline void
host_on_stop(struct loop_msg *m)
{
	struct host *h = PH_CONTAINER(m, struct host, stop);

	h->stopping = true;
	listener_close(&h->listener);
	for (struct peer *p = h->peers; p != NULL; p = p->next)
		conn_abort(&p->conn);
	host_check_stop(h);
}

/* Everything closed exactly once, everything freed. */
static inline void
host_stop(struct host *h)
{
	h->stop.fn = host_on_stop;
	loop_post(h->loop, &h->stop);
	pthread_join(h->thread, NULL);
	loop_free(&h->loop);
	ph_assert(h->bad == 0);
	ph_assert(h->opened == h->closed);
	tls_server_free(&h->tls);
}

/* Until *v reaches want, at most 10 seconds. */
static inline bool
host_wait(atomic_int *v, int want)
{
	uint64_t end = clock_steady_ms() + 10000;

	while (atomic_load(v) < want && clock_steady_ms() < end)
		usleep(1000);
	return atomic_load(v) >= want;
}

static inline bool
host_reach(atomic_size_t *v, size_t want)
{
	uint64_t end = clock_steady_ms() + 10000;

	while (atomic_load(v) < want && clock_steady_ms() < end)
		usleep(1000);
	return atomic_load(v) >= want;
}

/* ---- the client's side ---- */

static inline int
dial(int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	struct timeval tv = { 20, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ph_assert(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	ph_assert(connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0);
	return fd;
}

static inline bool
send_all(int fd, const void *p, size_t n)
{
	const char *s = p;
	ssize_t r;

	for (; n != 0; s += r, n -= (size_t)r)
		if ((r = send(fd, s, n, MSG_NOSIGNAL)) <= 0)
			return false;
	return true;
}

/* n bytes, or fewer at the end of the stream. */
static inline size_t
recv_upto(int fd, void *p, size_t n)
{
	size_t all = 0;
	ssize_t r;

	while (all < n && (r = recv(fd, (char *)p + all, n - all, 0)) > 0)
		all += (size_t)r;
	return all;
}

/* A pattern that shows loss, doubling and disorder. */
static inline char
pattern(size_t i)
{
	return (char)(i * 7 + (i >> 8) * 13 + (i >> 16));
}

static inline char *
pattern_new(size_t n)
{
	char *p = xmalloc(n);

	for (size_t i = 0; i < n; i++)
		p[i] = pattern(i);
	return p;
}

#endif
