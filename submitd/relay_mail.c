#include "submitd/relay_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/utf8.h"
#include "submitd/downgrade.h"

enum {
	CHUNK = 256 << 10,
	CONVERT_MAX = 32 << 20 /* held in memory, encoded three times that */
};

/* Bytes of what is to be sent. */
static uint64_t
size_of(const struct relay *r)
{
	return r->converted ? buf_len(&r->whole) : r->errand->row.size;
}

/* Commands of a transaction by number: MAIL, RCPT for each, DATA.  RFC 3030
 * needs no DATA: chunks follow at once. */
static size_t
ncommands(const struct relay *r)
{
	return 1 + r->nrcpts + (r->can & CAN_CHUNK ? 0 : 1);
}

/* What is to be sent, when it is in memory. */
static struct slice
whole_of(const struct relay *r)
{
	return r->converted ? buf_slice(&r->whole) : r->errand->body;
}

static void
pick_rcpts(struct relay *r)
{
	struct errand *e = r->errand;

	r->rcpts = arena_alloc(&e->arena, e->row.nrcpts * sizeof(size_t));
	r->nrcpts = 0;
	for (size_t i = 0; i < e->row.nrcpts; i++)
		if (errand_wants(e, i))
			r->rcpts[r->nrcpts++] = i;
}

static void
put_xtext(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c > 0x20 && c < 0x7f && c != '+' && c != '=')
			buf_add_char(out, (char)c);
		else
			buf_printf(out, "+%02X", c);
	}
}

static void
put_mail(struct relay *r, struct buf *out)
{
	const struct queue_row *row = &r->errand->row;

	buf_printf(out, "MAIL FROM:<%.*s>", (int)row->sender.n, row->sender.p);
	if (r->can & CAN_SIZE)
		buf_printf(out, " SIZE=%" PRIu64, size_of(r));
	if ((r->can & CAN_8BIT) && (row->flags & QUEUE_8BIT))
		buf_add_str(out, " BODY=8BITMIME");
	if ((r->can & CAN_UTF8) && (row->flags & QUEUE_UTF8))
		buf_add_str(out, " SMTPUTF8");
	if (r->can & CAN_DSN) {
		if (row->flags & (QUEUE_RET_FULL | QUEUE_RET_HDRS))
			buf_add_str(out, row->flags & QUEUE_RET_FULL
					     ? " RET=FULL"
					     : " RET=HDRS");
		if (row->envid.n != 0) {
			buf_add_str(out, " ENVID=");
			put_xtext(out, row->envid);
		}
	}
	buf_add_str(out, "\r\n");
}

static void
put_notify(struct buf *out, unsigned notify)
{
	static const struct {
		unsigned bit;
		const char *word;
	} words[] = {
		{ NOTIFY_ON_NEVER, "NEVER" },
		{ NOTIFY_ON_SUCCESS, "SUCCESS" },
		{ NOTIFY_ON_FAILURE, "FAILURE" },
		{ NOTIFY_ON_DELAY, "DELAY" },
	};
	const char *before = " NOTIFY=";

	for (size_t i = 0; i < PH_LEN(words); i++)
		if (notify & words[i].bit) {
			buf_printf(out, "%s%s", before, words[i].word);
			before = ",";
		}
}

static void
put_rcpt(struct relay *r, const struct queue_rcpt *rcpt, struct buf *out)
{
	buf_printf(out, "RCPT TO:<%.*s>", (int)rcpt->addr.n, rcpt->addr.p);
	if (r->can & CAN_DSN) {
		put_notify(out, rcpt->notify);
		if (rcpt->orcpt.n != 0) {
			size_t semi = slice_chr(rcpt->orcpt, ';');

			buf_printf(
			    out, " ORCPT=%.*s;", (int)semi, rcpt->orcpt.p);
			put_xtext(out, slice_from(rcpt->orcpt, semi + 1));
		}
	}
	buf_add_str(out, "\r\n");
}

/* Each reply has its time. */
static void
await(struct relay *r)
{
	relay_wait(r, r->answered == r->nrcpts + 1 ? WAIT_DATA : WAIT_REPLY);
}

/* A small mail goes together with its commands, in one packet and turn: RFC
 * 3030 4.2 allows BDAT among others that are pipelined. */
static bool
may_add_chunk(const struct relay *r)
{
	unsigned both = CAN_PIPELINE | CAN_CHUNK;

	return (r->can & both) == both && whole_of(r).p != NULL &&
	       size_of(r) <= ERRAND_BODY_MAX;
}

