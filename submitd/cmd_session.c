#include "submitd/cmd.h"

#include <inttypes.h>

#include "lib/base/clock.h"
#include "lib/mail/date.h"
#include "submitd/app.h"
#include "submitd/parse.h"
#include "submitd/resp.h"
#include "submitd/words.h"

static bool
take_name(struct client *c, struct slice rest, bool esmtp)
{
	struct slice name = slice_trim(rest);

	/* Windows' names of PCs may be anything; they go nowhere from here. */
	if (name.n == 0 || (c->role != ROLE_SUBMIT && !smtp_helo_ok(name)) ||
	    !slice_copy(name, c->helo, sizeof(c->helo))) {
		words_tell(
		    c, "501 5.5.4 ", "give a host name or an address in [ ]");
		(void)session_bad_command(&c->s);
		return false;
	}
	c->esmtp = esmtp;
	conn_tls_name(&c->s.conn, c->tls, sizeof(c->tls));
	envelope_reset(c);
	return true;
}

void
smtp_helo(struct client *c, struct slice rest)
{
	if (take_name(c, rest, false))
		resp_line(&c->s.out, "250 ", "%s", c->s.sl->srv->hostname);
}

static void
put_keyword(struct buf *out, const char *word)
{
	buf_add_str(out, "250-");
	buf_add_str(out, word);
	buf_add(out, "\r\n", 2);
}

static void
put_auth(struct client *c)
{
	struct buf mechs;

	buf_init(&mechs, 512);
	auth_mechs(c->s.sl->srv->auth, session_plain_ok(&c->s),
	    conn_is_tls(&c->s.conn), true, &mechs);
	if (buf_len(&mechs) != 0) {
		buf_add_str(&c->s.out, "250-AUTH ");
		buf_add_slice(&c->s.out, buf_slice(&mechs));
		buf_add(&c->s.out, "\r\n", 2);
	}
	buf_fini(&mechs);
}

/* What is known of a login's own limit without asking the store; MAIL knows
 * it for sure. */
static uint64_t
rcpt_max(const struct client *c)
{
	static const struct policy_limits none;
	const struct server *srv = c->s.sl->srv;
	uint64_t host = srv->conf->recipients_max, own = 0;
	struct rights r;

	if (c->who.account != 0 &&
	    rights_known(app_of(srv)->rights, srv->conf, &c->who, &r))
		own = rights_rcpt_max(&r, &none);
	return own != 0 && own < host ? own : host;
}

/* RFC 4865 3: the longest time, and its end. */
static void
put_hold(struct client *c)
{
	uint64_t max = c->s.sl->srv->conf->hold_max / 1000;
	int64_t end = clock_wall_sec() + (int64_t)max;
	int year, month, day, sec = (int)(end % 86400);

	if (max == 0)
		return;
	date_to_civil(end, &year, &month, &day);
	buf_printf(&c->s.out,
	    "250-FUTURERELEASE %" PRIu64 " %04d-%02d-%02dT%02d:%02d:%02dZ\r\n",
	    max, year, month, day, sec / 3600, sec / 60 % 60, sec % 60);
}

void
smtp_ehlo(struct client *c, struct slice rest)
{
	struct buf *out = &c->s.out;

	if (!take_name(c, rest, true))
		return;
	put_keyword(out, c->s.sl->srv->hostname);
	put_keyword(out, "PIPELINING");
	buf_printf(
	    out, "250-SIZE %" PRIu64 "\r\n", c->s.sl->srv->conf->message_max);
	if (c->role != ROLE_LMTP && !conn_is_tls(&c->s.conn))
		put_keyword(out, "STARTTLS");
	if (c->role == ROLE_SUBMIT)
		put_auth(c);
	put_keyword(out, "8BITMIME");
	put_keyword(out, "SMTPUTF8");
	put_keyword(out, "CHUNKING");
	put_keyword(out, "BINARYMIME");
	if (c->role != ROLE_MX)
		put_keyword(out, "DSN");
	if (c->role == ROLE_SUBMIT)
		put_hold(c);
	if (smtp_xclient_ok(c))
		put_keyword(out, "XCLIENT NAME ADDR PORT PROTO HELO");
	/* RFC 9422 3 */
	buf_printf(out, "250-LIMITS RCPTMAX=%" PRIu64 "\r\n", rcpt_max(c));
	resp_line(out, "250 ", "ENHANCEDSTATUSCODES");
}

void
smtp_noop(struct client *c, struct slice rest)
{
	(void)rest;
	resp_line(&c->s.out, "250 2.0.0 ", "still here");
}

void
smtp_rset(struct client *c, struct slice rest)
{
	(void)rest;
	envelope_reset(c);
	resp_line(&c->s.out, "250 2.0.0 ", "forgotten");
}

static void
help_on(struct client *c, const struct smtp_cmd *cmd)
{
	resp_line(&c->s.out, "214 2.0.0 ", "%s%s%s", cmd->verb,
	    cmd->args[0] != '\0' ? " " : "", cmd->args);
}

/* RFC 5321 4.1.1.8: all commands, or how one is written */
void
smtp_help(struct client *c, struct slice rest)
{
	const struct smtp_cmd *cmd = cmd_find(rest);
	struct buf verbs;

	if (cmd != NULL && (cmd->roles & c->role)) {
		help_on(c, cmd);
		return;
	}
	buf_init(&verbs, 400);
	for (cmd = cmd_next(NULL); cmd != NULL; cmd = cmd_next(cmd))
		if (cmd->roles & c->role)
			buf_printf(&verbs, " %s", cmd->verb);
	resp_line(&c->s.out, "214-2.0.0 ", "Commands:%.*s",
	    (int)buf_len(&verbs), verbs.p);
	resp_line(&c->s.out, "214 2.0.0 ",
	    "HELP COMMAND tells more; people write to postmaster@%s",
	    c->s.sl->srv->hostname);
	buf_fini(&verbs);
}

/* RFC 5321 7.3: says nothing about who is here. */
void
smtp_vrfy(struct client *c, struct slice rest)
{
	(void)rest;
	resp_line(&c->s.out, "252 2.5.2 ", "send some mail, I'll try my best");
}

void
smtp_quit(struct client *c, struct slice rest)
{
	(void)rest;
	resp_line(
	    &c->s.out, "221 2.0.0 ", "%s goodbye", c->s.sl->srv->hostname);
	conn_last(&c->s.conn);
	client_close(c, "quit");
}

void
smtp_starttls(struct client *c, struct slice rest)
{
	if (rest.n != 0) {
		words_tell(c, "501 5.5.4 ", "STARTTLS takes nothing");
		return;
	}
	if (conn_is_tls(&c->s.conn) || c->who.account != 0) {
		words_tell(c, "503 5.5.1 ", "%s",
		    c->who.account != 0
			? "too late, you are logged in"
			: "the connection is encrypted already");
		return;
	}
	resp_line(&c->s.out, "220 2.0.0 ", "begin TLS now");
	session_starttls(&c->s);
}
