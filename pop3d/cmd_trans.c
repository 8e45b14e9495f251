#include <inttypes.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "pop3d/cmd.h"
#include "pop3d/resp.h"

bool
cmd_want_msg(struct client *c, struct slice arg, uint32_t *seq_out)
{
	uint32_t count = drop_count(c->drop);

	if (!pop3_number(arg, seq_out) || *seq_out == 0 || *seq_out > count) {
		resp_err(c, "no such message, there are %u", count);
		return false;
	}
	if (drop_is_gone(c->drop, *seq_out)) {
		resp_err(c, "message %u is deleted", *seq_out);
		return false;
	}
	return true;
}

void
cmd_fail_msg(struct client *c, int rc)
{
	resp_fail(c, rc,
	    rc == ERR_NOTFOUND ? "the message was deleted by another program"
			       : "");
}

/* RFC 1939 5 */
void
pop3_stat(struct client *c, const struct pop3_line *l)
{
	uint64_t bytes;
	int rc;

	(void)l;
	if ((rc = drop_bytes(c->drop, &bytes)) != 0) {
		resp_fail(c, rc, "");
		return;
	}
	resp_ok(
	    c, "%u %" PRIu64, drop_count(c->drop) - drop_ngone(c->drop), bytes);
}

/* Says the message's first line, and all of it or its next piece. */
static int
read_some(struct client *c, bool *done_out)
{
	struct read *r = &c->read;

	if (!c->replying && r->lines_left < 0)
		resp_ok(c, "%" PRIu64 " octets", r->meta.size);
	else if (!c->replying)
		resp_ok(c, "the top of it");
	return read_more(r, c->s.sl->srv->store, &c->s.out, done_out);
}

/* The reply is made, but into the buffer of those that wait. */
static bool
read_ahead(struct client *c, uint32_t seq, uint64_t now)
{
	const struct msg_meta *m = ahead_meta(&c->ahead, c->drop, seq, now);
	struct buf out = c->s.out;
	size_t before = buf_len(&c->ahead.bytes);
	bool done = false;
	int rc = ERR_NOTFOUND;

	if (m == NULL)
		return false;
	read_begin_known(&c->read, m, -1);
	c->read.ascii = c->s.sl->srv->conf->pop3_utf8 && !c->utf8;
	c->replying = false;
	c->s.out = c->ahead.bytes;
	rc = read_some(c, &done);
	c->ahead.bytes = c->s.out;
	c->s.out = out;
	read_end(&c->read);
	if (rc != 0 || !done) {
		buf_truncate(&c->ahead.bytes, before);
		return false;
	}
	ahead_made(&c->ahead, seq, buf_len(&c->ahead.bytes) - before, now);
	return true;
}

/* A client that waits for each reply will ask for the next ones. */
static void
look_ahead(struct client *c)
{
	uint32_t seq = c->reading + 1;
	uint64_t now = clock_steady_ms();

	if (session_batched(&c->s))
		return;
	while (ahead_wants(&c->ahead, c->drop, seq, now) &&
	       read_ahead(c, seq, now))
		seq++;
	ahead_rest(&c->ahead);
}

static bool
more_read(struct session *s)
{
	struct client *c = client_of(s);
	struct read *r = &c->read;
	struct buf *out = &c->s.out;
	size_t before = buf_len(out);
	bool whole, done = false;
	int rc = read_some(c, &done);

	if (rc != 0) {
		log_error(c->s.id, "read", "uid=%u error=%s", r->meta.uid,
		    err_name(rc));
		buf_truncate(out, before);
		/* Half a message must not look whole: no final dot. */
		if (c->replying)
			c->s.quitting = true;
		else
			cmd_fail_msg(c, rc);
	}
	c->replying = true;
	if (rc == 0 && !done)
		return false;
	whole = rc == 0 && r->lines_left < 0;
	/* fetchmail gets its mail by TOP with very many lines. */
	if (rc == 0 && !r->clipped) {
		c->retrieved++;
		drop_got(c->drop, c->reading);
	}
	read_end(r);
	if (whole)
		look_ahead(c);
	return true;
}

static void
start_reading(struct client *c, uint32_t seq, int64_t lines)
{
	const struct msg_meta *known;
	struct drop_msg m;
	int rc = 0;

	ahead_ask(&c->ahead, seq);
	known = ahead_meta(&c->ahead, c->drop, seq, clock_steady_ms());
	drop_get(c->drop, seq, &m);
	if (known != NULL)
		read_begin_known(&c->read, known, lines);
	else
		rc = read_begin(&c->read, c->s.sl->srv->store, c->who.account,
		    m.folder, m.uid, lines);
	if (rc != 0) {
		cmd_fail_msg(c, rc);
		return;
	}
	c->read.ascii = c->s.sl->srv->conf->pop3_utf8 && !c->utf8;
	c->reading = seq;
	c->replying = false;
	c->s.more = more_read;
}

bool
cmd_retr_ready(struct client *c, const struct pop3_line *l)
{
	uint32_t seq;

	return l->nargs == 1 && pop3_number(l->arg[0], &seq) &&
	       ahead_has(&c->ahead, seq, clock_steady_ms());
}

/* RFC 1939 5 */
void
pop3_retr(struct client *c, const struct pop3_line *l)
{
	uint32_t seq;

	if (l->nargs != 1) {
		resp_err(c, "RETR takes a message number");
		return;
	}
	if (!cmd_want_msg(c, l->arg[0], &seq))
		return;
	if (!ahead_take(&c->ahead, seq, clock_steady_ms(), &c->s.out)) {
		start_reading(c, seq, -1);
		return;
	}
	ahead_ask(&c->ahead, seq);
	c->retrieved++;
	drop_got(c->drop, seq);
}

/* RFC 1939 7: lines of the body, counted. */
void
pop3_top(struct client *c, const struct pop3_line *l)
{
	uint32_t seq, lines;

	if (l->nargs != 2 || !pop3_number(l->arg[1], &lines))
		resp_err(c, "TOP takes a message and a number of lines");
	else if (cmd_want_msg(c, l->arg[0], &seq))
		start_reading(c, seq, lines);
}

/* RFC 1939 5 */
void
pop3_dele(struct client *c, const struct pop3_line *l)
{
	uint32_t seq;

	if (l->nargs != 1) {
		resp_err(c, "DELE takes a message number");
		return;
	}
	if (!cmd_want_msg(c, l->arg[0], &seq))
		return;
	drop_dele(c->drop, seq);
	resp_ok(c, "message %u will be deleted", seq);
}

/* RFC 1939 5 */
void
pop3_rset(struct client *c, const struct pop3_line *l)
{
	(void)l;
	drop_reset(c->drop);
	resp_ok(c, "%u messages", drop_count(c->drop));
}