static void
add_chunk(struct relay *r, struct buf *out)
{
	struct slice whole = whole_of(r);

	buf_printf(out, "BDAT %zu LAST\r\n", whole.n);
	buf_add_slice(out, whole);
	r->at = whole.n;
	r->chunks = 1;
}

/* Sends the next command; all of them at once when the remote pipelines. */
static void
send_commands(struct relay *r)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	do {
		if (r->sent == 0)
			put_mail(r, &out);
		else if (r->sent <= r->nrcpts)
			put_rcpt(r,
			    &r->errand->row.rcpts[r->rcpts[r->sent - 1]], &out);
		else
			buf_add_str(&out, "DATA\r\n");
		r->sent++;
	} while ((r->can & CAN_PIPELINE) && r->sent < ncommands(r));
	if (r->sent == ncommands(r) && may_add_chunk(r))
		add_chunk(r, &out);
	conn_write_buf(&r->conn, &out);
	buf_fini(&out);
	await(r);
}

/* RFC 6531 3.2: addresses that this remote cannot take.  For the others the
 * mail is converted. */
static void
refuse_utf8(struct relay *r)
{
	static const char why[] = OWN "550 5.6.7 the destination does not take "
				      "addresses with non-ASCII letters";
	const struct queue_row *row = &r->errand->row;
	bool all = !utf8_is_ascii(row->sender);
	size_t kept = 0;

	for (size_t i = 0; i < r->nrcpts; i++) {
		size_t k = r->rcpts[i];

		if (all || !utf8_is_ascii(row->rcpts[k].addr))
			relay_outcome_of(r, k, OUT_PERM, why);
		else
			r->rcpts[kept++] = k;
	}
	r->nrcpts = kept;
}

/* What this remote can never take; false: everybody has an outcome. */
static bool
remote_suits(struct relay *r)
{
	if (r->nrcpts == 0)
		return false;
	if (r->size_max == 0 || size_of(r) <= r->size_max)
		return true;
	relay_outcome(r, OUT_PERM,
	    OWN "552 5.3.4 the message is bigger than the destination takes");
	return false;
}

static void
settled(struct relay *r)
{
	buf_fini(&r->whole);
	relay_settled(r);
}

static void
begin_mail(struct relay *r)
{
	if (!remote_suits(r)) {
		settled(r);
		return;
	}
	r->state = RELAY_MAIL;
	send_commands(r);
}

/* A job of ours is back.  False: its outcome is not wanted any more. */
static bool
job_back(struct relay *r)
{
	r->working = false;
	if (r->aborting) {
		r->errand = NULL;
		relay_maybe_free(r);
		return false;
	}
	if (r->lost == OUT_NONE && !r->dead && !conn_closing(&r->conn))
		return true;
	if (r->lost != OUT_NONE)
		relay_mail_broken(r, r->lost, r->last);
	else
		relay_mail_broken(r, OUT_TEMP, OWN "451 4.4.2 connection lost");
	return false;
}

static void
convert_work(struct sjob *j)
{
	struct relay *r = PH_CONTAINER(j, struct relay, job);
	const struct queue_row *row = &r->errand->row;
	struct buf raw;

	if (row->size > CONVERT_MAX) {
		r->read_rc = ERR_TOOBIG;
		return;
	}
	buf_init(&raw, CONVERT_MAX);
	buf_init(&r->whole, 3 * (size_t)CONVERT_MAX + CHUNK);
	r->read_rc = queue_read(j->srv->store, row, 0, (size_t)row->size, &raw);
	if (r->read_rc == 0 && !downgrade(buf_slice(&raw),
				   (row->flags & QUEUE_UTF8) != 0, &r->whole))
		r->read_rc = ERR_UNSUPPORTED;
	buf_fini(&raw);
}

static void
convert_done(struct sjob *j)
{
	struct relay *r = PH_CONTAINER(j, struct relay, job);
	bool never = r->read_rc == ERR_UNSUPPORTED || r->read_rc == ERR_TOOBIG;

	if (!job_back(r))
		return;
	if (r->read_rc == 0) {
		r->converted = true;
		begin_mail(r);
		return;
	}
	relay_outcome(r, never ? OUT_PERM : OUT_TEMP,
	    never ? OWN
		"554 5.6.3 the destination takes no 8-bit mail, and this "
		"one cannot be converted"
		  : OWN "451 4.3.0 the message cannot be read");
	settled(r);
}

