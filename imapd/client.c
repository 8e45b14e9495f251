#include "imapd/client.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/app.h"
#include "imapd/append.h"
#include "imapd/capability.h"
#include "imapd/cmd.h"
#include "imapd/input.h"
#include "imapd/news.h"
#include "imapd/rawlog.h"
#include "imapd/watch_inbox.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	IN_MAX = 64 << 10,
	OUT_ROOM = 4 << 20, /* of out, over the high-water mark */
	FLUSH_AT = 16 << 10
};

/* ---- the end ---- */

static void
client_free(struct client *c)
{
	struct server_loop *sl = c->sl;

	cmd_drop(c);
	append_drop(c);
	sync_free(c);
	watch_free(&c->watch);
	watch_settle(c);
	TAILQ_REMOVE(&app_of(c->sl)->all, c, link);
	server_rise(c->sl->srv, &c->seat);
	if (c->login != NULL)
		login_fini(c->login);
	free(c->login);
	free(c->login_name);
	free(c->program);
	free(c->held_tag);
	rawlog_free(&c->raw);
	frame_fini(&c->frame);
	buf_fini(&c->out);
	if (c->admitted)
		server_leave(sl, c->conn.peer_ip);
	free(c);
	server_release(sl);
}

static void
end_work(struct sjob *j)
{
	sync_deselect(client_of_job(j));
}

static void
end_done(struct sjob *j)
{
	client_free(client_of_job(j));
}

/* The connection is closed and no job runs. */
static void
client_end(struct client *c)
{
	/* To close a view may wait for others: not on the loop. */
	if (c->sel != NULL && c->sel->view != NULL)
		client_job(c, false, end_work, end_done);
	else
		client_free(c);
}

void
client_close(struct client *c, const char *reason)
{
	const char *why = conn_reason(&c->conn);

	if (conn_closing(&c->conn))
		return;
	client_flush(c);
	if (conn_closing(&c->conn))
		return;
	log_info(c->id, "close",
	    "reason=%s%s%s account=%s in=%" PRIu64 " out=%" PRIu64
	    " fetched=%" PRIu64,
	    reason, why[0] != '\0' ? " conn=" : "",
	    why[0] != '\0' ? log_q(slice_str(why)) : "", c->who.name,
	    c->conn.stats.bytes_in, c->conn.stats.bytes_out, c->said);
	figures_add(c->sl->srv->figures, FIG_BYTES_IN, c->conn.stats.bytes_in);
	figures_add(
	    c->sl->srv->figures, FIG_BYTES_OUT, c->conn.stats.bytes_out);
	server_rise(c->sl->srv, &c->seat); /* the peer may linger */
	conn_close(&c->conn);
}

void
client_bye(
    struct client *c, const char *reason, const char *code, const char *text)
{
	if (conn_closing(&c->conn))
		return;
	resp_bye(&c->out, code, text);
	client_close(c, reason);
}

/* ---- jobs ---- */

void
client_job(struct client *c, bool auth, void (*work)(struct sjob *j),
    void (*done)(struct sjob *j))
{
	ph_assert(!c->working);
	c->working = true;
	c->job.work = work;
	c->job.done = done;
	if (auth)
		sjob_submit_auth(c->sl, &c->job, c->conn.peer_ip);
	else
		sjob_submit(c->sl, &c->job);
}

bool
client_back(struct client *c)
{
	c->working = false;
	if (c->dead) {
		client_end(c);
		return false;
	}
	sync_settle(c);
	watch_settle(c);
	return !conn_closing(&c->conn);
}

/* ---- what happens ---- */

void
client_flush(struct client *c)
{
	if (buf_failed(&c->out)) {
		log_error(c->id, "output", "over=%zu", c->out.max);
		conn_abort(&c->conn);
	} else if (buf_len(&c->out) != 0) {
		rawlog_out(c->raw, buf_slice(&c->out));
		conn_write_buf(&c->conn, &c->out);
	}
}

static bool
may_run(const struct client *c)
{
	return !c->working && !c->waiting && !c->handshake &&
	       c->later == NULL && !conn_closing(&c->conn);
}

/* RFC 9051 11.6: who does not log in in time goes, however busy. */
static bool
too_late(const struct client *c)
{
	return c->state == IS_NOAUTH && loop_now_ms(c->sl->loop) - c->since_ms >
					    client_conf(c)->login_timeout;
}

static void
say_kicked(struct client *c)
{
	client_bye(
	    c, "kicked", "UNAVAILABLE", "your provider has ended this session");
}

