#include <inttypes.h>

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

static bool
more_read(struct session *s)
{
	struct client *c = client_of(s);
	struct read *r = &c->read;
	struct buf *out = &c->s.out;
	size_t before = buf_len(out);
	bool done = false;
	int rc;

	if (!c->replying && r->lines_left < 0)
		resp_ok(c, "%" PRIu64 " octets", r->meta.size);
	else if (!c->replying)
		resp_ok(c, "the top of it");
	rc = read_more(r, s->sl->srv->store, out, &done);
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
	/* fetchmail gets its mail by TOP with very many lines. */
	if (rc == 0 && !r->clipped) {
		c->retrieved++;
		drop_got(c->drop, c->reading);
	}
	read_end(r);
	return true;
}

static void
start_reading(struct client *c, uint32_t seq, int64_t lines)
{
	struct drop_msg m;
	int rc;

	drop_get(c->drop, seq, &m);
	rc = read_begin(&c->read, c->s.sl->srv->store, c->who.account, m.folder,
	    m.uid, lines);
	if (rc != 0) {
		cmd_fail_msg(c, rc);
		return;
	}
	c->read.ascii = c->s.sl->srv->conf->pop3_utf8 && !c->utf8;
	c->reading = seq;
	c->replying = false;
	c->s.more = more_read;
}

/* RFC 1939 5 */
void
pop3_retr(struct client *c, const struct pop3_line *l)
{
	uint32_t seq;

	if (l->nargs != 1)
		resp_err(c, "RETR takes a message number");
	else if (cmd_want_msg(c, l->arg[0], &seq))
		start_reading(c, seq, -1);
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
