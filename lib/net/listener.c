#include "lib/net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/net/proxied.h"

enum { REST_MS = 100, LOG_EVERY_MS = 10000 };

struct listener {
	struct loop *loop;
	int fd;
	int peer_fd; /* accepted and not yet taken; -1: none */
	struct sockaddr_storage peer;
	uv_poll_t poll;
	uv_timer_t rest;
	uint64_t logged_ms;
	bool closing;
	unsigned handles;
	void (*on_accept)(struct listener *l, void *arg);
	void *arg;
	struct proxied *proxied; /* or NULL */
};

static void on_readable(uv_poll_t *p, int status, int events);

static void
on_rested(uv_timer_t *t)
{
	struct listener *l = t->data;

	if (!l->closing)
		(void)uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

/* No descriptors or no memory: the peers wait in the kernel meanwhile. */
static void
rest(struct listener *l, int errnum)
{
	uint64_t now = loop_now_ms(l->loop);

	if (l->logged_ms == 0 || now - l->logged_ms >= LOG_EVERY_MS) {
		log_warn(NULL, "accept-rest", "errno=%d text=\"%s\"", errnum,
		    strerrordesc_np(errnum));
		l->logged_ms = now;
	}
	(void)uv_poll_stop(&l->poll);
	(void)uv_timer_start(&l->rest, on_rested, REST_MS, 0);
}

static void
show(struct listener *l)
{
	l->on_accept(l, l->arg);
	if (l->peer_fd >= 0)
		(void)close(l->peer_fd);
	l->peer_fd = -1;
}

static void
park(struct listener *l)
{
	int fd = l->peer_fd;

	l->peer_fd = -1;
	proxied_wait(l->proxied, fd, &l->peer);
}

static void
on_proxied(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct listener *l = arg;

	l->peer_fd = fd;
	l->peer = *peer;
	show(l);
}

void
listener_trust(struct listener *l, const struct prefix *from, size_t n)
{
	if (n == 0)
		return;
	l->proxied = proxied_new(l->loop, from, n, on_proxied, l);
	l->handles++;
}

/* One peer a wake-up: others get their turn, and to ask whether there is one
 * more costs more than to be woken for him. */
static void
accept_one(struct listener *l)
{
	socklen_t len = sizeof(l->peer);

	memset(&l->peer, 0, sizeof(l->peer));
	l->peer_fd = accept4(l->fd, (struct sockaddr *)&l->peer, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (l->peer_fd >= 0) {
		if (proxied_is(l->proxied, &l->peer))
			park(l);
		else
			show(l);
		return;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM: rest(l, errno); return;
	default: return; /* that peer's own trouble, or a late one's */
	}
}

static void
on_readable(uv_poll_t *p, int status, int events)
{
	struct listener *l = p->data;

	(void)events;
	if (status < 0) {
		rest(l, -status);
		return;
	}
	if (!l->closing)
		accept_one(l);
}

int
listener_open(struct loop *loop, int fd,
    void (*on_accept)(struct listener *l, void *arg), void *arg,
    struct listener **listener_out)
{
	struct listener *l = xcalloc(1, sizeof(*l));
	struct sockaddr_storage own = { 0 };
	socklen_t len = sizeof(own);
	int on = 1;

	*listener_out = NULL;
	*l = (struct listener){ .loop = loop,
		.fd = fd,
		.peer_fd = -1,
		.on_accept = on_accept,
		.arg = arg };
	if (getsockname(fd, (struct sockaddr *)&own, &len) != 0 ||
	    uv_poll_init(loop_uv(loop), &l->poll, fd) != 0) {
		free(l);
		return ERR_INVALID;
	}
	/* Linux: accepted sockets inherit it, one call a peer saved. */
	if (own.ss_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)uv_timer_init(loop_uv(loop), &l->rest);
	l->poll.data = l;
	l->rest.data = l;
	l->handles = 2;
	if (uv_poll_start(&l->poll, UV_READABLE, on_readable) != 0)
		rest(l, EINVAL);
	*listener_out = l;
	return 0;
}

void
listener_defer(struct listener *l)
{
	int sec = 1; /* until the kernel asks a second time */

	/* Not for Unix sockets, and nothing is lost. */
	(void)setsockopt(
	    l->fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &sec, sizeof(sec));
}

static void
part_closed(void *arg)
{
	struct listener *l = arg;

	if (--l->handles != 0)
		return;
	(void)close(l->fd);
	free(l);
}

static void
on_closed(uv_handle_t *h)
{
	part_closed(h->data);
}

void
listener_close(struct listener **lp)
{
	struct listener *l = *lp;

	if (l == NULL)
		return;
	*lp = NULL;
	l->closing = true;
	uv_close((uv_handle_t *)&l->poll, on_closed);
	uv_close((uv_handle_t *)&l->rest, on_closed);
	if (l->proxied != NULL)
		proxied_close(&l->proxied, part_closed, l);
}

struct loop *
listener_loop(const struct listener *l)
{
	return l->loop;
}

int
listener_take(
    struct listener *l, int *fd_out, struct sockaddr_storage *peer_out)
{
	*fd_out = l->peer_fd;
	*peer_out = l->peer;
	l->peer_fd = -1;
	return *fd_out >= 0 ? 0 : ERR_INVALID;
}
