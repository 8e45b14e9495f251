#include "pop3d/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "pop3d/cmd.h"
#include "pop3d/parse.h"
#include "pop3d/resp.h"

void
client_close(struct client *c, const char *reason)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "account=%s retr=%u dele=%u",
	    c->who.name, c->retrieved, c->ngone);
	session_close(&c->s, reason, text);
}

static void
greet(struct session *s)
{
	resp_ok(&s->out, "%s Posthof POP3 ready", s->sl->srv->hostname);
}

static const struct pop3_cmd *
find(struct slice text, struct pop3_line *line)
{
	return pop3_parse(text, line) ? cmd_find(line->name) : NULL;
}

static bool
joins(struct session *s, struct slice text)
{
	struct pop3_line line;
	const struct pop3_cmd *cmd = find(text, &line);

	return client_of(s)->state == ST_TRANS && cmd != NULL &&
	       cmd->how == CMD_STORE;
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
	cmd = find(text, &line);
	if (cmd != NULL && (cmd->states & c->state)) {
		cmd->run(c, &line);
		return;
	}
	if (cmd == NULL)
		resp_err(&s->out, "unknown command");
	else
		resp_err(&s->out,
		    c->state == ST_AUTH ? "log in first" : "you are logged in");
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

	resp_err(&s->out, "%s", words[why]);
}

/* RFC 1939 3: a timeout removes nothing. */
static void
on_timeout(struct session *s)
{
	resp_err(&s->out, "idle for too long, goodbye");
}

static void
on_stopping(struct session *s)
{
	resp_err(&s->out, "[SYS/TEMP] the server stops, try again");
}

static void
on_refused(struct session *s, const char *why)
{
	resp_err(&s->out, "[SYS/TEMP] %s", why);
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

	msg_iter_close(&c->listing.it);
	arena_clear(&c->reading.arena);
	view_close(&c->view);
	login_fini(&c->login);
	free(c->gone);
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
		.free = on_free,
	};
	struct client *c = xcalloc(1, sizeof(*c));

	c->state = ST_AUTH;
	if (!session_accept(
		&c->s, sl, door, from, &ops, sl->srv->conf->line_max * 2))
		free(c);
}
