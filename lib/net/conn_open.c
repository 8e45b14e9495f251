#include "lib/net/conn_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"

static void
format_addr(const struct sockaddr *sa, char *out, size_t cap, char ip[46])
{
	const void *a = NULL;
	unsigned port = 0;

	ip[0] = '\0';
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		a = &in->sin_addr;
		port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		a = &in6->sin6_addr;
		port = ntohs(in6->sin6_port);
	}
	if (a == NULL || inet_ntop(sa->sa_family, a, ip, 46) == NULL)
		(void)snprintf(out, cap, "unix");
	else if (sa->sa_family == AF_INET6)
		(void)snprintf(out, cap, "[%s]:%u", ip, port);
	else
		(void)snprintf(out, cap, "%s:%u", ip, port);
}

/* From here on the memory is ours until ops->closed. */
static void
set_up(struct conn *c, struct loop *loop, const struct conn_ops *ops,
    size_t in_max, size_t high_water)
{
	memset(c, 0, sizeof(*c));
	c->loop = loop;
	c->ops = ops;
	c->high_water = high_water;
	buf_init(&c->in, in_max);
	c->last_active_ms = loop_now_ms(loop);
	c->priv = xcalloc(1, sizeof(*c->priv));
	c->priv->conn = c;
	c->priv->handles = 2;
	(void)uv_timer_init(loop_uv(loop), &c->timer);
	c->timer.data = c;
}

/* Gives the descriptor to libuv. */
static int
open_stream(struct conn *c, int fd, int family)
{
	int rc;

	if (family == AF_UNIX) {
		(void)uv_pipe_init(loop_uv(c->loop), &c->h.pipe, 0);
		rc = uv_pipe_open(&c->h.pipe, fd);
	} else {
		(void)uv_tcp_init(loop_uv(c->loop), &c->h.tcp);
		rc = uv_tcp_open(&c->h.tcp, fd);
	}
	c->h.stream.data = c;
	if (rc != 0)
		(void)close(fd);
	return rc;
}

int
conn_accept(struct conn *c, struct listener *from, const struct conn_ops *ops,
    size_t in_max, size_t high_water)
{
	struct sockaddr_storage peer;
	int fd, rc;

	if ((rc = listener_take(from, &fd, &peer)) != 0)
		return rc;
	set_up(c, listener_loop(from), ops, in_max, high_water);
	format_addr(
	    (struct sockaddr *)&peer, c->peer, sizeof(c->peer), c->peer_ip);
	c->state = CONN_OPEN;
	if (open_stream(c, fd, peer.ss_family) != 0) {
		c->flags |= CONN_F_EOF | CONN_F_FIN | CONN_F_BROKEN;
		conn_later(c);
	}
	conn_read_adjust(c);
	return 0;
}

static void
on_connected(uv_connect_t *req, int status)
{
	struct conn *c = req->data;

	if (c->state != CONN_CONNECTING)
		return;
	c->last_active_ms = loop_now_ms(c->loop);
	if (status == 0)
		conn_ended(c, 0, "%s", "");
	else
		conn_ended(c, ERR_IO, "%s", uv_strerror(status));
	conn_turn(c);
}

static int
open_socket(const struct sockaddr *to, const struct sockaddr *from, int *fd_out)
{
	socklen_t len = to->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						  : sizeof(struct sockaddr_in);
	int fd, on = 1;

	*fd_out = -1;
	if (to->sa_family != AF_INET && to->sa_family != AF_INET6)
		return ERR_INVALID;
	fd = socket(
	    to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_from_errno(errno);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (from != NULL && bind(fd, from, len) != 0) {
		(void)close(fd);
		return err_from_errno(errno);
	}
	*fd_out = fd;
	return 0;
}

int
conn_connect(struct conn *c, struct loop *loop, const struct sockaddr *to,
    const struct sockaddr *from, uint64_t timeout_ms,
    const struct conn_ops *ops, size_t in_max, size_t high_water)
{
	int fd, rc;

	if ((rc = open_socket(to, from, &fd)) != 0)
		return rc;
	set_up(c, loop, ops, in_max, high_water);
	format_addr(to, c->peer, sizeof(c->peer), c->peer_ip);
	c->state = CONN_CONNECTING;
	rc = open_stream(c, fd, to->sa_family);
	c->priv->connect.data = c;
	if (rc == 0)
		rc = uv_tcp_connect(
		    &c->priv->connect, &c->h.tcp, to, on_connected);
	if (rc != 0) {
		conn_ended(c, ERR_IO, "%s", uv_strerror(rc));
		conn_later(c);
	}
	conn_deadline(c, timeout_ms);
	return 0;
}
