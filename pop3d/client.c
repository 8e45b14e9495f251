#include "pop3d/client.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/net/line.h"
#include "pop3d/cmd.h"
#include "pop3d/parse.h"
#include "pop3d/resp.h"

enum {
	BATCH_MAX = 16 << 10, /* bytes of command lines in one job */
	OUT_MAX = 8 << 20     /* ceiling; the high-water mark comes first */
};

static const struct conf *
conf_of(const struct client *c)
{
	return c->sl->srv->conf;
}

static void
client_free(struct client *c)
{
	struct client_list *all = c->sl->app;

	TAILQ_REMOVE(all, c, link);
	if (c->session)
		server_session(c->sl->srv, -1);
	msg_iter_close(&c->listing.it);
	arena_clear(&c->reading.arena);
	view_close(&c->view);
	free(c->gone);
	free(c->user);
	pop3_login_fini(&c->login);
	buf_fini(&c->batch);
	buf_fini(&c->out);
	if (c->admitted)
		server_leave(c->sl, c->conn.peer_ip);
	free(c);
}

void
client_close(struct client *c, const char *reason)
{
	if (conn_closing(&c->conn))
		return;
	log_info(c->id, "close",
	    "reason=%s account=%s in=%" PRIu64 " out=%" PRIu64
	    " retr=%u dele=%u",
	    reason, c->who.name, c->conn.stats.bytes_in,
	    c->conn.stats.bytes_out, c->retrieved, c->ngone);
	conn_close(&c->conn);
}

bool
client_back(struct client *c)
{
	c->working = false;
	if (!c->dead)
		return !conn_closing(&c->conn);
	client_free(c);
	return false;
}

void
client_flush(struct client *c)
{
	if (buf_len(&c->out) == 0 && !buf_failed(&c->out))
		return;
	if (buf_failed(&c->out)) {
		log_error(c->id, "output", "over=%d", OUT_MAX);
		conn_abort(&c->conn);
		return;
	}
	conn_write_buf(&c->conn, &c->out);
}

/* Runs what `more` and the batch hold until both are empty or enough output
 * has been made.  In a job. */
static void
batch_work(struct sjob *j)
{
	struct client *c = PH_CONTAINER(j, struct client, job);
	size_t mark = conf_of(c)->output_high_water;
	struct slice rest;
	struct pop3_line line;
	size_t n;

	while (buf_len(&c->out) < mark && !c->quitting) {
		if (c->more != NULL) {
			if (c->more(c))
				c->more = NULL;
			continue;
		}
		rest = buf_slice(&c->batch);
		if (rest.n == 0)
			return;
		n = slice_chr(rest, '\n');
		if (pop3_parse(slice_sub(rest, 0, n), &line))
			cmd_find(line.name)->run(c, &line);
		buf_consume(&c->batch, n + 1);
	}
}

static void
batch_done(struct sjob *j)
{
	struct client *c = PH_CONTAINER(j, struct client, job);
	bool left = c->more != NULL || buf_len(&c->batch) != 0;

	if (!client_back(c))
		return;
	client_flush(c);
	if (c->quitting)
		client_close(c, "error");
	else if (!left || !conn_full(&c->conn))
		client_run(c);
}

static void
submit_batch(struct client *c)
{
	c->working = true;
	c->job.work = batch_work;
	c->job.done = batch_done;
	sjob_submit(c->sl, &c->job);
}

static void
bad_command(struct client *c, const char *text)
{
	resp_err(&c->out, "%s", text);
	if (++c->bad_commands < conf_of(c)->bad_commands_max)
		return;
	resp_err(&c->out, "too many bad commands, goodbye");
	client_flush(c);
	client_close(c, "bad-commands");
}

/* One whole line: answers it, starts a job, or adds it to the batch. */
static void
on_line(struct client *c, struct slice text)
{
	const struct pop3_cmd *cmd;
	struct pop3_line line;

	if (c->state == ST_SASL) {
		pop3_auth_line(c, text);
		return;
	}
	if (!pop3_parse(text, &line)) {
		bad_command(c, "that is not a command");
		return;
	}
	if ((cmd = cmd_find(line.name)) == NULL) {
		bad_command(c, "unknown command");
		return;
	}
	if (!(cmd->states & c->state)) {
		bad_command(c,
		    c->state == ST_AUTH ? "log in first" : "you are logged in");
		return;
	}
	if (cmd->how != CMD_STORE) {
		cmd->run(c, &line);
		return;
	}
	buf_add_slice(&c->batch, text);
	buf_add_char(&c->batch, '\n');
}

/* May this line join the batch that is being gathered? */
static bool
joins_batch(const struct client *c, struct slice text)
{
	struct pop3_line line;
	const struct pop3_cmd *cmd;

	return buf_len(&c->batch) + text.n < BATCH_MAX &&
	       pop3_parse(text, &line) && (cmd = cmd_find(line.name)) != NULL &&
	       cmd->how == CMD_STORE;
}

static void
bad_line(struct client *c, enum line_kind kind, struct slice text)
{
	static const struct slice hello = SLICE("\x16\x03");

	if (slice_starts(text, hello)) {
		log_warn(c->id, "tls-on-plain-port", "peer=%s", c->conn.peer);
		client_close(c, "tls-on-plain-port");
	} else if (kind == LINE_TOO_LONG) {
		resp_err(&c->out, "line too long");
		client_flush(c);
		client_close(c, "line-too-long");
	} else if (kind == LINE_BARE) {
		bad_command(c, "lines end in CR LF");
	} else {
		bad_command(c, "NUL is not allowed");
	}
}

