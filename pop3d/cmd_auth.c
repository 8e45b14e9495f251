#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "pop3d/cmd.h"
#include "pop3d/marks.h"
#include "pop3d/resp.h"
#include "storage/generation.h"

/* ---- in the job ---- */

static int
open_drop(struct client *c)
{
	const struct conf *conf = c->s.sl->srv->conf;
	struct slice folder = slice_str(c->login.who.suffix);
	struct store *s = c->s.sl->srv->store;
	struct err *e = &c->login.err;
	uint64_t account = c->login.who.account;
	int rc;

	if (conf->pop3_all_folders && slice_eq(folder, SLICE("*")))
		rc = drop_open_all(s, account, &c->drop);
	else
		rc = drop_open(s, account, folder, &c->drop);
	switch (rc) {
	case 0: return 0;
	case ERR_NOTFOUND:
		return err_set(e, ERR_DENIED, "there is no such folder");
	case ERR_LIMIT:
		c->refusal = "SYS/PERM";
		return err_set(
		    e, rc, "too many messages in all folders together");
	}
	return err_set(e, rc, "the mailbox cannot be opened");
}

/* RFC 2449 8.1.2: the password was right, but the maildrop is in use. */
static int
lock_drop(struct client *c)
{
	if (!c->s.sl->srv->conf->pop3_lock)
		return 0;
	c->locked = guard_enter(
	    guard_of(c), c->login.who.account, drop_folder(c->drop));
	if (c->locked)
		return 0;
	c->refusal = "IN-USE";
	return err_set(
	    &c->login.err, ERR_BUSY, "the mailbox is in use, try again later");
}

/* RFC 2449 6.5, 8.1.1: too soon after the last +OK. */
static int
check_delay(struct client *c)
{
	uint64_t left = 0;
	uint64_t delay = client_login_delay(c, &c->login.who);

	if (delay != 0)
		left = guard_login(guard_of(c), c->login.who.account, delay,
		    clock_steady_ms());
	if (left == 0)
		return 0;
	c->wait_sec = (left + 999) / 1000;
	return ERR_LIMIT;
}

static int
may_enter(struct client *c)
{
	int rc = lock_drop(c);

	return rc == 0 ? check_delay(c) : rc;
}

static void
auth_work(struct sjob *j)
{
	struct client *c = client_of_job(j);
	struct login *l = &c->login;
	uint64_t generation;

	login_work(l, j->srv, SCOPE_POP3, c->s.conn.peer_ip, c->s.id);
	if (login_verdict(l) != LOGIN_GOOD)
		return;
	generation = generation_of(j->srv->store, l->who.account);
	if ((l->rc = open_drop(c)) != 0 || (l->rc = may_enter(c)) != 0)
		return;
	marks_login(j->srv->store, &l->who, c->s.id);
	if (drop_folder(c->drop) != 0)
		places_put(
		    places_of(c), &l->who, generation, drop_folder(c->drop));
}

/* ---- on the loop ---- */

void
client_leave(struct client *c)
{
	if (c->locked)
		guard_leave(guard_of(c), c->who.account, drop_folder(c->drop));
	c->locked = false;
	drop_free(&c->drop);
}

static void
failed(struct session *s)
{
	struct client *c = client_of(s);

	c->state = ST_AUTH;
	if (c->wait_sec != 0)
		resp_code(c, "LOGIN-DELAY",
		    "wait %llu seconds before the next login",
		    (unsigned long long)c->wait_sec);
	else if (c->refusal != NULL)
		resp_code(
		    c, c->refusal, "%s", text_in(c->lang, c->login.err.text));
	else
		resp_fail(c, c->login.rc, c->login.err.text);
	c->refusal = NULL;
	c->wait_sec = 0;
	login_fini(&c->login);
	if (++c->auth_failures >= s->sl->srv->conf->auth_tries_max)
		client_close(c, "auth-tries");
}

static void
logged_in(struct client *c)
{
	const char *why;

	if (!session_logged_in(
		&c->s, &c->who, c->s.sl->srv->conf->pop3_timeout, &why)) {
		client_leave(c);
		c->state = ST_AUTH;
		resp_code(c, "SYS/TEMP", "%s", text_in(c->lang, why));
		login_fini(&c->login);
		return;
	}
	c->state = ST_TRANS;
	resp_ok(c, "%u messages", drop_count(c->drop));
	login_fini(&c->login);
}

