#include "lib/daemon/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/net/line.h"

enum {
	BATCH_MAX = 16 << 10, /* bytes of command lines in one job */
	OUT_MAX = 8 << 20     /* ceiling; the high-water mark comes first */
};

static const struct conf *
conf_of(const struct session *s)
{
	return s->sl->srv->conf;
}

static void
session_free(struct session *s)
{
	struct server_loop *sl = s->sl;

	TAILQ_REMOVE((struct session_list *)sl->app, s, link);
	server_rise(sl->srv, &s->seat);
	buf_fini(&s->batch);
	buf_fini(&s->out);
	if (s->admitted)
		server_leave(sl, s->conn.peer_ip);
	/* It may leave work behind, which a loop that ends waits for. */
	s->ops->free(s);
	server_release(sl);
}

void
session_close(struct session *s, const char *reason, const char *text)
{
	char totals[160] = "";

	if (conn_closing(&s->conn))
		return;
	session_flush(s);
	if (text[0] == '\0' && s->ops->totals != NULL) {
		s->ops->totals(s, totals, sizeof(totals));
		text = totals;
	}
	log_info(s->id, "close", "reason=%s in=%" PRIu64 " out=%" PRIu64 "%s%s",
	    reason, s->conn.stats.bytes_in, s->conn.stats.bytes_out,
	    text[0] != '\0' ? " " : "", text);
	figures_add(s->sl->srv->figures, FIG_BYTES_IN, s->conn.stats.bytes_in);
	figures_add(
	    s->sl->srv->figures, FIG_BYTES_OUT, s->conn.stats.bytes_out);
	server_rise(s->sl->srv, &s->seat); /* the peer may linger */
	conn_close(&s->conn);
}

void
session_flush(struct session *s)
{
	if (buf_failed(&s->out)) {
		log_error(s->id, "output", "over=%d", OUT_MAX);
		conn_abort(&s->conn);
	} else if (buf_len(&s->out) != 0) {
		conn_write_buf(&s->conn, &s->out);
	}
}

void
session_job(struct session *s, bool auth, void (*work)(struct sjob *j),
    void (*done)(struct sjob *j))
{
	s->working = true;
	s->job.work = work;
	s->job.done = done;
	if (auth)
		sjob_submit_auth(s->sl, &s->job, s->conn.peer_ip);
	else
		sjob_submit(s->sl, &s->job);
}

bool
session_busy(const struct session *s)
{
	return s->working;
}

bool
session_back(struct session *s)
{
	s->working = false;
	if (!s->dead)
		return !conn_closing(&s->conn);
	session_free(s);
	return false;
}

/* Runs what `more` and the batch hold until both are empty or enough output
 * has been made.  In a job. */
static void
batch_work(struct sjob *j)
{
	struct session *s = PH_CONTAINER(j, struct session, job);
	size_t mark = conf_of(s)->output_high_water;

	while (
	    buf_len(&s->out) < mark && !s->quitting && !buf_failed(&s->out)) {
		struct slice rest = buf_slice(&s->batch);
		size_t n = slice_chr(rest, '\n');

		if (s->more != NULL) {
			if (s->mute || s->more(s))
				s->more = NULL;
			continue;
		}
		if (rest.n == 0)
			return;
		s->ops->line(s, slice_sub(rest, 0, n));
		buf_consume(&s->batch, n + 1);
	}
}

static bool
has_work(const struct session *s)
{
	return s->more != NULL || buf_len(&s->batch) != 0;
}

/* What comes next may add to the replies: session_run() sends them, with one
 * call for MAIL, RCPT and DATA. */
static void
batch_done(struct sjob *j)
{
	struct session *s = PH_CONTAINER(j, struct session, job);

	if (!session_back(s))
		return;
	if (s->quitting)
		session_close(s, "error", "");
	else
		session_run(s);
}

/* A ClientHello where a command should be (CLIENTS O21): a TLS record, RFC
 * 8446 5.1, handshake, version 3.x. */
static bool
is_tls_hello(const struct session *s)
{
	return !conn_is_tls(&s->conn) &&
	       slice_starts(buf_slice(&s->conn.in), SLICE("\x16\x03"));
}