static void
start_job(
    struct relay *r, void (*work)(struct sjob *j), void (*done)(struct sjob *j))
{
	r->working = true;
	r->job.work = work;
	r->job.done = done;
	sjob_submit(r->env->sl, &r->job);
}

/* RFC 6152 3, RFC 6531 3.2: what the remote cannot take as it is. */
static bool
needs_converting(const struct relay *r)
{
	unsigned flags = r->errand->row.flags;

	return ((flags & QUEUE_8BIT) && !(r->can & CAN_8BIT)) ||
	       ((flags & QUEUE_UTF8) && !(r->can & CAN_UTF8));
}

void
relay_mail_start(struct relay *r)
{
	pick_rcpts(r);
	relay_begin_total(r);
	r->sent = r->answered = r->accepted = r->chunks = 0;
	r->mail_refused = r->converted = false;
	r->lost = OUT_NONE;
	r->at = 0;
	if (!(r->can & CAN_UTF8))
		refuse_utf8(r);
	if (r->nrcpts != 0 && needs_converting(r)) {
		r->state = RELAY_CONVERT;
		start_job(r, convert_work, convert_done);
	} else {
		begin_mail(r);
	}
}

static enum outcome
outcome_of(int code)
{
	return code < 300 ? OUT_SENT : code < 500 ? OUT_TEMP : OUT_PERM;
}

static void
reset(struct relay *r)
{
	r->state = RELAY_RSET;
	conn_write(&r->conn, SLICE("RSET\r\n"));
	relay_wait(r, WAIT_REPLY);
}

static void
begin_body(struct relay *r)
{
	r->state = RELAY_BODY;
	dotted_enc_init(&r->dots, true);
	relay_body_more(r);
}

/* The last reply before the body: go, or why not. */
static void
on_data_reply(struct relay *r, const char *text)
{
	if (r->reply.code != 354) {
		relay_outcome(r,
		    r->reply.code < 300 ? OUT_TEMP : outcome_of(r->reply.code),
		    text);
		reset(r);
		return;
	}
	if (r->accepted == 0) {
		r->state = RELAY_END;
		/* RFC 2920 3.1: DATA was pipelined and nobody is left. */
		conn_write(&r->conn, SLICE(".\r\n"));
		relay_wait(r, WAIT_END);
		return;
	}
	begin_body(r);
}

static void
on_mail_reply(struct relay *r, const char *text)
{
	size_t index = r->answered++;
	enum outcome out = outcome_of(r->reply.code);

	if (index == r->nrcpts + 1) {
		on_data_reply(r, text);
		return;
	}
	if (index == 0 && out != OUT_SENT) {
		r->mail_refused = true;
		relay_outcome(r, out, text);
	} else if (index != 0 && !r->mail_refused) {
		if (out == OUT_SENT)
			r->accepted++;
		else
			relay_outcome_of(r, r->rcpts[index - 1], out, text);
	}
	if (r->sent > r->answered) {
		await(r);
	} else if (r->chunks != 0) {
		r->state = RELAY_END;
		relay_wait(r, WAIT_END);
	} else if (r->mail_refused ||
		   (r->answered == r->nrcpts + 1 && r->accepted == 0)) {
		/* One by one: no DATA when nobody is left. */
		reset(r);
	} else if (r->answered == ncommands(r)) {
		begin_body(r);
	} else {
		send_commands(r);
	}
}

/* Replies to what was sent behind it would be taken for others'. */
static void
broken_chunks(struct relay *r, enum outcome out, const char *text)
{
	conn_close(&r->conn);
	relay_mail_broken(r, out, text);
}

static void
on_end_reply(struct relay *r, const char *text)
{
	enum outcome out = outcome_of(r->reply.code);

	if (r->chunks > 1 && out == OUT_SENT) {
		r->chunks--; /* another follows: this was not the last */
		return;
	}
	r->errand->remote_dsn = (r->can & CAN_DSN) != 0;
	relay_outcome(r, out, text);
	r->env->ops->health(r, r->arg, true);
	/* RFC 3030 2: behind a chunk that failed only RSET is safe. */
	if (r->chunks == 0 || out == OUT_SENT)
		settled(r);
	else if (r->chunks == 1)
		reset(r);
	else
		broken_chunks(r, out, text);
}