/* One step of the login is done. */
static void
settle(struct client *c)
{
	struct login *l = &c->login;

	switch (login_verdict(l)) {
	case LOGIN_GOOD: logged_in(c); break;
	case LOGIN_CHALLENGE:
		/* RFC 5034 4: SCRAM's last message goes as a challenge. */
		c->state = ST_SASL;
		resp_challenge(c, buf_slice(&l->challenge));
		break;
	case LOGIN_BAD:
		client_leave(c);
		/* A wrong password waits before it is answered. */
		session_later(
		    &c->s, login_pause(l, c->s.sl->srv->conf), failed);
	}
}

static void
auth_done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	c->who = c->login.who;
	if (!session_back(&c->s))
		return;
	settle(c);
	session_run(&c->s);
}

/* The maildrop of a login that is known, without a look at the store. */
static bool
enter_now(struct client *c)
{
	struct store *s = c->s.sl->srv->store;
	const struct auth_who *who = &c->login.who;
	uint64_t folder =
	    places_get(places_of(c), who, generation_of(s, who->account));

	if (folder != 0)
		c->drop = drop_open_now(s, who->account, folder);
	return c->drop != NULL;
}

static void
start_login(struct client *c)
{
	struct login *l = &c->login;
	struct server *srv = c->s.sl->srv;

	l->suffix_sep = srv->conf->pop3_folder_separator[0];
	if (login_now(l, srv, SCOPE_POP3, c->s.conn.peer_ip, c->s.id) &&
	    enter_now(c)) {
		c->who = l->who;
		l->rc = may_enter(c);
		settle(c);
	} else {
		session_job(&c->s, !l->known, auth_work, auth_done);
	}
}

void
pop3_user(struct client *c, const struct pop3_line *l)
{
	struct slice name = slice_trim(l->rest);

	if (!session_plain_ok(&c->s)) {
		resp_code(c, "AUTH",
		    "encrypt the connection first: STLS, or SSL/TLS on port "
		    "995");
		return;
	}
	if (name.n == 0) {
		resp_err(c, "USER takes a name");
		return;
	}
	free(c->user);
	c->user = slice_dup(name);
	/* RFC 1939 7: the same answer whether there is such a user. */
	resp_ok(c, "now PASS");
}

/* RFC 1939 7: blanks belong to the password. */
void
pop3_pass(struct client *c, const struct pop3_line *l)
{
	if (c->user == NULL || !session_plain_ok(&c->s)) {
		resp_err(c, "USER comes first");
		return;
	}
	if (l->rest.n == 0) {
		resp_err(c, "PASS takes a password");
		return;
	}
	login_password(&c->login, slice_str(c->user), l->rest, &c->s.conn);
	free(c->user);
	c->user = NULL;
	start_login(c);
}

/* CLIENTS D: Outlook asks by a bare AUTH. */
static void
list_mechs(struct client *c)
{
	struct buf mechs;
	struct slice rest, word;

	buf_init(&mechs, 512);
	auth_mechs(c->s.sl->srv->auth, session_plain_ok(&c->s),
	    conn_is_tls(&c->s.conn), false, &mechs);
	resp_ok(c, "mechanisms follow");
	rest = buf_slice(&mechs);
	while (rest.n != 0 && slice_split(&rest, ' ', &word)) {
		buf_add_slice(&c->s.out, word);
		buf_add(&c->s.out, "\r\n", 2);
	}
	resp_dot(c);
	buf_fini(&mechs);
}

/* Decodes the client's bytes and takes the next step. */
static void
respond(struct client *c, struct slice text)
{
	if (login_response(&c->login, text)) {
		start_login(c);
		return;
	}
	login_fini(&c->login);
	c->state = ST_AUTH;
	resp_err(c, "that is not base64");
	(void)session_bad_command(&c->s);
}

void
pop3_auth(struct client *c, const struct pop3_line *l)
{
	if (l->nargs == 0) {
		list_mechs(c);
		return;
	}
	if (l->nargs > 2) {
		resp_err(c, "AUTH takes a mechanism and a response");
		return;
	}
	login_sasl(&c->login, l->arg[0], &c->s.conn, session_plain_ok(&c->s));
	if (l->nargs == 2)
		respond(c, l->arg[1]);
	else
		start_login(c);
}

void
pop3_auth_line(struct client *c, struct slice line)
{
	if (!slice_eq(line, SLICE("*"))) {
		respond(c, line);
		return;
	}
	login_fini(&c->login);
	c->state = ST_AUTH;
	resp_err(c, "cancelled");
}

void
pop3_stls(struct client *c, const struct pop3_line *l)
{
	(void)l;
	if (conn_is_tls(&c->s.conn)) {
		resp_err(c, "the connection is encrypted already");
		return;
	}
	resp_ok(c, "begin TLS now");
	session_starttls(&c->s);
}