static void
bad_line(struct session *s, enum line_kind kind)
{
	static const enum session_bad why[] = { [LINE_TOO_LONG] = BAD_TOO_LONG,
		[LINE_BARE] = BAD_BARE,
		[LINE_NUL] = BAD_NUL };

	s->ops->bad_line(s, why[kind]);
	if (kind == LINE_TOO_LONG)
		session_close(s, "line-too-long", "");
	else
		(void)session_bad_command(s);
}

bool
session_bad_command(struct session *s)
{
	if (++s->bad_commands < conf_of(s)->bad_commands_max)
		return false;
	if (s->ops->too_bad != NULL)
		s->ops->too_bad(s);
	if (s->working)
		s->quitting = true;
	else
		session_close(s, "bad-commands", "");
	return true;
}

/* The loop may look at what comes next. */
static bool
may_run(const struct session *s)
{
	return !s->working && !s->handshake && s->later == NULL &&
	       !conn_closing(&s->conn);
}

/* A peer that takes no replies gets no more of them made: on_ready() goes on
 * when it has taken some. */
static bool
has_room(struct session *s)
{
	if (buf_len(&s->out) >= conf_of(s)->output_high_water)
		session_flush(s);
	return !conn_full(&s->conn);
}

static bool
run_data(struct session *s)
{
	struct slice in = buf_slice(&s->conn.in);
	size_t used;

	if (in.n == 0)
		return false;
	used = s->ops->data(s, in);
	if (!conn_closing(&s->conn))
		conn_consume(&s->conn, used);
	return used != 0;
}

/* Takes one line off the input and answers it.  False: there is none, or it
 * has to wait until the batch before it is done. */
static bool
run_one(struct session *s)
{
	struct line_framer f;
	struct slice text;
	size_t used;
	enum line_kind kind;
	bool joins;
	char *copy;

	if (is_tls_hello(s)) {
		log_warn(s->id, "tls-on-plain-port", "peer=%s", s->conn.peer);
		session_close(s, "tls-on-plain-port", "");
		return false;
	}
	line_init(&f, s->line_max, false);
	kind = line_next(&f, buf_slice(&s->conn.in), &text, &used);
	if (kind == LINE_MORE)
		return false;
	joins = kind == LINE_OK && s->ops->joins(s, text) &&
		(buf_len(&s->batch) == 0 ||
		    buf_len(&s->batch) + text.n < BATCH_MAX);
	if (!joins && buf_len(&s->batch) != 0)
		return false;
	if (kind != LINE_OK) {
		bad_line(s, kind);
		if (!conn_closing(&s->conn))
			conn_consume(&s->conn, used);
		return true;
	}
	if (joins) {
		buf_add_slice(&s->batch, text);
		buf_add_char(&s->batch, '\n');
		conn_consume(&s->conn, used);
		return true;
	}
	/* STARTTLS wants nothing in the buffer: the line goes first. */
	copy = slice_dup(text);
	text.p = copy;
	conn_consume(&s->conn, used);
	s->ops->line(s, text);
	mem_wipe(copy, text.n);
	free(copy);
	return true;
}

static void
say_stopping(struct session *s)
{
	s->ops->stopping(s);
	session_close(s, "stop", "");
}

void
session_run(struct session *s)
{
	bool left = has_work(s), room;

	/* Nobody reads any more: commands still run (a QUIT may be among
	 * them), long replies are not made. */
	if (!s->working && conn_broken(&s->conn))
		s->mute = true;
	if (s->stopping && may_run(s)) {
		say_stopping(s);
		return;
	}
	while ((room = may_run(s) && has_room(s)) && !left &&
	       (s->raw ? run_data(s) : run_one(s)))
		;
	if (room && may_run(s) && has_work(s))
		session_job(s, false, batch_work, batch_done);
	if (s->working)
		return;
	session_flush(s);
	if (s->eof && room && may_run(s))
		session_close(s, "eof", "");
	else if (buf_len(&s->conn.in) == 0 && !conn_closing(&s->conn)) {
		buf_shrink(&s->out);
		buf_shrink(&s->batch);
		conn_idle(&s->conn);
	}
}

static struct session *
of(struct conn *conn)
{
	return PH_CONTAINER(conn, struct session, conn);
}