void
relay_mail_reply(struct relay *r)
{
	char text[QUEUE_REPLY_MAX];
	int code = r->reply.code;

	reply_line(&r->reply, text, sizeof(text));
	if (code == 421) {
		/* RFC 5321 3.8 */
		conn_close(&r->conn);
		relay_mail_broken(r, OUT_TEMP, text);
		return;
	}
	if (r->state == RELAY_BODY && r->chunks != 0 && code < 300) {
		r->chunks--;
		return;
	}
	switch (r->state) {
	case RELAY_MAIL: on_mail_reply(r, text); break;
	case RELAY_END: on_end_reply(r, text); break;
	case RELAY_RSET:
		relay_outcome(r, OUT_TEMP, text);
		settled(r);
		break;
	default:
		/* An answer before the end of the body: it is not wanted. */
		conn_abort(&r->conn);
		relay_mail_broken(r, code < 500 ? OUT_TEMP : OUT_PERM, text);
	}
}

/* A piece of the body: as a chunk, or with dots, and behind the last one the
 * dot. */
static void
stuff(struct relay *r, struct slice piece)
{
	bool last = r->at + piece.n >= size_of(r);

	r->at += piece.n;
	if (r->can & CAN_CHUNK) {
		buf_printf(
		    &r->chunk, "BDAT %zu%s\r\n", piece.n, last ? " LAST" : "");
		buf_add_slice(&r->chunk, piece);
		return;
	}
	dotted_stuff(&r->chunk, piece, &r->dots);
	if (last)
		dotted_stuff_end(&r->chunk, &r->dots);
}

static void
send_chunk(struct relay *r)
{
	/* Counted here, on the loop, where their replies come. */
	r->chunks += (r->can & CAN_CHUNK) != 0;
	conn_write_buf(&r->conn, &r->chunk);
	if (r->at < size_of(r)) {
		relay_wait(r, WAIT_BLOCK);
		return;
	}
	r->state = RELAY_END;
	relay_wait(r, WAIT_END);
}

static void
body_work(struct sjob *j)
{
	struct relay *r = PH_CONTAINER(j, struct relay, job);
	const struct queue_row *row = &r->errand->row;
	struct buf raw;

	buf_init(&raw, CHUNK);
	r->read_rc = queue_read(j->srv->store, row, r->at, CHUNK, &raw);
	if (r->read_rc == 0 && buf_len(&raw) == 0 && r->at < row->size)
		r->read_rc = ERR_CORRUPT;
	if (r->read_rc == 0)
		stuff(r, buf_slice(&raw));
	buf_fini(&raw);
}

static void
body_done(struct sjob *j)
{
	struct relay *r = PH_CONTAINER(j, struct relay, job);

	if (!job_back(r))
		return;
	if (r->read_rc != 0) {
		/* Never half a message: no dot, no FIN that looks like one. */
		conn_abort(&r->conn);
		relay_mail_broken(
		    r, OUT_TEMP, OWN "451 4.3.0 the message cannot be read");
		return;
	}
	send_chunk(r);
	if (r->state == RELAY_BODY && !conn_full(&r->conn))
		relay_body_more(r);
}

void
relay_body_more(struct relay *r)
{
	struct slice whole = whole_of(r);

	if (whole.p == NULL) {
		start_job(r, body_work, body_done);
		return;
	}
	do {
		stuff(r, slice_sub(whole, (size_t)r->at, CHUNK));
		send_chunk(r);
	} while (r->state == RELAY_BODY && !conn_full(&r->conn));
}

/* The remote has ended a connection that was good for the mail before: that
 * says nothing about this one. */
static bool
went_stale(const struct relay *r)
{
	return r->reused && r->answered == 0 &&
	       (r->state == RELAY_MAIL || r->state == RELAY_CONVERT);
}

void
relay_mail_broken(struct relay *r, enum outcome out, const char *why)
{
	if (r->errand == NULL || r->state >= RELAY_IDLE)
		return;
	if (r->working) {
		/* The first reason counts. */
		if (r->lost == OUT_NONE)
			(void)snprintf(r->last, sizeof(r->last), "%s", why);
		r->lost = r->lost != OUT_NONE ? r->lost : out;
		return;
	}
	if (went_stale(r)) {
		r->hop = 0;
		r->state = RELAY_CONNECT;
		if (r->dead)
			relay_connect(r);
		return;
	}
	r->env->ops->health(r, r->arg, false);
	relay_outcome(r, out, why);
	settled(r);
}
