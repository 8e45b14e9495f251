#include "pop3d/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "pop3d/cmd.h"
#include "pop3d/marks.h"
#include "pop3d/parse.h"
#include "pop3d/resp.h"

void
client_close(struct client *c, const char *reason)
{
	session_close(&c->s, reason, "");
}

static void
totals(const struct session *s, char *out, size_t cap)
{
	const struct client *c = PH_CONTAINER(s, const struct client, s);

	if (c->drop == NULL)
		return;
	(void)snprintf(out, cap, "account=%s messages=%u retr=%u dele=%u",
	    c->who.name, drop_count(c->drop), c->retrieved,
	    drop_ngone(c->drop));
}

static void
greet(struct session *s)
{
	resp_ok(client_of(s), "%s Posthof POP3 ready", s->sl->srv->hostname);
}

static const struct pop3_cmd *
find(const struct session *s, struct slice text, struct pop3_line *line)
{
	const struct pop3_cmd *cmd =
	    pop3_parse(text, line) ? cmd_find(line->name) : NULL;

	if (cmd != NULL && cmd->utf8 && !s->sl->srv->conf->pop3_utf8)
		cmd = NULL;
	return cmd;
}

static bool
joins(struct session *s, struct slice text)
{
	struct client *c = client_of(s);
	struct pop3_line line;
	const struct pop3_cmd *cmd;

	if (c->state == ST_TRANS && !session_batched(s) &&
	    buf_len(&s->out) == 0 && conn_queued(&s->conn) == 0)
		drop_sure(c->drop);
	if (c->state != ST_TRANS || (cmd = find(s, text, &line)) == NULL)
		return false;
	switch (cmd->how) {
	case CMD_STORE: return true;
	case CMD_QUICK: return session_batched(s);
	case CMD_STAT: return session_batched(s) || drop_ngone(c->drop) != 0;
	case CMD_RETR: return session_batched(s) || !cmd_retr_ready(c, &line);
	}
	return false;
}

static void
on_line(struct session *s, struct slice text)
{
	struct client *c = client_of(s);
	struct pop3_line line;
	const struct pop3_cmd *cmd;

	if (c->state == ST_SASL) {
		pop3_auth_line(c, text);
		return;
	}
	cmd = find(s, text, &line);
	if (cmd != NULL && (cmd->states & c->state)) {
		cmd->run(c, &line);
		return;
	}
	if (cmd == NULL)
		resp_err(c, "unknown command");
	else if (c->state == ST_AUTH)
		resp_err(c, "log in first");
	else
		resp_err(c, "you are logged in");
	(void)session_bad_command(s);
}

static void
bad_line(struct session *s, enum session_bad why)
{
	static const char *const words[] = {
		[BAD_TOO_LONG] = "line too long",
		[BAD_BARE] = "lines end in CR LF",
		[BAD_NUL] = "NUL is not allowed",
	};

	resp_err(client_of(s), "%s", words[why]);
}

/* RFC 1939 3: a timeout removes nothing. */
static void
on_timeout(struct session *s)
{
	resp_err(client_of(s), "idle for too long, goodbye");
}

static void
on_stopping(struct session *s)
{
	resp_code(client_of(s), "SYS/TEMP", "the server stops, try again");
}

static void
on_refused(struct session *s, const char *why)
{
	resp_code(client_of(s), "SYS/TEMP", "%s", why);
}

static void
on_secured(struct session *s)
{
	/* RFC 2595 4: what was said before STLS is forgotten. */
	free(client_of(s)->user);
	client_of(s)->user = NULL;
}

static void
on_free(struct session *s)
{
	struct client *c = client_of(s);

	drop_list_close(&c->list);
	read_end(&c->read);
	ahead_clear(&c->ahead);
	if (c->drop != NULL)
		marks_later(s->sl, drop_take_marks(c->drop, false),
		    c->who.secret_id, s->id);
	drop_marks_free(&c->marks);
	client_leave(c);
	login_fini(&c->login);
	free(c->user);
	free(c);
}

void
client_accept(struct server_loop *sl, const struct server_door *door,
    struct listener *from)
{
	static const struct session_ops ops = {
		.letter = 'p',
		.greet = greet,
		.joins = joins,
		.line = on_line,
		.bad_line = bad_line,
		.timeout = on_timeout,
		.stopping = on_stopping,
		.refused = on_refused,
		.secured = on_secured,
		.totals = totals,
		.free = on_free,
	};
	struct client *c = xcalloc(1, sizeof(*c));

	c->state = ST_AUTH;
	ahead_init(&c->ahead);
	if (!session_accept(
		&c->s, sl, door, from, &ops, sl->srv->conf->line_max * 2))
		free(c);
}
