#include "submitd/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "submitd/app.h"
#include "submitd/cmd.h"
#include "submitd/data.h"
#include "submitd/parse.h"
#include "submitd/resp.h"
#include "submitd/words.h"

enum { INPUT_MAX = 128 << 10 };

void
client_close(struct client *c, const char *reason)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "account=%s messages=%u",
	    c->who.name, c->messages);
	session_close(&c->s, reason, text);
}

void
envelope_reset(struct client *c)
{
	struct envelope *env = &c->env;

	free(env->rcpts);
	arena_clear(&env->arena);
	buf_fini(&env->lines);
	*env = (struct envelope){ 0 };
	spool_free(&c->spool);
}

static void
say_hello(struct session *s)
{
	resp_line(&s->out, "220 ", "%s %s Posthof ready", s->sl->srv->hostname,
	    client_of(s)->role == ROLE_LMTP ? "LMTP" : "ESMTP");
}

/* Mail programs wait for the greeting (RFC 5321 4.3.1), spammers do not. */
static void
greet_late(struct session *s)
{
	conn_set_timeout(&s->conn, s->sl->srv->conf->smtp_timeout);
	if (buf_len(&s->conn.in) == 0) {
		say_hello(s);
		return;
	}
	figures_add(s->sl->srv->figures, FIG_TURNED_AWAY, 1);
	log_info(s->id, "refused", "why=early peer=%s", s->conn.peer);
	resp_line(&s->out, "554 5.7.1 ", "%s you spoke before you were greeted",
	    s->sl->srv->hostname);
	client_close(client_of(s), "early");
}

/* Who comes too often, or has made too many mistakes, is told so at once. */
static bool
comes_too_often(struct session *s)
{
	const struct conf *conf = s->sl->srv->conf;
	struct rates *r = app_of(s->sl->srv)->rates;
	const char *ip = s->conn.peer_ip;
	uint64_t now = clock_steady_ms();

	if (client_of(s)->role != ROLE_MX ||
	    (rate_take(r, RATE_CONNECTIONS, ip, 1,
		 conf->smtp_connections_per_minute, now) &&
		rate_take(
		    r, RATE_ERRORS, ip, 0, conf->smtp_errors_per_minute, now)))
		return false;
	log_info(s->id, "refused", "why=rate peer=%s", s->conn.peer);
	resp_line(&s->out, "421 4.7.0 ", "%s you come too often, try later",
	    s->sl->srv->hostname);
	client_close(client_of(s), "rate");
	return true;
}

static void
greet(struct session *s)
{
	const struct conf *conf = s->sl->srv->conf;

	if (comes_too_often(s))
		return;
	if (client_of(s)->role != ROLE_SUBMIT)
		conn_set_timeout(&s->conn, conf->smtp_timeout);
	if (client_of(s)->role == ROLE_MX && conf->greet_delay != 0)
		session_later(s, conf->greet_delay, greet_late);
	else
		say_hello(s);
}

static bool
joins(struct session *s, struct slice text)
{
	struct smtp_line line;
	const struct smtp_cmd *cmd;

	return client_of(s)->expect == EXPECT_COMMAND &&
	       smtp_parse_line(text, &line) &&
	       (cmd = cmd_find(line.verb)) != NULL && cmd->waits != NULL &&
	       (session_batched(s) || cmd->waits(client_of(s), line.rest));
}

static void
on_line(struct session *s, struct slice text)
{
	struct client *c = client_of(s);
	const struct smtp_cmd *cmd = NULL;
	struct smtp_line line;

	if (c->expect != EXPECT_COMMAND) {
		smtp_auth_line(c, text);
		return;
	}
	if (smtp_parse_line(text, &line))
		cmd = cmd_find(line.verb);
	if (cmd != NULL && (cmd->roles & c->role)) {
		cmd->run(c, line.rest);
		return;
	}
	words_tell(c, "500 5.5.1 ", "unknown command");
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

	words_tell(client_of(s), "500 5.5.2 ", "%s", words[why]);
}

static void
too_bad(struct session *s)
{
	words_tell(client_of(s), "421 4.7.0 ", "%s too many errors",
	    s->sl->srv->hostname);
}

static void
on_timeout(struct session *s)
{
	words_tell(client_of(s), "421 4.4.2 ", "%s idle for too long, goodbye",
	    s->sl->srv->hostname);
}

static void
on_stopping(struct session *s)
{
	words_tell(client_of(s), "421 4.3.2 ", "%s the server stops, try again",
	    s->sl->srv->hostname);
}

static void
on_refused(struct session *s, const char *why)
{
	words_tell(
	    client_of(s), "421 4.7.0 ", "%s %s", s->sl->srv->hostname, why);
}

/* RFC 3207 4.2: what was said before STARTTLS is forgotten. */
static void
on_secured(struct session *s)
{
	struct client *c = client_of(s);

	envelope_reset(c);
	c->helo[0] = '\0';
}

static void
on_free(struct session *s)
{
	struct client *c = client_of(s);
	struct app *app = app_of(s->sl->srv);

	/* A job's session may end when all else of the host has. */
	if (app != NULL && c->role == ROLE_MX && s->bad_commands != 0)
		(void)rate_take(app->rates, RATE_ERRORS, s->conn.peer_ip,
		    s->bad_commands, s->sl->srv->conf->smtp_errors_per_minute,
		    clock_steady_ms());
	envelope_reset(c);
	login_fini(&c->login);
	free(c->user);
	free(c);
}

static enum smtp_role
role_of(const struct server_door *door)
{
	if (strcmp(door->name, "smtp") == 0)
		return ROLE_MX;
	return strcmp(door->name, "lmtp") == 0 ? ROLE_LMTP : ROLE_SUBMIT;
}

void
client_accept(struct server_loop *sl, const struct server_door *door,
    struct listener *from)
{
	static const struct session_ops ops = {
		.letter = 's',
		.greet = greet,
		.joins = joins,
		.line = on_line,
		.data = data_input,
		.bad_line = bad_line,
		.too_bad = too_bad,
		.timeout = on_timeout,
		.stopping = on_stopping,
		.refused = on_refused,
		.secured = on_secured,
		.free = on_free,
	};
	struct client *c = xcalloc(1, sizeof(*c));

	c->role = role_of(door);
	if (!session_accept(&c->s, sl, door, from, &ops, INPUT_MAX))
		free(c);
}