/* The loop may look at the next line. */
static bool
may_run(const struct client *c)
{
	return !c->working && !c->handshake && !c->delayed &&
	       !conn_closing(&c->conn);
}

/* Takes one line off the input and answers it.  False: there is none, or it
 * has to wait until the batch before it is done. */
static bool
run_one(struct client *c)
{
	struct line_framer f;
	struct slice in = buf_slice(&c->conn.in), text;
	size_t used;
	enum line_kind kind;
	char *copy;

	line_init(&f, conf_of(c)->line_max, false);
	kind = line_next(&f, in, &text, &used);
	if (kind == LINE_MORE)
		return false;
	if (buf_len(&c->batch) != 0 &&
	    (kind != LINE_OK || !joins_batch(c, text)))
		return false;
	if (kind != LINE_OK) {
		bad_line(c, kind, in);
		if (!conn_closing(&c->conn))
			conn_consume(&c->conn, used);
		return true;
	}
	/* STLS wants nothing in the buffer: the line goes first. */
	copy = slice_dup(text);
	text.p = copy;
	conn_consume(&c->conn, used);
	on_line(c, text);
	mem_wipe(copy, text.n);
	free(copy);
	return true;
}

void
client_run(struct client *c)
{
	bool left = c->more != NULL || buf_len(&c->batch) != 0;

	while (!left && may_run(c) && run_one(c))
		;
	if (may_run(c) && (left || buf_len(&c->batch) != 0))
		submit_batch(c);
	if (c->working)
		return;
	client_flush(c);
	if (c->eof && may_run(c))
		client_close(c, "eof");
	else if (buf_len(&c->conn.in) == 0)
		conn_idle(&c->conn);
}

static void
on_input(struct conn *conn)
{
	struct client *c = PH_CONTAINER(conn, struct client, conn);

	if (!c->working)
		client_run(c);
}

static void
on_drained(struct conn *conn)
{
	struct client *c = PH_CONTAINER(conn, struct client, conn);

	if (!c->working)
		client_run(c);
}

static void
greet(struct client *c)
{
	resp_ok(&c->out, "%s Posthof POP3 ready", c->sl->srv->hostname);
	client_flush(c);
}

static void
on_secured(struct conn *conn, int rc, const struct err *e)
{
	struct client *c = PH_CONTAINER(conn, struct client, conn);
	char tls[64];

	c->handshake = false;
	if (rc != 0) {
		log_info(c->id, "tls", "failed=\"%s\" peer=%s", e->detail,
		    conn->peer);
		conn_abort(conn);
		return;
	}
	conn_tls_name(conn, tls, sizeof(tls));
	log_debug(c->id, "tls", "version=\"%s\"", tls);
	if (!c->greeted)
		greet(c);
	c->greeted = true;
	client_run(c);
}

static void
on_eof(struct conn *conn)
{
	struct client *c = PH_CONTAINER(conn, struct client, conn);

	c->eof = true;
	if (c->handshake)
		client_close(c, "eof");
	else if (!c->working)
		client_run(c);
}

static void
on_timeout(struct conn *conn)
{
	struct client *c = PH_CONTAINER(conn, struct client, conn);

	if (c->delayed) {
		pop3_auth_failed(c);
		return;
	}
	if (c->working)
		return;
	/* RFC 1939 3: a timeout removes nothing. */
	resp_err(&c->out, "idle for too long, goodbye");
	client_flush(c);
	client_close(c, "timeout");
}

static void
on_closed(struct conn *conn)
{
	struct client *c = PH_CONTAINER(conn, struct client, conn);

	c->dead = true;
	if (!c->working)
		client_free(c);
}

static const struct conn_ops ops = {
	.input = on_input,
	.drained = on_drained,
	.secured = on_secured,
	.eof = on_eof,
	.timeout = on_timeout,
	.closed = on_closed,
};

void
client_accept(struct server_loop *sl, const struct server_door *door,
    struct listener *from)
{
	struct client *c = xcalloc(1, sizeof(*c));
	const struct conf *conf = sl->srv->conf;
	const char *why;

	c->sl = sl;
	c->state = ST_AUTH;
	if (conn_accept(&c->conn, from, &ops, conf->line_max * 2,
		conf->output_high_water) != 0) {
		free(c);
		return;
	}
	TAILQ_INSERT_TAIL((struct client_list *)sl->app, c, link);
	server_client_id(sl->srv, 'p', c->id);
	buf_init(&c->batch, BATCH_MAX + conf->line_max);
	buf_init(&c->out, OUT_MAX);
	conn_set_timeout(&c->conn, conf->login_timeout);
	c->admitted = server_admit(sl, c->conn.peer_ip, &why);
	log_info(c->id, "connect", "peer=%s door=%s", c->conn.peer, door->name);
	if (!c->admitted) {
		if (!door->tls) {
			resp_err(&c->out, "[SYS/TEMP] %s", why);
			client_flush(c);
		}
		client_close(c, "limit");
	} else if (!door->tls) {
		c->greeted = true;
		greet(c);
	} else if (conn_tls_server(
		       &c->conn, sl->srv->tls, conf->handshake_timeout) != 0) {
		conn_abort(&c->conn);
	} else {
		c->handshake = true;
	}
}

void
client_close_all(struct server_loop *sl)
{
	struct client *c;

	TAILQ_FOREACH(c, (struct client_list *)sl->app, link) {
		if (conn_closing(&c->conn))
			continue;
		if (!c->working && !c->handshake) {
			resp_err(&c->out, "[SYS/TEMP] the server stops");
			client_flush(c);
		}
		client_close(c, "stop");
	}
}
