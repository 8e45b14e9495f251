#include "lib/net/conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/net/conn_priv.h"
#include "lib/net/farewell.h"

enum {
	BROKEN_MS = 2000,     /* for the end of input after a failed write */
	ZIP_REST_MS = 10000,  /* then a compressed one gives memory back */
	FLUSH_STEP_MS = 5000, /* without a byte going out */
	FLUSH_MAX_MS = 60000
};

static void destroy(struct conn *c);
static void on_timer(uv_timer_t *t);

/* ---- reasons ---- */

void
conn_because(struct conn *c, const char *fmt, ...)
{
	va_list ap;

	if (c->priv->reason[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(c->priv->reason, sizeof(c->priv->reason), fmt, ap);
	va_end(ap);
}

const char *
conn_reason(const struct conn *c)
{
	return c->priv != NULL ? c->priv->reason : "";
}

void
conn_ended(struct conn *c, int rc, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	if (c->flags & CONN_F_ENDED)
		return;
	c->flags |= CONN_F_ENDED;
	if (rc == 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conn_because(c, "%s", text);
	c->priv->ended = xcalloc(1, sizeof(*c->priv->ended));
	(void)err_set(c->priv->ended, rc, "%s", text);
}

/* ---- time ---- */

static uint64_t
sooner(uint64_t due, uint64_t other)
{
	return due == 0 || other < due ? other : due;
}

/* When the timer has to look at the connection next; 0: never. */
static uint64_t
next_due(const struct conn *c)
{
	uint64_t due = c->priv->deadline_ms;

	if (c->state != CONN_OPEN)
		return due;
	if (c->timeout_ms != 0)
		due = sooner(due, c->last_active_ms + c->timeout_ms);
	if (c->priv->zip != NULL && conn_zip_used(c))
		due = sooner(due, c->last_active_ms + ZIP_REST_MS);
	return due;
}

/* Activity only moves last_active_ms; the timer re-arms itself when it fires
 * too early, so that a busy connection costs nothing here. */
void
conn_arm(struct conn *c)
{
	uint64_t due = next_due(c), now = loop_now_ms(c->loop);

	if (due == 0 || c->state == CONN_CLOSED)
		return;
	if (c->priv->armed_ms != 0 && c->priv->armed_ms <= due)
		return;
	c->priv->armed_ms = due;
	(void)uv_timer_start(&c->timer, on_timer, due > now ? due - now : 0, 0);
}

void
conn_deadline(struct conn *c, uint64_t in_ms)
{
	c->priv->deadline_ms = in_ms != 0 ? loop_now_ms(c->loop) + in_ms : 0;
	conn_arm(c);
}

/* The queue may take longer as long as it shrinks. */
static void
flush_overdue(struct conn *c)
{
	size_t left = conn_queued(c);

	if (left >= c->priv->flush_left ||
	    loop_now_ms(c->loop) >= c->priv->flush_end_ms) {
		destroy(c);
		return;
	}
	c->priv->flush_left = left;
	conn_deadline(c, FLUSH_STEP_MS);
}

static void
overdue(struct conn *c)
{
	c->priv->deadline_ms = 0;
	switch ((enum conn_state)c->state) {
	case CONN_CONNECTING:
		conn_ended(c, ERR_TIMEOUT, "connect timed out");
		break;
	case CONN_SECURING:
		conn_ended(c, ERR_TIMEOUT, "TLS handshake timed out");
		break;
	case CONN_OPEN: /* a write failed and no end of input came */
		c->flags |= CONN_F_EOF;
		break;
	case CONN_FLUSHING: flush_overdue(c); return;
	case CONN_LINGERING: destroy(c); return;
	case CONN_CLOSED: return;
	}
	conn_turn(c);
}

static void
on_timer(uv_timer_t *t)
{
	struct conn *c = t->data;
	uint64_t now = loop_now_ms(c->loop);

	c->priv->armed_ms = 0;
	if (c->priv->zip != NULL && conn_zip_used(c) &&
	    now >= c->last_active_ms + ZIP_REST_MS)
		conn_zip_rest(c);
	if (c->priv->deadline_ms != 0 && now >= c->priv->deadline_ms) {
		overdue(c);
	} else if (c->state == CONN_OPEN && c->timeout_ms != 0 &&
		   now >= c->last_active_ms + c->timeout_ms) {
		c->last_active_ms = now;
		c->ops->timeout(c);
	}
	conn_arm(c);
}

void
conn_set_timeout(struct conn *c, uint64_t ms)
{
	c->timeout_ms = ms;
	if (c->state != CONN_CLOSED)
		conn_arm(c);
}

/* ---- telling the owner ---- */

static void
tell_end_of_phase(struct conn *c)
{
	struct err *e = c->priv->ended;
	bool connecting = c->state == CONN_CONNECTING;
	int rc = e != NULL ? e->kind : 0;

	c->priv->ended = NULL;
	c->flags |= CONN_F_ENDED_TOLD;
	if (!connecting || rc == 0) {
		c->state = CONN_OPEN;
		conn_deadline(c, 0);
	}
	if (connecting)
		c->ops->connected(c, rc, e);
	else
		c->ops->secured(c, rc, e);
	free(e);
}

static void
tell_input(struct conn *c)
{
	c->flags &= ~(unsigned)(CONN_F_NEWS | CONN_F_CONSUMED);
	c->ops->input(c);
	/* Paused and resumed inside the call without taking anything: asking
	 * again with the same bytes would go on for ever. */
	if (!(c->flags & CONN_F_CONSUMED))
		c->flags &= ~(unsigned)CONN_F_NEWS;
}

static bool
tell_drained(struct conn *c)
{
	if (!c->priv->full_seen || conn_queued(c) > c->high_water / 2)
		return false;
	c->priv->full_seen = false;
	c->ops->drained(c);
	return true;
}

/* Tells one thing; false when there is nothing to tell. */
static bool
turn_once(struct conn *c)
{
	unsigned f;

	if (c->priv->zip != NULL)
		conn_zip_more(c);
	if (c->priv->tls != NULL)
		conn_tls_more(c);
	f = c->flags;
	if ((f & CONN_F_ENDED) && !(f & CONN_F_ENDED_TOLD)) {
		tell_end_of_phase(c);
		return true;
	}
	if (c->state != CONN_OPEN)
		return false;
	if (tell_drained(c))
		return true;
	if (f & CONN_F_PAUSED)
		return false;
	if (f & CONN_F_NEWS) {
		tell_input(c);
		return true;
	}
	if (c->priv->zip != NULL && conn_zip_waiting(c))
		return false;
	if ((f & CONN_F_EOF) && !(f & CONN_F_EOF_TOLD)) {
		c->flags |= CONN_F_EOF_TOLD;
		conn_because(c, "closed by peer");
		c->ops->eof(c);
		return true;
	}
	return false;
}

void
conn_turn(struct conn *c)
{
	if (c->flags & CONN_F_BUSY)
		return;
	c->flags |= CONN_F_BUSY;
	while (conn_live(c) && turn_once(c))
		;
	c->flags &= ~(unsigned)CONN_F_BUSY;
	conn_read_adjust(c);
}

static void finish(struct conn *c);

static void
on_later(struct loop_msg *m)
{
	struct conn_priv *p = PH_CONTAINER(m, struct conn_priv, later);
	struct conn *c = p->conn;

	c->flags &= ~(unsigned)CONN_F_LATER;
	if (c->state == CONN_CLOSED)
		finish(c);
	else
		conn_turn(c);
}

void
conn_later(struct conn *c)
{
	if (c->flags & (CONN_F_LATER | CONN_F_BUSY))
		return;
	c->flags |= CONN_F_LATER;
	c->priv->later.fn = on_later;
	loop_post(c->loop, &c->priv->later);
}

/* ---- reading ---- */

size_t
conn_room(const struct conn *c)
{
	return c->in.max - buf_len(&c->in);
}

static bool
wants_bytes(const struct conn *c)
{
	if (c->flags & CONN_F_FIN || c->state == CONN_CONNECTING ||
	    c->state == CONN_CLOSED)
		return false;
	if (!conn_live(c))
		return true; /* to see the peer's FIN; bytes are dropped */
	if (c->flags & CONN_F_EOF)
		return false;
	if (c->priv->zip != NULL && conn_zip_waiting(c))
		return false;
	if (c->priv->tls != NULL && conn_tls_waiting(c))
		return false;
	/* While a job runs, not for every few bytes of room. */
	if (c->flags & CONN_F_PAUSED)
		return (c->flags & CONN_F_READING)
			   ? conn_room(c) != 0
			   : conn_room(c) > c->in.max / 2;
	return conn_room(c) != 0;
}

static void
on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
	struct conn *c = h->data;
	size_t cap;

	(void)suggested;
	out->base = loop_read_block(c->loop, &cap);
	out->len = cap;
	if (c->priv->tls == NULL && c->priv->zip == NULL && conn_live(c) &&
	    conn_room(c) < cap)
		out->len = conn_room(c);
}

/* The peer's end, or an error, which is no better. */
static void
on_end(struct conn *c, int status)
{
	c->flags |= CONN_F_EOF | CONN_F_FIN;
	if (status != UV_EOF)
		conn_break(c, uv_strerror(status));
	if (c->state == CONN_SECURING)
		conn_ended(c, ERR_CLOSED, "peer closed during TLS handshake");
	if (c->state == CONN_LINGERING)
		destroy(c);
	else
		conn_turn(c);
}

static void
uncork(struct conn *c)
{
	c->flags &= ~(unsigned)CONN_F_CORKED;
	if (c->priv->tls == NULL)
		return;
	conn_tls_flush(c);
	if (c->priv->full_seen)
		conn_turn(c); /* by what has gone out just now */
}

static void
on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	struct conn *c = h->data;
	struct slice s;

	if (n == 0 || c->state == CONN_CLOSED)
		return;
	if (n < 0) {
		on_end(c, (int)n);
		return;
	}
	if (!conn_live(c))
		return;
	c->last_active_ms = loop_now_ms(c->loop);
	s = slice_of(b->base, (size_t)n);
	/* A ticket and the greeting, a reply and close_notify: one packet. */
	c->flags |= CONN_F_CORKED;
	if (c->priv->tls != NULL) {
		conn_tls_feed(c, s);
	} else if (c->priv->zip != NULL) {
		conn_zip_feed(c, s);
	} else {
		buf_add_slice(&c->in, s);
		c->stats.bytes_in += s.n;
		c->flags |= CONN_F_NEWS;
	}
	conn_turn(c);
	uncork(c);
}

void
conn_read_adjust(struct conn *c)
{
	bool want = wants_bytes(c);

	if (c->state == CONN_CLOSED || want == !!(c->flags & CONN_F_READING))
		return;
	c->flags ^= CONN_F_READING;
	if (!want)
		(void)uv_read_stop(&c->h.stream);
	else if (uv_read_start(&c->h.stream, on_alloc, on_read) != 0)
		c->flags |= CONN_F_EOF | CONN_F_FIN;
}

void
conn_consume(struct conn *c, size_t n)
{
	if (n == 0)
		return;
	buf_consume(&c->in, n);
	c->flags |= CONN_F_CONSUMED;
	/* Never filled from here: the owner may still look at the bytes. */
	if (conn_live(c) && !(c->flags & CONN_F_READING))
		conn_later(c);
}

void
conn_pause(struct conn *c)
{
	c->flags |= CONN_F_PAUSED;
}

void
conn_resume(struct conn *c)
{
	if (!(c->flags & CONN_F_PAUSED) || !conn_live(c))
		return;
	c->flags &= ~(unsigned)CONN_F_PAUSED;
	if (buf_len(&c->in) != 0)
		c->flags |= CONN_F_NEWS;
	if (c->flags & (CONN_F_NEWS | CONN_F_EOF) ||
	    !(c->flags & CONN_F_READING))
		conn_later(c);
}

/* ---- writing ---- */

void
conn_write(struct conn *c, struct slice bytes)
{
	if (c->state != CONN_OPEN || bytes.n == 0)
		return;
	c->stats.bytes_out += bytes.n;
	if (c->priv->zip != NULL)
		conn_zip_write(c, bytes);
	else if (c->priv->tls != NULL)
		conn_tls_write(c, bytes);
	else
		conn_out_send(c, bytes);
}

void
conn_write_buf(struct conn *c, struct buf *b)
{
	if (c->state == CONN_OPEN && c->priv->tls == NULL &&
	    c->priv->zip == NULL) {
		c->stats.bytes_out += buf_len(b);
		conn_out_send_buf(c, b);
		return;
	}
	conn_write(c, buf_slice(b));
	buf_clear(b);
}

void
conn_break(struct conn *c, const char *reason)
{
	if (c->flags & CONN_F_BROKEN)
		return;
	c->flags |= CONN_F_BROKEN;
	conn_because(c, "%s", reason);
	conn_out_drop(c);
	if (c->state == CONN_FLUSHING || c->state == CONN_LINGERING) {
		destroy(c);
	} else if (conn_live(c)) {
		/* Input that came before is handed over first (CLIENTS T6);
		 * its end shows by itself, or else the deadline tells. */
		if (c->state == CONN_OPEN && !(c->flags & CONN_F_EOF))
			conn_deadline(c, BROKEN_MS);
		conn_later(c);
	}
}

bool
conn_broken(const struct conn *c)
{
	return (c->flags & CONN_F_BROKEN) != 0 || !conn_live(c);
}

void
conn_idle(struct conn *c)
{
	if (!conn_live(c))
		return;
	buf_shrink(&c->in);
	buf_shrink(&c->priv->out);
	if (c->priv->tls != NULL)
		conn_tls_idle(c);
}

/* ---- ending ---- */

static void
finish(struct conn *c)
{
	struct conn_priv *p = c->priv;

	if (p->handles != 0 || (c->flags & CONN_F_LATER))
		return;
	conn_tls_fini(c);
	conn_zip_fini(c);
	buf_fini(&c->in);
	buf_fini(&p->out);
	free(p->ended);
	c->ops->closed(c); /* c may be gone now; p was never the owner's */
	free(p);
}

static void
on_handle_closed(uv_handle_t *h)
{
	struct conn *c = h->data;

	c->priv->handles--;
	finish(c);
}

static void
destroy(struct conn *c)
{
	if (c->state == CONN_CLOSED)
		return;
	c->state = CONN_CLOSED;
	conn_out_drop(c);
	uv_close((uv_handle_t *)&c->h.stream, on_handle_closed);
	uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

/* The last reply, close_notify and FIN shall be one packet. */
void
conn_last(struct conn *c)
{
	int fd, on = 1;

	c->flags |= CONN_F_LAST | CONN_F_CORKED;
	if (uv_fileno((uv_handle_t *)&c->h.stream, &fd) == 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/* Behind a QUIT: has the peer said nothing more, as it ought to? */
static bool
nothing_unread(const struct conn *c, int fd)
{
	char byte;

	return (c->flags & CONN_F_LAST) &&
	       recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       errno == EAGAIN;
}

/* libuv would go once more round the loop for shutdown(2). */
void
conn_flushed(struct conn *c)
{
	bool last;
	int fd;

	/* Both directions have ended: close(2) sends the FIN. */
	if (c->flags & (CONN_F_BROKEN | CONN_F_FIN) ||
	    uv_fileno((uv_handle_t *)&c->h.stream, &fd) != 0) {
		destroy(c);
		return;
	}
	last = nothing_unread(c, fd);
	/* Under TLS close_notify may come, and be answered by RST. */
	if ((last && c->priv->tls == NULL) || shutdown(fd, SHUT_WR) != 0 ||
	    (last && farewell_keep(loop_farewell(c->loop), fd))) {
		destroy(c);
		return;
	}
	c->state = CONN_LINGERING;
	conn_deadline(c, LINGER_MS);
}

/* CLIENTS T7: the queue, close_notify, FIN, then the peer's FIN; closing with
 * bytes unread would send RST and destroy the last reply on its way. */
void
conn_close(struct conn *c)
{
	if (!conn_live(c))
		return;
	if (c->state == CONN_CONNECTING) {
		destroy(c);
		return;
	}
	if (c->priv->tls != NULL)
		conn_tls_bye(c);
	c->state = CONN_FLUSHING;
	if (conn_out_empty(c) || (c->flags & CONN_F_BROKEN)) {
		conn_flushed(c);
	} else {
		c->priv->flush_left = conn_queued(c);
		c->priv->flush_end_ms = loop_now_ms(c->loop) + FLUSH_MAX_MS;
		conn_deadline(c, FLUSH_STEP_MS);
	}
	conn_read_adjust(c);
}

void
conn_abort(struct conn *c)
{
	if (c->priv->tls != NULL)
		conn_tls_flush(c);
	destroy(c);
}

bool
conn_closing(const struct conn *c)
{
	return !conn_live(c);
}