/* What was asked for while a job ran.  True: it is under way. */
static bool
left_over(struct client *c)
{
	if (c->bye_text != NULL)
		client_bye(c, "bye", c->bye_code, c->bye_text);
	else if (c->stopping)
		client_stop(c);
	else if (too_late(c))
		client_bye(c, "login-timeout", NULL, "log in faster");
	else if (c->kicked)
		say_kicked(c);
	else if (c->recheck)
		client_recheck(c);
	else if (c->news && news_listens(c))
		news_start(c);
	else
		return false;
	return c->working || conn_closing(&c->conn);
}

static void
rest(struct client *c)
{
	if (c->eof) {
		client_close(c, "eof");
		return;
	}
	if (buf_len(&c->conn.in) != 0 || !frame_empty(&c->frame))
		return;
	frame_idle(&c->frame);
	buf_shrink(&c->out);
	conn_idle(&c->conn);
}

void
client_run(struct client *c)
{
	while (may_run(c)) {
		if (left_over(c))
			return;
		if (!input_next(c))
			break;
		if (c->working || buf_len(&c->out) < FLUSH_AT)
			continue;
		client_flush(c);
		if (conn_full(&c->conn))
			return;
	}
	if (c->working)
		return;
	client_flush(c);
	if (may_run(c))
		rest(c);
}

static struct client *
of(struct conn *conn)
{
	return PH_CONTAINER(conn, struct client, conn);
}

static void
on_input(struct conn *conn)
{
	struct client *c = of(conn);

	if (!c->working && !conn_full(conn))
		client_run(c);
}

static void
on_drained(struct conn *conn)
{
	struct client *c = of(conn);

	if (c->waiting)
		cmd_resume(c);
	else if (!c->working)
		client_run(c);
}

static void
greet(struct client *c)
{
	struct buf words;

	buf_init(&words, 2048);
	caps_write(c, &words);
	buf_add_str(&c->out, "* OK [CAPABILITY");
	buf_add_slice(&c->out, buf_slice(&words));
	buf_printf(
	    &c->out, "] %s Posthof IMAP ready\r\n", c->sl->srv->hostname);
	buf_fini(&words);
}

static void
on_secured(struct conn *conn, int rc, const struct err *e)
{
	struct client *c = of(conn);

	c->handshake = false;
	if (rc != 0) {
		log_info(c->id, "tls", "failed=\"%s\" peer=%s",
		    e->detail[0] != '\0' ? e->detail : e->text, conn->peer);
		conn_abort(conn);
		return;
	}
	client_run(c);
}

static void
on_eof(struct conn *conn)
{
	struct client *c = of(conn);

	c->eof = true;
	if (c->handshake || (c->waiting && conn_broken(conn)))
		client_close(c, "eof");
	else if (!c->working)
		client_run(c);
}

static void
on_timeout(struct conn *conn)
{
	struct client *c = of(conn);
	void (*later)(struct client *) = c->later;

	if (later != NULL) {
		c->later = NULL;
		client_set_timeout(c);
		later(c);
		if (!conn_closing(conn)) {
			conn_resume(conn);
			client_run(c);
		}
	} else if (c->working) {
		return;
	} else if (c->mode == MODE_IDLE) {
		/* CLIENTS D, Outlook: a sign of life; IDLE never ends here. */
		resp_tagged(&c->out, SLICE("*"), RESP_OK, NULL, "Still here");
		client_flush(c);
	} else {
		client_bye(c, "timeout", NULL, "idle for too long");
	}
}

static void
on_closed(struct conn *conn)
{
	struct client *c = of(conn);

	c->dead = true;
	if (!c->working)
		client_end(c);
}

static const struct conn_ops conn_ops = {
	.input = on_input,
	.drained = on_drained,
	.secured = on_secured,
	.eof = on_eof,
	.timeout = on_timeout,
	.closed = on_closed,
};

static void
start_tls(struct client *c)
{
	const struct server *srv = c->sl->srv;

	c->handshake = true;
	if (conn_tls_server(&c->conn, srv->tls, srv->conf->handshake_timeout) ==
	    0)
		return;
	c->handshake = false;
	log_warn(c->id, "injection", "peer=%s bytes=%zu", c->conn.peer,
	    buf_len(&c->conn.in));
	client_close(c, "starttls-injection");
}

void
client_starttls(struct client *c)
{
	client_flush(c);
	start_tls(c);
}

