#include "submitd/cmd.h"

#include <stdlib.h>

#include "lib/base/b64.h"
#include "lib/base/mem.h"
#include "submitd/resp.h"
#include "submitd/words.h"

static void
auth_work(struct sjob *j)
{
	struct client *c = client_of_job(j);

	login_work(&c->login, j->srv, SCOPE_SMTP, c->s.conn.peer_ip, c->s.id);
}

/* 432, 454 and 535 are RFC 4954 6. */
static void
failed(struct session *s)
{
	struct client *c = client_of(s);
	int kind = c->login.rc;
	const char *text = c->login.err.text;

	if (kind == ERR_DENIED)
		words_tell(c, "535 5.7.1 ", "%s", text);
	else if (kind == ERR_AUTH || kind == ERR_UNSUPPORTED)
		words_fail(c, kind, text, "");
	else
		words_tell(c, "454 4.7.0 ", "%s",
		    text[0] != '\0' ? text : "cannot check the password now");
	login_fini(&c->login);
	if (++c->auth_failures >= s->sl->srv->conf->auth_tries_max) {
		words_tell(c, "421 4.7.0 ", "too many failed logins");
		client_close(c, "auth-tries");
	}
}

/* One step of the login is done. */
static void
settle(struct client *c)
{
	const struct conf *conf = c->s.sl->srv->conf;
	struct login *l = &c->login;
	const char *why;

	c->expect = EXPECT_COMMAND;
	switch (login_verdict(l)) {
	case LOGIN_GOOD:
		c->who = l->who;
		login_fini(l);
		if (session_logged_in(
			&c->s, &c->who, conf->smtp_timeout, &why)) {
			server_name_client(
			    c->s.sl->srv, &c->s.seat, slice_str(c->helo));
			resp_line(&c->s.out, "235 2.7.0 ", "welcome");
		} else {
			c->who = (struct auth_who){ 0 };
			words_tell(c, "454 4.7.0 ", "%s", why);
		}
		break;
	case LOGIN_CHALLENGE:
		c->expect = EXPECT_SASL;
		resp_challenge(&c->s.out, buf_slice(&l->challenge));
		break;
	case LOGIN_BAD:
		session_later(&c->s, login_pause(l, conf), failed);
		break;
	}
}

static void
auth_done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (!session_back(&c->s))
		return;
	settle(c);
	session_run(&c->s);
}

static void
start_login(struct client *c)
{
	c->login.client = c->helo;
	if (login_now(&c->login, c->s.sl->srv, SCOPE_SMTP, c->s.conn.peer_ip,
		c->s.id))
		settle(c);
	else
		session_job(&c->s, true, auth_work, auth_done);
}

static void
not_base64(struct client *c)
{
	login_fini(&c->login);
	c->expect = EXPECT_COMMAND;
	words_tell(c, "501 5.5.2 ", "that is not base64");
	(void)session_bad_command(&c->s);
}

/* AUTH LOGIN is ours (CLIENTS S4): Outlook needs these very words. */
static void
ask_user(struct client *c)
{
	c->expect = EXPECT_USER;
	resp_challenge(&c->s.out, SLICE("Username:"));
}

static void
take_user(struct client *c, struct slice text)
{
	struct buf plain;

	buf_init(&plain, 1024);
	if (!b64_decode(&plain, text)) {
		buf_fini(&plain);
		not_base64(c);
		return;
	}
	free(c->user);
	c->user = buf_take_str(&plain);
	c->expect = EXPECT_PASS;
	resp_challenge(&c->s.out, SLICE("Password:"));
}

static void
take_pass(struct client *c, struct slice text)
{
	struct buf plain;

	c->expect = EXPECT_COMMAND;
	buf_init(&plain, 4096);
	if (!b64_decode(&plain, text)) {
		not_base64(c);
	} else {
		login_password(&c->login, slice_str(c->user), buf_slice(&plain),
		    &c->s.conn);
		start_login(c);
	}
	if (plain.p != NULL)
		mem_wipe(plain.p, plain.cap);
	buf_fini(&plain);
	free(c->user);
	c->user = NULL;
}

void
smtp_auth_line(struct client *c, struct slice line)
{
	if (slice_eq(line, SLICE("*"))) {
		login_fini(&c->login);
		c->expect = EXPECT_COMMAND;
		words_tell(c, "501 5.0.0 ", "cancelled");
		return;
	}
	switch (c->expect) {
	case EXPECT_USER: take_user(c, line); break;
	case EXPECT_PASS: take_pass(c, line); break;
	default:
		if (login_response(&c->login, line))
			start_login(c);
		else
			not_base64(c);
	}
}

/* Why AUTH is not possible now, or NULL; RFC 4954 4. */
static bool
refuse(struct client *c)
{
	if (c->helo[0] == '\0' || !c->esmtp)
		words_tell(c, "503 5.5.1 ", "EHLO comes first");
	else if (c->who.account != 0)
		words_tell(c, "503 5.5.1 ", "you are logged in");
	else if (c->env.open)
		words_tell(c, "503 5.5.1 ", "not inside a mail");
	else
		return false;
	return true;
}

static bool
shows_password(struct slice mech)
{
	return slice_ieq(mech, SLICE("PLAIN")) ||
	       slice_ieq(mech, SLICE("LOGIN"));
}

void
smtp_auth(struct client *c, struct slice rest)
{
	struct slice mech = SLICE(""), initial = rest;

	if (refuse(c))
		return;
	(void)slice_split(&initial, ' ', &mech);
	if (mech.n == 0) {
		words_tell(c, "501 5.5.4 ", "AUTH MECHANISM");
		return;
	}
	if (shows_password(mech) && !session_plain_ok(&c->s)) {
		/* RFC 4954 6 */
		words_tell(
		    c, "538 5.7.11 ", "encrypt the connection first: STARTTLS");
		return;
	}
	if (slice_ieq(mech, SLICE("LOGIN"))) {
		if (initial.n != 0)
			take_user(c, initial);
		else
			ask_user(c);
		return;
	}
	login_sasl(&c->login, mech, &c->s.conn, session_plain_ok(&c->s));
	if (initial.p != NULL && !login_response(&c->login, initial))
		not_base64(c);
	else
		start_login(c);
}