/* Input has come, or output has gone. */
static void
on_ready(struct conn *conn)
{
	if (!of(conn)->working)
		session_run(of(conn));
}

static void
on_secured(struct conn *conn, int rc, const struct err *e)
{
	struct session *s = of(conn);
	char tls[64];

	s->handshake = false;
	if (rc != 0) {
		log_info(s->id, "tls", "failed=\"%s\" peer=%s",
		    e->detail[0] != '\0' ? e->detail : e->text, conn->peer);
		conn_close(conn); /* so that the TLS alert gets out */
		return;
	}
	if (log_wants(LOG_DEBUG)) {
		conn_tls_name(conn, tls, sizeof(tls));
		log_debug(s->id, "tls", "version=\"%s\"", tls);
	}
	if (!s->door->tls) /* else all has been said and done */
		s->ops->secured(s);
	session_run(s);
}

static void
on_eof(struct conn *conn)
{
	struct session *s = of(conn);

	s->eof = true;
	if (s->handshake)
		session_close(s, "eof", "");
	else if (!s->working)
		session_run(s);
}

static void
on_timeout(struct conn *conn)
{
	struct session *s = of(conn);
	void (*later)(struct session *) = s->later;

	if (later != NULL) {
		s->later = NULL;
		conn_set_timeout(conn, conf_of(s)->login_timeout);
		later(s);
		if (!conn_closing(conn)) {
			conn_resume(conn);
			session_run(s);
		}
	} else if (!s->working) {
		s->ops->timeout(s);
		session_close(s, "timeout", "");
	}
}

static void
on_closed(struct conn *conn)
{
	struct session *s = of(conn);

	s->dead = true;
	if (!s->working)
		session_free(s);
}

static const struct conn_ops conn_ops = {
	.input = on_ready,
	.drained = on_ready,
	.secured = on_secured,
	.eof = on_eof,
	.timeout = on_timeout,
	.closed = on_closed,
};

static void
start_tls(struct session *s)
{
	const struct server *srv = s->sl->srv;

	s->handshake = true;
	if (conn_tls_server(&s->conn, srv->tls, srv->conf->handshake_timeout) ==
	    0)
		return;
	s->handshake = false;
	log_warn(s->id, "injection", "peer=%s bytes=%zu", s->conn.peer,
	    buf_len(&s->conn.in));
	session_close(s, "starttls-injection", "");
}

void
session_starttls(struct session *s)
{
	session_flush(s);
	start_tls(s);
}

bool
session_accept(struct session *s, struct server_loop *sl,
    const struct server_door *door, struct listener *from,
    const struct session_ops *ops, size_t in_max)
{
	const struct conf *conf = sl->srv->conf;
	const char *why;

	s->sl = sl;
	s->ops = ops;
	s->door = door;
	if (conn_accept(&s->conn, from, &conn_ops, in_max,
		conf->output_high_water) != 0)
		return false;
	server_hold(sl);
	TAILQ_INSERT_TAIL((struct session_list *)sl->app, s, link);
	server_client_id(sl->srv, ops->letter, s->id);
	s->line_max = conf->line_max; /* a reload changes new sessions only */
	buf_init(&s->batch, BATCH_MAX + s->line_max);
	buf_init(&s->out, OUT_MAX);
	conn_set_timeout(&s->conn, conf->login_timeout);
	s->admitted = server_admit(sl, s->conn.peer_ip, &why);
	log_info(s->id, "connect", "peer=%s door=%s", s->conn.peer, door->name);
	if (!s->admitted) {
		if (!door->tls)
			ops->refused(s, why);
		session_close(s, "limit", "");
	} else if (door->tls) {
		ops->greet(s);
		start_tls(s);
		conn_tls_first(&s->conn, buf_slice(&s->out));
		buf_clear(&s->out);
	} else {
		ops->greet(s);
		session_flush(s);
	}
	return true;
}

bool
session_peer(
    struct session *s, const char *ip, unsigned port, const char **why_out)
{
	struct conn *conn = &s->conn;

	server_leave_ip(s->sl, conn->peer_ip);
	(void)snprintf(conn->peer_ip, sizeof(conn->peer_ip), "%s", ip);
	(void)snprintf(conn->peer, sizeof(conn->peer),
	    strchr(ip, ':') != NULL ? "[%s]:%u" : "%s:%u", ip, port);
	if (server_admit_ip(s->sl, ip, why_out))
		return true;
	conn->peer_ip[0] = '\0'; /* it is counted nowhere now */
	return false;
}

