#include "lib/net/conn_priv.h"

#include <stdlib.h>

#include "lib/base/mem.h"

/* An owner that never asks conn_full() shall not eat the machine. */
static const size_t out_max = (size_t)256 << 20;

/* One write request; it owns its bytes until libuv gives it back. */
struct conn_flight {
	uv_write_t req;
	struct buf bytes;
};

static void launch(struct conn *c);

static void
on_written(uv_write_t *req, int status)
{
	struct conn_flight *f = PH_CONTAINER(req, struct conn_flight, req);
	struct conn *c = req->data;

	buf_fini(&f->bytes);
	free(f);
	c->priv->flight = NULL;
	if (c->state == CONN_CLOSED)
		return;
	if (status < 0) {
		conn_break(c, uv_strerror(status));
		return;
	}
	c->last_active_ms = loop_now_ms(c->loop);
	if (buf_len(&c->priv->out) != 0)
		launch(c);
	else if (c->state == CONN_FLUSHING)
		conn_flushed(c);
	conn_turn(c);
}

static void
launch(struct conn *c)
{
	struct conn_flight *f = xcalloc(1, sizeof(*f));
	struct slice s;
	uv_buf_t ub;
	int rc;

	buf_init(&f->bytes, out_max);
	buf_move(&f->bytes, &c->priv->out);
	s = buf_slice(&f->bytes);
	ub = uv_buf_init((char *)(uintptr_t)s.p, (unsigned)s.n);
	f->req.data = c;
	rc = uv_write(&f->req, &c->h.stream, &ub, 1, on_written);
	if (rc == 0) {
		c->priv->flight = f;
		return;
	}
	buf_fini(&f->bytes);
	free(f);
	conn_break(c, uv_strerror(rc));
}

bool
conn_out_empty(const struct conn *c)
{
	return c->priv->flight == NULL && buf_len(&c->priv->out) == 0;
}

void
conn_out_drop(struct conn *c)
{
	buf_fini(&c->priv->out);
}

/* How many bytes the kernel took at once; a failure breaks the connection. */
static size_t
try_write(struct conn *c, struct slice s)
{
	size_t all = 0;
	uv_buf_t ub;
	int n;

	if (!conn_out_empty(c))
		return 0;
	ub = uv_buf_init((char *)(uintptr_t)s.p, (unsigned)s.n);
	n = uv_try_write(&c->h.stream, &ub, 1);
	if (n > 0) {
		c->last_active_ms = loop_now_ms(c->loop);
		all = (size_t)n;
	} else if (n < 0 && n != UV_EAGAIN) {
		conn_break(c, uv_strerror(n));
	}
	return all;
}

static void
queue_rest(struct conn *c, bool too_much)
{
	if (c->flags & CONN_F_BROKEN)
		return;
	if (too_much)
		conn_break(c, "output queue over its ceiling");
	else if (c->priv->flight == NULL && buf_len(&c->priv->out) != 0)
		launch(c);
}

void
conn_out_send(struct conn *c, struct slice s)
{
	struct buf *out = &c->priv->out;

	if (s.n == 0 || (c->flags & CONN_F_BROKEN))
		return;
	out->max = out_max;
	if (s.n < out_max)
		s = slice_from(s, try_write(c, s));
	if (s.n != 0 && !(c->flags & CONN_F_BROKEN))
		buf_add_slice(out, s);
	queue_rest(c, buf_failed(out));
}

void
conn_out_send_buf(struct conn *c, struct buf *b)
{
	struct buf *out = &c->priv->out;

	out->max = out_max;
	if (!(c->flags & CONN_F_BROKEN) && buf_len(b) != 0 &&
	    buf_len(b) < out_max)
		buf_consume(b, try_write(c, buf_slice(b)));
	if (!(c->flags & CONN_F_BROKEN) && buf_len(b) != 0) {
		buf_move(out, b);
		queue_rest(c, buf_failed(out));
	}
	buf_clear(b);
}

size_t
conn_queued(const struct conn *c)
{
	size_t held;

	if (c->flags & CONN_F_BROKEN || c->priv == NULL)
		return 0;
	held = c->priv->tls != NULL ? conn_tls_held(c) : 0;
	return held + buf_len(&c->priv->out) +
	       uv_stream_get_write_queue_size(&c->h.stream);
}

bool
conn_full(const struct conn *c)
{
	bool full = conn_queued(c) >= c->high_water;

	if (full)
		c->priv->full_seen = true;
	return full;
}