static void
want_rawlog(struct client *c)
{
	const struct conf_list *list = &client_conf(c)->imap_raw_log;

	if (c->raw == NULL && list->n != 0)
		c->raw = rawlog_new(list, c->id, c->who.name, c->conn.peer_ip);
}

void
client_accept(struct server_loop *sl, const struct server_door *door,
    struct listener *from)
{
	const struct conf *conf = sl->srv->conf;
	struct client *c = xcalloc(1, sizeof(*c));
	const char *why;

	c->sl = sl;
	c->door = door;
	c->state = IS_NOAUTH;
	if (conn_accept(&c->conn, from, &conn_ops, IN_MAX,
		conf->output_high_water) != 0) {
		free(c);
		return;
	}
	server_hold(sl);
	TAILQ_INSERT_TAIL(&app_of(sl)->all, c, link);
	server_client_id(sl->srv, 'i', c->id);
	arena_init(&c->arena);
	frame_init(&c->frame, conf->line_max, 0);
	buf_init(&c->out, conf->output_high_water + OUT_ROOM);
	input_limits(c);
	(void)caps_for_client(c, (struct slice){ 0 });
	c->since_ms = loop_now_ms(sl->loop);
	client_set_timeout(c);
	c->admitted = server_admit(sl, c->conn.peer_ip, &why);
	want_rawlog(c);
	log_info(c->id, "connect", "peer=%s door=%s", c->conn.peer, door->name);
	if (!c->admitted) {
		if (!door->tls)
			resp_bye(&c->out, "UNAVAILABLE", why);
		client_close(c, "limit");
	} else if (door->tls) {
		greet(c);
		start_tls(c);
		rawlog_out(c->raw, buf_slice(&c->out));
		conn_tls_first(&c->conn, buf_slice(&c->out));
		buf_clear(&c->out);
	} else {
		greet(c);
		client_flush(c);
	}
}

/* ---- for commands ---- */

void
client_later(struct client *c, uint64_t ms, void (*fn)(struct client *c))
{
	c->later = fn;
	conn_pause(&c->conn);
	conn_set_timeout(&c->conn, ms != 0 ? ms : 1);
}

bool
client_plain_ok(const struct client *c)
{
	return client_is_tls(c) || client_conf(c)->plaintext_without_tls;
}

bool
client_is_tls(const struct client *c)
{
	return conn_is_tls(&c->conn) || c->door->tls;
}

void
client_set_timeout(struct client *c)
{
	const struct conf *conf = client_conf(c);

	if (c->state == IS_NOAUTH)
		conn_set_timeout(&c->conn, conf->login_timeout);
	else if (c->mode == MODE_IDLE)
		conn_set_timeout(&c->conn, conf->imap_heartbeat);
	else
		conn_set_timeout(&c->conn, conf->imap_timeout);
}

bool
client_logged_in(struct client *c, const char **why_out)
{
	if (!server_sit(c->sl->srv, &c->seat, &c->who, &c->conn, c->id,
		c->door->name, why_out))
		return false;
	c->state = IS_AUTH;
	c->bad_commands = 0;
	want_rawlog(c);
	client_set_timeout(c);
	input_limits(c);
	return true;
}

bool
client_bad_command(struct client *c)
{
	if (++c->bad_commands < client_conf(c)->bad_commands_max)
		return false;
	client_bye(c, "bad-commands", NULL, "too many bad commands");
	return true;
}

void
client_news(struct client *c)
{
	if ((c->mode != MODE_IDLE && c->watch == NULL) ||
	    conn_closing(&c->conn))
		return;
	if (may_run(c) && news_listens(c))
		news_start(c);
	else
		c->news = true;
}

static void
recheck_work(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (auth_still_good(j->srv->auth, &c->who) == ERR_DENIED)
		c->bye_text = "your access has changed, log in again";
}

static void
recheck_done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (client_back(c))
		client_run(c);
}

void
client_recheck(struct client *c)
{
	if (conn_closing(&c->conn))
		return;
	c->recheck = !may_run(c);
	if (!c->recheck)
		client_job(c, true, recheck_work, recheck_done);
}

void
client_kick(struct client *c)
{
	if (conn_closing(&c->conn))
		return;
	c->kicked = true;
	if (c->waiting && !c->working)
		client_close(c, "kicked"); /* in the midst of an answer */
	else if (may_run(c))
		say_kicked(c);
}

void
client_stop(struct client *c)
{
	if (c->working)
		c->stopping = true;
	else if (c->handshake)
		client_close(c, "stop");
	else
		client_bye(c, "stop", "UNAVAILABLE",
		    "the server stops, connect again");
}