void
session_later(struct session *s, uint64_t ms, void (*fn)(struct session *s))
{
	s->later = fn;
	conn_pause(&s->conn);
	conn_set_timeout(&s->conn, ms != 0 ? ms : 1);
}

bool
session_plain_ok(const struct session *s)
{
	return conn_is_tls(&s->conn) || conf_of(s)->plaintext_without_tls;
}

bool
session_logged_in(struct session *s, const struct auth_who *who,
    uint64_t idle_ms, const char **why_out)
{
	if (!server_sit(s->sl->srv, &s->seat, who, &s->conn, s->id,
		s->door->name, why_out))
		return false;
	s->who = who;
	conn_set_timeout(&s->conn, idle_ms);
	return true;
}

static void
kick(struct session *s)
{
	if (conn_closing(&s->conn))
		return;
	if (s->working) {
		/* Its buffers are the job's now. */
		log_info(s->id, "close", "reason=kicked");
		conn_abort(&s->conn);
		return;
	}
	s->ops->stopping(s);
	session_close(s, "kicked", "");
}

/* Is a login still good?  Asked in a job of its own: the session may be busy,
 * or gone when the answer comes. */
struct check {
	struct sjob job;
	struct server_loop *sl;
	struct auth_who who;
	char id[24];
	int rc;
};

static void
check_work(struct sjob *j)
{
	struct check *k = PH_CONTAINER(j, struct check, job);

	k->rc = auth_still_good(j->srv->auth, &k->who);
}

static void
check_done(struct sjob *j)
{
	struct check *k = PH_CONTAINER(j, struct check, job);
	struct session *s, *hit = NULL;

	TAILQ_FOREACH(s, (struct session_list *)k->sl->app, link)
		if (strcmp(s->id, k->id) == 0)
			hit = s;
	if (hit != NULL && k->rc == ERR_DENIED)
		kick(hit);
	server_release(k->sl);
	free(k);
}

/* account 0: a package, or it is not known which. */
static void
check_account(struct server_loop *sl, uint64_t account)
{
	struct session *s;

	TAILQ_FOREACH(s, (struct session_list *)sl->app, link) {
		struct check *k;

		if (!s->seat.taken ||
		    (account != 0 && s->who->account != account))
			continue;
		server_hold(sl);
		k = xcalloc(1, sizeof(*k));
		k->sl = sl;
		k->who = *s->who;
		memcpy(k->id, s->id, sizeof(k->id));
		k->job.work = check_work;
		k->job.done = check_done;
		sjob_submit_auth(sl, &k->job, "");
	}
}

static void
kick_all(struct server_loop *sl, const struct notify_event *ev)
{
	struct session *s, *next;

	for (s = TAILQ_FIRST((struct session_list *)sl->app); s != NULL;
	     s = next) {
		next = TAILQ_NEXT(s, link);
		if (server_kicks(&s->seat, ev))
			kick(s);
	}
}

void
session_notify(struct server_loop *sl, const struct notify_event *ev, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ev[i].kind == NOTIFY_KICK)
			kick_all(sl, &ev[i]);
		if (ev[i].kind != NOTIFY_ACCOUNT)
			continue;
		auth_forget(sl->srv->auth, ev[i].account);
		if (ev[i].kick)
			check_account(sl, ev[i].account);
	}
}

int
session_loop_start(struct server_loop *sl)
{
	struct session_list *all = xcalloc(1, sizeof(*all));

	TAILQ_INIT(all);
	sl->app = all;
	return 0;
}

void
session_loop_stop(struct server_loop *sl)
{
	struct session *s;

	TAILQ_FOREACH(s, (struct session_list *)sl->app, link) {
		s->stopping = true;
		if (s->handshake)
			session_close(s, "stop", "");
		else if (!s->working && !conn_closing(&s->conn))
			say_stopping(s);
	}
}

void
session_stop(struct server *srv)
{
	for (size_t i = 0; i < srv->nloops; i++)
		free(srv->loops[i].app);
}
